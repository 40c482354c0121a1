"""Operations on flat vectors: norm, scaling, clipping, adding, tanh, and the steps of the optimizers."""
from libc.math cimport sqrt as root

cimport kernels.lanes as lanes
cimport kernels.sums as sums
from kernels.lanes cimport LANES, REAL, flush, fma, load_part, max_, min_, splat, store_part, vec


cdef inline double norm(const REAL* a, long n) noexcept nogil:
    """The Euclidean norm of a (n,)."""
    cdef double squares = sums.dot(a, a, n)
    return root(squares) if 1e-280 < squares < 1e280 else sums.norm(a, n)


cdef inline void scale(REAL* a, long n, double by) noexcept nogil:
    """a *= by, which is rounded to REAL first."""
    cdef long i = 0
    while i < n:
        store_part(a + i, load_part(a + i, n - i) * splat(by), n - i)
        i += LANES


cdef inline void clamp(REAL* a, long n, double most) noexcept nogil:
    """Clip each number of a to -most .. most; NaN stays NaN."""
    cdef long i = 0
    while i < n:
        store_part(a + i, max_(splat(-most), min_(splat(most), load_part(a + i, n - i))), n - i)
        i += LANES


cdef inline void copy(REAL* a, const REAL* b, long n) noexcept nogil:
    """a = b; of few numbers, faster than a call of memcpy."""
    cdef long i = 0
    while i < n:
        store_part(a + i, load_part(b + i, n - i), n - i)
        i += LANES


cdef inline void add(REAL* a, const REAL* b, long n) noexcept nogil:
    """a += b"""
    cdef long i = 0
    while i < n:
        store_part(a + i, load_part(a + i, n - i) + load_part(b + i, n - i), n - i)
        i += LANES


cdef inline void take_tanh(REAL* a, long n) noexcept nogil:
    """a = tanh(a)"""
    cdef long i = 0
    while i < n:
        store_part(a + i, lanes.tanh(load_part(a + i, n - i)), n - i)
        i += LANES


cdef inline void tanh_back(const REAL* y, REAL* d, long n) noexcept nogil:
    """d *= 1 - y^2, with y = tanh(x): the gradient with respect to y becomes that with respect to x."""
    cdef long i = 0
    while i < n:
        store_part(d + i, flush(load_part(d + i, n - i) * lanes.dtanh(load_part(y + i, n - i))), n - i)
        i += LANES


cdef struct Adam:
    double beta1, beta2, rate, spread, eps


cdef inline void sgd(REAL* theta, const REAL* grad, REAL* v, long n, double lr, double momentum) noexcept nogil:
    """v = momentum v + grad; theta = theta - lr v."""
    cdef long i = 0
    cdef vec now
    while i < n:
        now = flush(fma(splat(momentum), load_part(v + i, n - i), load_part(grad + i, n - i)))
        store_part(v + i, now, n - i)
        store_part(theta + i, fma(splat(-lr), now, load_part(theta + i, n - i)), n - i)
        i += LANES


cdef inline void adam(const Adam* k, REAL* theta, const REAL* grad, REAL* m, REAL* v, long n) noexcept nogil:
    """m = beta1 m + (1 - beta1) grad; v = beta2 v + (1 - beta2) grad^2; theta = theta - rate m / (sqrt(spread v) + eps)."""
    cdef long i = 0
    cdef vec g, mean, square, step
    while i < n:
        g = load_part(grad + i, n - i)
        mean = flush(fma(splat(k.beta1), load_part(m + i, n - i), splat(1 - k.beta1) * g))
        square = flush(fma(splat(k.beta2), load_part(v + i, n - i), splat(1 - k.beta2) * g * g))
        step = splat(k.rate) * mean / (lanes.sqrt(square * splat(k.spread)) + splat(k.eps))
        store_part(m + i, mean, n - i)
        store_part(v + i, square, n - i)
        store_part(theta + i, load_part(theta + i, n - i) - step, n - i)
        i += LANES
