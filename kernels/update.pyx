"""Operations on one flat vector: its sum and norm, scaling, clipping, adding, and the steps of the optimizers.

REAL is the dtype of this build.
"""

cimport numpy as cnp
from libc.math cimport sqrt as root

from kernels cimport lanes, sums
from kernels.lanes cimport LANES, REAL, flush, fma, load_part, max_, min_, splat, store_part, vec

cnp.import_array()


def total(a):
    """The sum of a (n,), in float64."""
    cdef lanes.mode saved = lanes.enter_mode()
    cdef double result = sums.total(<REAL*>cnp.PyArray_DATA(a), len(a))
    lanes.leave_mode(saved)
    return result


def norm(a):
    """The Euclidean norm of a (n,), in float64."""
    cdef const REAL* x = <REAL*>cnp.PyArray_DATA(a)
    cdef lanes.mode saved = lanes.enter_mode()
    cdef double squares = sums.dot(x, x, len(a))
    cdef double result = root(squares) if 1e-280 < squares < 1e280 else sums.norm(x, len(a))
    lanes.leave_mode(saved)
    return result


def scale(a, double by):
    """Multiply a (n,) by `by`, which is rounded to REAL first, in place."""
    cdef REAL* x = <REAL*>cnp.PyArray_DATA(a)
    cdef long i = 0, n = len(a)
    cdef lanes.mode saved = lanes.enter_mode()
    while i < n:
        store_part(x + i, load_part(x + i, n - i) * splat(by), n - i)
        i += LANES
    lanes.leave_mode(saved)


def clamp(a, double most):
    """Clip each number of a (n,) to -most .. most, in place; NaN stays NaN."""
    cdef REAL* x = <REAL*>cnp.PyArray_DATA(a)
    cdef long i = 0, n = len(a)
    cdef lanes.mode saved = lanes.enter_mode()
    while i < n:
        store_part(x + i, max_(splat(-most), min_(splat(most), load_part(x + i, n - i))), n - i)
        i += LANES
    lanes.leave_mode(saved)


def add(a, b):
    """Add b (n,) to a (n,) in place."""
    cdef REAL* x = <REAL*>cnp.PyArray_DATA(a)
    cdef const REAL* y = <REAL*>cnp.PyArray_DATA(b)
    cdef long i = 0, n = len(a)
    cdef lanes.mode saved = lanes.enter_mode()
    while i < n:
        store_part(x + i, load_part(x + i, n - i) + load_part(y + i, n - i), n - i)
        i += LANES
    lanes.leave_mode(saved)


def sgd(theta, grad, v, double lr, double momentum):
    """v = momentum v + grad; theta = theta - lr v; all (n,), v and theta in place."""
    cdef REAL* w = <REAL*>cnp.PyArray_DATA(theta)
    cdef const REAL* g = <REAL*>cnp.PyArray_DATA(grad)
    cdef REAL* velocity = <REAL*>cnp.PyArray_DATA(v)
    cdef long i = 0, n = len(theta)
    cdef lanes.mode saved = lanes.enter_mode()
    while i < n:
        sgd_lanes(w + i, g + i, velocity + i, n - i, lr, momentum)
        i += LANES
    lanes.leave_mode(saved)


cdef inline void sgd_lanes(REAL* theta, const REAL* grad, REAL* v, long n, double lr, double momentum) noexcept nogil:
    cdef vec now = flush(fma(splat(momentum), load_part(v, n), load_part(grad, n)))
    store_part(v, now, n)
    store_part(theta, fma(splat(-lr), now, load_part(theta, n)), n)


cdef struct Adam:
    double beta1, beta2, rate, spread, eps


def adam(theta, grad, moments, betas, double rate, double spread, double eps):
    """m = beta1 m + (1 - beta1) grad; v = beta2 v + (1 - beta2) grad^2; theta = theta - rate m / (sqrt(spread v) + eps).

    moments is (m, v), betas is (beta1, beta2). All arrays are (n,); m, v and theta change in place. rate = lr / (1 - beta1^t) and
    spread = 1 / (1 - beta2^t) undo the moments' start at 0.
    """
    cdef REAL* w = <REAL*>cnp.PyArray_DATA(theta)
    cdef const REAL* g = <REAL*>cnp.PyArray_DATA(grad)
    cdef REAL* first = <REAL*>cnp.PyArray_DATA(moments[0])
    cdef REAL* second = <REAL*>cnp.PyArray_DATA(moments[1])
    cdef Adam constants = Adam(betas[0], betas[1], rate, spread, eps)
    cdef long i = 0, n = len(theta)
    cdef lanes.mode saved = lanes.enter_mode()
    while i < n:
        adam_lanes(&constants, w + i, g + i, first + i, second + i, n - i)
        i += LANES
    lanes.leave_mode(saved)


cdef inline void adam_lanes(const Adam* k, REAL* theta, const REAL* grad, REAL* m, REAL* v, long n) noexcept nogil:
    cdef vec g = load_part(grad, n)
    cdef vec mean = flush(fma(splat(k.beta1), load_part(m, n), splat(1 - k.beta1) * g))
    cdef vec square = flush(fma(splat(k.beta2), load_part(v, n), splat(1 - k.beta2) * g * g))
    cdef vec step = splat(k.rate) * mean / (lanes.sqrt(square * splat(k.spread)) + splat(k.eps))
    store_part(m, mean, n)
    store_part(v, square, n)
    store_part(theta, load_part(theta, n) - step, n)
