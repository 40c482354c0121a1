"""What happens to one flat vector of numbers: its sum and norm, scaling, adding, and the steps of the optimizers.

Every function makes one pass. REAL is the dtype of this build.
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
    """a (n,) times `by`, rounded to REAL first, in place."""
    cdef REAL* x = <REAL*>cnp.PyArray_DATA(a)
    cdef long i = 0, n = len(a)
    cdef lanes.mode saved = lanes.enter_mode()
    while i < n:
        store_part(x + i, load_part(x + i, n - i) * splat(by), n - i)
        i += LANES
    lanes.leave_mode(saved)


def clamp(a, double most):
    """Each of a (n,) brought into -most .. most, in place; NaN stays."""
    cdef REAL* x = <REAL*>cnp.PyArray_DATA(a)
    cdef long i = 0, n = len(a)
    cdef lanes.mode saved = lanes.enter_mode()
    while i < n:
        store_part(x + i, max_(splat(-most), min_(splat(most), load_part(x + i, n - i))), n - i)
        i += LANES
    lanes.leave_mode(saved)


def add(a, b):
    """a + b, both (n,), into a."""
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


def adam(theta, grad, m, v, double beta1, double beta2, double rate, double spread, double eps):
    """m = beta1 m + (1 - beta1) grad; v = beta2 v + (1 - beta2) grad^2; theta = theta - rate m / (sqrt(spread v) + eps).

    All (n,); m, v and theta in place. rate = lr / (1 - beta1^t) and spread = 1 / (1 - beta2^t) undo the moments' start at 0.
    """
    cdef REAL* w = <REAL*>cnp.PyArray_DATA(theta)
    cdef const REAL* g = <REAL*>cnp.PyArray_DATA(grad)
    cdef REAL* first = <REAL*>cnp.PyArray_DATA(m)
    cdef REAL* second = <REAL*>cnp.PyArray_DATA(v)
    cdef long i = 0, n = len(theta)
    cdef lanes.mode saved = lanes.enter_mode()
    while i < n:
        adam_lanes(w + i, g + i, first + i, second + i, n - i, beta1, beta2, rate, spread, eps)
        i += LANES
    lanes.leave_mode(saved)


cdef inline void adam_lanes(REAL* theta, const REAL* grad, REAL* m, REAL* v, long n, double beta1, double beta2,
                            double rate, double spread, double eps) noexcept nogil:
    cdef vec g = load_part(grad, n)
    cdef vec mean = flush(fma(splat(beta1), load_part(m, n), splat(1 - beta1) * g))
    cdef vec square = flush(fma(splat(beta2), load_part(v, n), splat(1 - beta2) * g * g))
    cdef vec step = splat(rate) * mean / (lanes.sqrt(square * splat(spread)) + splat(eps))
    store_part(m, mean, n)
    store_part(v, square, n)
    store_part(theta, load_part(theta, n) - step, n)
