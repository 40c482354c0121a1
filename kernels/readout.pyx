"""The product of the affine readout, the losses and attention, for Python. B rows, K outputs; REAL is the dtype of this build."""

import numpy as np

cimport numpy as cnp
from cython.parallel cimport prange
from libc.stdint cimport int64_t

cimport kernels.affine as affine
cimport kernels.attend as attend
cimport kernels.lanes as lanes
cimport kernels.losses as losses
from kernels.lanes cimport REAL
from kernels.module cimport Batch

cnp.import_array()


def product(a, b, start, out, int threads):
    """out = start + a b: a (M, R) with any strides, b (R, N), start (N,) or None for +0, out (M, N) C-contiguous.

    out[m, n] is the fma chain over a[m, r] b[r, n] with r ascending. The threads share the rows of out.
    """
    cdef int i
    cdef affine.Affine q
    b = np.ascontiguousarray(b)
    q.M, q.R, q.N = a.shape[0], b.shape[0], b.shape[1]
    q.down, q.along = a.strides[0] // a.itemsize, a.strides[1] // a.itemsize
    q.a, q.b, q.out = <REAL*>cnp.PyArray_DATA(a), <REAL*>cnp.PyArray_DATA(b), <REAL*>cnp.PyArray_DATA(out)
    q.start = NULL if start is None else <REAL*>cnp.PyArray_DATA(start)
    for i in prange(threads, nogil=True, num_threads=threads, schedule="static", chunksize=1):
        rows(&q, q.M * i // threads, q.M * (i + 1) // threads)


cdef void rows(const affine.Affine* whole, long first, long last) noexcept nogil:
    """The rows first..last - 1 of a product."""
    cdef affine.Affine q = whole[0]
    q.M, q.a, q.out = last - first, q.a + first * q.down, q.out + first * q.N
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


def sigmoid_error(o, target):
    """(loss (B,), p (B, K), do (B, K)) of o and targets (B, K)."""
    loss, p, do = np.empty(o.shape[0], o.dtype), np.empty_like(o), np.empty_like(o)
    cdef losses.Answers q = answers(o, loss, do)
    cdef lanes.mode saved = lanes.enter_mode()
    losses.sigmoid_error(&q, <REAL*>cnp.PyArray_DATA(target), <REAL*>cnp.PyArray_DATA(p))
    lanes.leave_mode(saved)
    return loss, p, do


def binary_cross_entropy(o, target):
    """(loss (B,), p (B, K), do (B, K)) of o and targets (B, K)."""
    loss, p, do = np.empty(o.shape[0], o.dtype), np.empty_like(o), np.empty_like(o)
    cdef losses.Answers q = answers(o, loss, do)
    cdef lanes.mode saved = lanes.enter_mode()
    losses.binary_cross_entropy(&q, <REAL*>cnp.PyArray_DATA(target), <REAL*>cnp.PyArray_DATA(p))
    lanes.leave_mode(saved)
    return loss, p, do


cdef bint never() noexcept nogil:
    return False


cdef REAL* reals(array) noexcept:
    return NULL if array is None else <REAL*>cnp.PyArray_DATA(array)


cdef long* longs(array) noexcept:
    return <long*>cnp.PyArray_DATA(array)


cdef attend.Attention attention_of(a):
    """The struct of an object with arrays of the same names, and n, score and sight; arrays that a pass does not use are None."""
    cdef attend.Attention m
    m.n, m.score, m.sight, m.R = a.n, a.score, a.sight, a.memory.shape[0]
    m.start, m.first, m.count = longs(a.start), longs(a.first), longs(a.count)
    m.memory, m.keys, m.query = reals(a.memory), reals(a.keys), reals(a.query)
    m.alpha, m.dalpha, m.tanhs = reals(a.alpha), reals(a.dalpha), reals(a.tanhs)
    m.dmemory, m.dkeys, m.dquery, m.dstate = reals(a.dmemory), reals(a.dkeys), reals(a.dquery), reals(a.dstate)
    m.turned, m.record = reals(a.turned), reals(a.record)
    return m


cdef Batch batch_of(a, long T):
    cdef Batch batch
    batch.T, batch.B, batch.P, batch.interrupted = T, a.lengths.shape[0], a.places.shape[0], never
    batch.lengths, batch.places = <const int*>cnp.PyArray_DATA(a.lengths), longs(a.places)
    return batch


def attend_forward(a, theta, x):
    """a.out (P, 2 n), and what else the backward pass needs, from x (T, B, n)."""
    cdef attend.Attention m = attention_of(a)
    cdef Batch batch = batch_of(a, x.shape[0])
    cdef lanes.mode saved = lanes.enter_mode()
    attend.attend(&m, &batch, reals(x), reals(theta), reals(a.out))
    lanes.leave_mode(saved)


def attend_backward(a, theta, dout, grad, dx):
    """grad, which is +0 before, and dx (T, B, n)."""
    cdef attend.Attention m = attention_of(a)
    cdef Batch batch = batch_of(a, dx.shape[0])
    cdef attend.Outward y = attend.Outward(reals(a.out), reals(dout))
    cdef lanes.mode saved = lanes.enter_mode()
    attend.attend_back(&m, &batch, reals(theta), y, reals(grad), reals(dx))
    lanes.leave_mode(saved)
