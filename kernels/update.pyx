"""Operations on one flat vector, for Python: its sum and norm, scaling, clipping, adding, tanh, and the steps of the optimizers.

REAL is the dtype of this build.
"""

cimport numpy as cnp

cimport kernels.lanes as lanes
cimport kernels.sums as sums
cimport kernels.vectors as vectors
from kernels.lanes cimport REAL

cnp.import_array()


cdef inline REAL* data(array) noexcept:
    return <REAL*>cnp.PyArray_DATA(array)


def total(a):
    """The sum of a (n,), in float64."""
    cdef lanes.mode saved = lanes.enter_mode()
    cdef double result = sums.total(data(a), len(a))
    lanes.leave_mode(saved)
    return result


def norm(a):
    """The Euclidean norm of a (n,), in float64."""
    cdef lanes.mode saved = lanes.enter_mode()
    cdef double result = vectors.norm(data(a), len(a))
    lanes.leave_mode(saved)
    return result


def scale(a, double by):
    """Multiply a (n,) by `by`, which is rounded to REAL first, in place."""
    cdef lanes.mode saved = lanes.enter_mode()
    vectors.scale(data(a), len(a), by)
    lanes.leave_mode(saved)


def clamp(a, double most):
    """Clip each number of a (n,) to -most .. most, in place; NaN stays NaN."""
    cdef lanes.mode saved = lanes.enter_mode()
    vectors.clamp(data(a), len(a), most)
    lanes.leave_mode(saved)


def add(a, b):
    """Add b (n,) to a (n,) in place."""
    cdef lanes.mode saved = lanes.enter_mode()
    vectors.add(data(a), data(b), len(a))
    lanes.leave_mode(saved)


def take_tanh(a):
    """Replace a (n,) by its tanh."""
    cdef lanes.mode saved = lanes.enter_mode()
    vectors.take_tanh(data(a), len(a))
    lanes.leave_mode(saved)


def tanh_back(y, d):
    """Multiply d (n,) by 1 - y^2, in place."""
    cdef lanes.mode saved = lanes.enter_mode()
    vectors.tanh_back(data(y), data(d), len(d))
    lanes.leave_mode(saved)


def sgd(theta, grad, v, double lr, double momentum):
    """v = momentum v + grad; theta = theta - lr v; all (n,), v and theta in place."""
    cdef lanes.mode saved = lanes.enter_mode()
    vectors.sgd(data(theta), data(grad), data(v), len(theta), lr, momentum)
    lanes.leave_mode(saved)


def adam(theta, grad, moments, betas, double rate, double spread, double eps):
    """m = beta1 m + (1 - beta1) grad; v = beta2 v + (1 - beta2) grad^2; theta = theta - rate m / (sqrt(spread v) + eps).

    moments is (m, v), betas is (beta1, beta2). All arrays are (n,); m, v and theta change in place. rate = lr / (1 - beta1^t) and
    spread = 1 / (1 - beta2^t) undo the moments' start at 0.
    """
    cdef vectors.Adam constants = vectors.Adam(betas[0], betas[1], rate, spread, eps)
    cdef lanes.mode saved = lanes.enter_mode()
    vectors.adam(&constants, data(theta), data(grad), data(moments[0]), data(moments[1]), len(theta))
    lanes.leave_mode(saved)
