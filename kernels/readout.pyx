"""The product of the affine readout, and the losses.

One product serves forward and backward. Each number of its result is one fma chain in the order of the inner index, and lanes are
columns, so neither lanes nor tiles change a bit. B rows, K outputs; REAL is the dtype of this build.
"""

import numpy as np

cimport numpy as cnp
from libc.stdint cimport int64_t

from kernels cimport lanes
from kernels.lanes cimport LANES, LINE, REAL, fma, load, load_part, splat, store_part, vec
from kernels.sums cimport total

cnp.import_array()

cdef enum: ROWS = 8      # rows of a tile: enough chains to hide an fma's latency, few enough for 16 registers

cdef struct Product:
    # out (M, N) = a (M, R) b (R, N). A row of a is `down` from the next, its numbers are `along` apart. b has lines of `line`
    # numbers, padded to whole LINEs; line 0 is where the chains start.
    long R, N, down, along, line
    const REAL* a
    const REAL* b
    REAL* out


def product(a, b, start, out):
    """out = start + a b: a (M, R) with any strides, b (R, N), start (N,) or None for +0, out (M, N) C-contiguous.

    out[m, n] is the fma chain over a[m, r] b[r, n] with r ascending.
    """
    cdef Product q
    cdef long M = a.shape[0], m, n = 0
    q.R, q.N = b.shape
    padded = np.zeros((q.R + 1, (q.N + LINE - 1) // LINE * LINE), a.dtype)
    padded[1:, :q.N] = b
    if start is not None:
        padded[0, :q.N] = start
    q.down, q.along, q.line = a.strides[0] // a.itemsize, a.strides[1] // a.itemsize, padded.shape[1]
    q.a, q.b, q.out = <REAL*>cnp.PyArray_DATA(a), <REAL*>cnp.PyArray_DATA(padded), <REAL*>cnp.PyArray_DATA(out)
    cdef lanes.mode saved = lanes.enter_mode()
    while n < q.N:
        for m in range(M // ROWS):
            tile(ROWS, &q, m * ROWS, n)
        for m in range(M - M % ROWS, M):
            tile(1, &q, m, n)
        n += LANES
    lanes.leave_mode(saved)


cdef inline void tile(int rows, const Product* q, long m, long n) noexcept nogil:
    """`rows` rows from m on, of up to LANES columns from n on."""
    cdef const REAL* a = q.a + m * q.down
    cdef const REAL* b = q.b + n
    cdef vec sums[ROWS]
    cdef vec w = load(b)
    cdef long r, down = q.down, along = q.along, line = q.line
    cdef int i
    for i in range(rows):
        sums[i] = w
    for r in range(q.R):
        w = load(b + (r + 1) * line)
        for i in range(rows):
            sums[i] = fma(splat(a[i * down + r * along]), w, sums[i])
    for i in range(rows):
        store_part(q.out + (m + i) * q.N + n, sums[i], q.N - n)


def cross_entropy(o, labels):
    """(loss (B,), p (B, K), do (B, K)) of logits o (B, K) and int64 labels (B,); ValueError for a label outside 0..K-1."""
    cdef long B = o.shape[0], K = o.shape[1], b
    loss, p, do = np.empty(B, o.dtype), np.empty_like(o), np.empty_like(o)
    cdef const REAL* x = <REAL*>cnp.PyArray_DATA(o)
    cdef const int64_t* label = <int64_t*>cnp.PyArray_DATA(labels)
    cdef REAL* each = <REAL*>cnp.PyArray_DATA(loss)
    cdef REAL* share = <REAL*>cnp.PyArray_DATA(p)
    cdef REAL* d = <REAL*>cnp.PyArray_DATA(do)
    for b in range(B):
        if not 0 <= label[b] < K:
            raise ValueError(f"labels: expected integers of 0 to {K - 1}, got {label[b]} in row {b}")
    cdef lanes.mode saved = lanes.enter_mode()
    for b in range(B):
        each[b] = row_loss(x + b * K, label[b], K, B, share + b * K, d + b * K)
    lanes.leave_mode(saved)
    return loss, p, do


cdef inline REAL row_loss(const REAL* o, long label, long K, long B, REAL* p, REAL* do) noexcept nogil:
    """The loss of one row; p = softmax(o), do = (p - onehot) / B."""
    cdef REAL top = o[0], mass, log_of_mass
    cdef long k
    for k in range(1, K):
        top = o[k] if o[k] > top else top
    k = 0
    while k < K:
        store_part(p + k, lanes.exp(load_part(o + k, K - k) - splat(top)), K - k)
        k += LANES
    mass = <REAL>total(p, K)
    k = 0
    while k < K:
        store_part(p + k, load_part(p + k, K - k) / splat(mass), K - k)
        # Otherwise tiny probabilities would send subnormal numbers through the whole backward pass.
        store_part(do + k, lanes.flush(load_part(p + k, K - k) / splat(B)), K - k)
        k += LANES
    do[label] = (p[label] - 1) / B
    store_part(&log_of_mass, lanes.log(splat(mass)), 1)
    return log_of_mass - (o[label] - top)


def squared_error(o, target):
    """(loss (B,), do (B, K)) of outputs and targets (B, K)."""
    cdef long B = o.shape[0], K = o.shape[1], b, k
    loss, do, squares = np.empty(B, o.dtype), np.empty_like(o), np.empty(K, o.dtype)
    cdef const REAL* x = <REAL*>cnp.PyArray_DATA(o)
    cdef const REAL* t = <REAL*>cnp.PyArray_DATA(target)
    cdef REAL* each = <REAL*>cnp.PyArray_DATA(loss)
    cdef REAL* d = <REAL*>cnp.PyArray_DATA(do)
    cdef REAL* square = <REAL*>cnp.PyArray_DATA(squares)
    cdef REAL off, count = <REAL>B * <REAL>K
    cdef lanes.mode saved = lanes.enter_mode()
    for b in range(B):
        for k in range(K):
            off = x[b * K + k] - t[b * K + k]
            square[k] = off * off
            d[b * K + k] = 2 * off / count
        each[b] = <REAL>(total(square, K) / K)
    lanes.leave_mode(saved)
    return loss, do
