"""The losses of B answers with K outputs each, and their gradients."""
from libc.stdint cimport int64_t

from kernels cimport lanes
from kernels.lanes cimport LANES, REAL, dsigmoid, flush, load_part, splat, store_part, vec
from kernels.sums cimport total

cdef struct Answers:
    # Outputs o (B, K); of each answer the loss (B,); the gradient do (B, K) of the mean loss with respect to o.
    long B, K
    const REAL* o
    REAL* loss
    REAL* do


cdef inline void cross_entropy(const Answers* q, const int64_t* label, REAL* p) noexcept nogil:
    """p (B, K) = softmax(o), loss = -log p[label], do = (p - onehot) / B."""
    cdef long b
    for b in range(q.B):
        q.loss[b] = entropy_of_row(q.o + b * q.K, label[b], q.K, q.B, p + b * q.K, q.do + b * q.K)


cdef inline REAL entropy_of_row(const REAL* o, long label, long K, long B, REAL* p, REAL* do) noexcept nogil:
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


cdef inline void squared_error(const Answers* q, const REAL* target, REAL* squares) noexcept nogil:
    """loss = sum over k of (o - target)^2 / K, do = 2 (o - target) / (K B); target (B, K). squares (K,) is scratch memory."""
    cdef long b, k
    cdef REAL off, count = <REAL>q.B * <REAL>q.K
    for b in range(q.B):
        for k in range(q.K):
            off = q.o[b * q.K + k] - target[b * q.K + k]
            squares[k] = off * off
            q.do[b * q.K + k] = 2 * off / count
        q.loss[b] = <REAL>(total(squares, q.K) / q.K)


cdef inline void sigmoid_error(const Answers* q, const REAL* target, REAL* p) noexcept nogil:
    """p (B, K) = sigmoid(o), loss = sum over k of (p - target)^2 / K, do = 2 (p - target) / (K B) p (1 - p); target (B, K)."""
    cdef long b
    for b in range(q.B):
        q.loss[b] = sigmoid_error_of_row(q, b, target + b * q.K, p + b * q.K)


cdef inline REAL sigmoid_error_of_row(const Answers* q, long b, const REAL* target, REAL* p) noexcept nogil:
    cdef long K = q.K, k = 0
    cdef const REAL* o = q.o + b * K
    cdef REAL* do = q.do + b * K            # first the squares
    cdef REAL count = <REAL>q.B * <REAL>K, loss
    cdef vec y, off
    while k < K:
        y = lanes.sigmoid(load_part(o + k, K - k))
        off = y - load_part(target + k, K - k)
        store_part(p + k, y, K - k)
        store_part(do + k, off * off, K - k)
        k += LANES
    loss = <REAL> (total(do, K) / K)
    k = 0
    while k < K:
        y = load_part(p + k, K - k)
        off = y - load_part(target + k, K - k)
        store_part(do + k, flush(2 * off / splat(count) * dsigmoid(y)), K - k)
        k += LANES
    return loss
