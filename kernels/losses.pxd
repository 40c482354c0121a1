"""The losses of B answers with K outputs each, and their gradients."""
from libc.stdint cimport int64_t

cimport kernels.lanes as lanes
from kernels.lanes cimport LANES, REAL, dsigmoid, flush, load, load_part, splat, store, store_part, vec
from kernels.sums cimport total

cdef enum: TOGETHER = 1024       # numbers of answers that are worked on together

cdef struct Answers:
    # Outputs o (B, K); of each answer the loss (B,); the gradient do (B, K) of the mean loss with respect to o.
    long B, K
    const REAL* o
    REAL* loss
    REAL* do


cdef inline void cross_entropy(const Answers* q, const int64_t* label, REAL* p) noexcept nogil:
    """p (B, K) = softmax(o), loss = -log p[label], do = (p - onehot) / B."""
    cdef long rows = max(1, TOGETHER // q.K), b = 0
    while b < q.B:
        entropy_of_rows(q, b, min(b + rows, q.B), label, p)
        b += rows


cdef inline void entropy_of_rows(const Answers* q, long first, long last, const int64_t* label, REAL* p) noexcept nogil:
    """Several answers together, so that vecs are full whatever K. `do` first holds what a row is reduced or divided by."""
    cdef long K = q.K, b, k, end = last * K
    cdef REAL* do = q.do
    cdef REAL tops[TOGETHER]
    cdef vec y
    for b in range(first, last):
        tops[b - first] = top(q.o + b * K, K)
        fill(do + b * K, K, tops[b - first])
    k = first * K
    while k < end:
        store_part(p + k, lanes.exp(load_part(q.o + k, end - k) - load_part(do + k, end - k)), end - k)
        k += LANES
    for b in range(first, last):
        q.loss[b] = <REAL>total(p + b * K, K)
        fill(do + b * K, K, q.loss[b])
    k = first * K
    while k < end:
        y = load_part(p + k, end - k) / load_part(do + k, end - k)
        store_part(p + k, y, end - k)
        # Otherwise tiny probabilities would send subnormal numbers through the whole backward pass.
        store_part(do + k, lanes.flush(y / splat(q.B)), end - k)
        k += LANES
    b = first
    while b < last:
        store_part(q.loss + b, lanes.log(load_part(q.loss + b, last - b)), last - b)
        b += LANES
    for b in range(first, last):
        k = b * K + label[b]
        do[k] = (p[k] - 1) / q.B
        q.loss[b] -= q.o[k] - tops[b - first]


cdef inline REAL top(const REAL* o, long K) noexcept nogil:
    """The largest of K numbers; any of them where one is NaN, since the loss is NaN then."""
    cdef REAL lane[LANES]
    cdef REAL largest = o[0]
    cdef vec most
    cdef long k
    if K >= LANES:
        most = load(o)
        for k in range(1, K // LANES):
            most = lanes.max_(most, load(o + k * LANES))
        store(lane, most)
        for k in range(LANES):
            largest = lane[k] if lane[k] > largest else largest
    for k in range(K - K % LANES, K):
        largest = o[k] if o[k] > largest else largest
    return largest


cdef inline void fill(REAL* a, long n, REAL value) noexcept nogil:
    cdef long i
    for i in range(n):
        a[i] = value


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


cdef inline void binary_cross_entropy(const Answers* q, const REAL* target, REAL* p) noexcept nogil:
    """p (B, K) = sigmoid(o), loss = -sum over k of target log(p) + (1 - target) log(1 - p), do = (p - target) / B; target (B, K)."""
    cdef long b
    for b in range(q.B):
        q.loss[b] = binary_entropy_of_row(q, b, target + b * q.K, p + b * q.K)


cdef inline REAL binary_entropy_of_row(const Answers* q, long b, const REAL* target, REAL* p) noexcept nogil:
    cdef long K = q.K, k = 0
    cdef const REAL* o = q.o + b * K
    cdef REAL* do = q.do + b * K            # first the losses of the outputs
    cdef REAL count = <REAL>q.B, loss
    cdef vec a, t, y
    while k < K:
        a, t = load_part(o + k, K - k), load_part(target + k, K - k)
        store_part(p + k, lanes.sigmoid(a), K - k)
        # -log(1 - p) = max(0, a) + log(1 + exp(-|a|)), and -log(p) = -log(1 - p) - a
        store_part(do + k, lanes.max_(lanes.zero(), a) - a * t + lanes.log(1 + lanes.exp(lanes.min_(0 - a, a))), K - k)
        k += LANES
    loss = <REAL> total(do, K)
    k = 0
    while k < K:
        y, t = load_part(p + k, K - k), load_part(target + k, K - k)
        store_part(do + k, flush((y - t) / splat(count)), K - k)
        k += LANES
    return loss


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
