"""The product of the affine readout, and the losses, for Python. B rows, K outputs; REAL is the dtype of this build."""

import numpy as np

cimport numpy as cnp
from libc.stdint cimport int64_t

from kernels cimport affine, lanes, losses
from kernels.lanes cimport REAL

cnp.import_array()


def product(a, b, start, out):
    """out = start + a b: a (M, R) with any strides, b (R, N), start (N,) or None for +0, out (M, N) C-contiguous.

    out[m, n] is the fma chain over a[m, r] b[r, n] with r ascending.
    """
    cdef affine.Affine q
    b = np.ascontiguousarray(b)
    q.M, q.R, q.N = a.shape[0], b.shape[0], b.shape[1]
    q.down, q.along = a.strides[0] // a.itemsize, a.strides[1] // a.itemsize
    q.a, q.b, q.out = <REAL*>cnp.PyArray_DATA(a), <REAL*>cnp.PyArray_DATA(b), <REAL*>cnp.PyArray_DATA(out)
    q.start = NULL if start is None else <REAL*>cnp.PyArray_DATA(start)
    cdef lanes.mode saved = lanes.enter_mode()
    affine.affine(&q)
    lanes.leave_mode(saved)


cdef losses.Answers answers(o, loss, do):
    return losses.Answers(o.shape[0], o.shape[1], <REAL*>cnp.PyArray_DATA(o), <REAL*>cnp.PyArray_DATA(loss),
                          <REAL*>cnp.PyArray_DATA(do))


def cross_entropy(o, labels):
    """(loss (B,), p (B, K), do (B, K)) of logits o (B, K) and int64 labels (B,); ValueError for a label outside 0..K-1."""
    cdef long B = o.shape[0], K = o.shape[1], b
    cdef const int64_t* label = <int64_t*>cnp.PyArray_DATA(labels)
    for b in range(B):
        if not 0 <= label[b] < K:
            raise ValueError(f"labels: expected integers of 0 to {K - 1}, got {label[b]} in row {b}")
    loss, p, do = np.empty(B, o.dtype), np.empty_like(o), np.empty_like(o)
    cdef losses.Answers q = answers(o, loss, do)
    cdef lanes.mode saved = lanes.enter_mode()
    losses.cross_entropy(&q, label, <REAL*>cnp.PyArray_DATA(p))
    lanes.leave_mode(saved)
    return loss, p, do


def squared_error(o, target):
    """(loss (B,), do (B, K)) of outputs and targets (B, K)."""
    loss, do, squares = np.empty(o.shape[0], o.dtype), np.empty_like(o), np.empty(o.shape[1], o.dtype)
    cdef losses.Answers q = answers(o, loss, do)
    cdef lanes.mode saved = lanes.enter_mode()
    losses.squared_error(&q, <REAL*>cnp.PyArray_DATA(target), <REAL*>cnp.PyArray_DATA(squares))
    lanes.leave_mode(saved)
    return loss, do
