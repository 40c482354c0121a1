"""Sums, clipping and optimizers over one flat vector, for float32 and float64."""

import math

import numpy as np

from kernels import checks
from kernels.processor import build

_update = {dtype: build("update", dtype.name) for dtype in checks.FLOATS}


def total(a):
    """The sum of a 1-d array of float32 or float64, as a float: 16 partial sums in float64, by index mod 16, combined 8-4-2-1."""
    a = checks.array("a", a, checks.FLOATS, ("n",))
    return _update[a.dtype].total(a)


def clip_by_norm(grad, max_norm=None):
    """Scales grad in place so that its Euclidean norm is at most max_norm, to rounding; the norm that it had, a float.

    Parameters
    ----------
    grad : (n,), float32 or float64
        Left alone unless its norm is above max_norm and finite.
    max_norm : float, 0 or more, or None
        None and infinity only measure.

    Notes
    -----
    The norm is computed in float64, whatever grad's dtype, and the factor is max_norm / norm. torch.nn.utils.clip_grad_norm_
    multiplies by max_norm / (norm + 1e-6), which leaves the result a little short of max_norm, and by NaN where the norm is.
    """
    grad = checks.changed("grad", grad, checks.FLOATS, ("n",))
    limit = math.inf if max_norm is None or max_norm == math.inf else checks.number("max_norm", max_norm, 0)
    norm = _update[grad.dtype].norm(grad)
    if limit < norm < math.inf:
        _update[grad.dtype].scale(grad, limit / norm)
    return norm


def clip_by_value(grad, most):
    """Bring each number of grad into -most .. most, in place; NaN stays.

    Parameters
    ----------
    grad : (n,), float32 or float64
    most : float, 0 or more
        Rounded to grad's dtype.
    """
    grad = checks.changed("grad", grad, checks.FLOATS, ("n",))
    _update[grad.dtype].clamp(grad, checks.number("most", most, 0))


class SGD:
    """v = momentum v + g; theta = theta - lr v. A velocity below 2^-100 (float64: 2^-1000) becomes +0.

    As torch.optim.SGD without dampening or Nesterov.

    Parameters
    ----------
    size : int
        Length of theta.
    lr : float, 0 or more
    momentum : float in [0, 1)
    dtype : "float32" or "float64"

    Attributes
    ----------
    lr : float
        May be changed between steps.
    v : (size,)
    """

    def __init__(self, size, lr, momentum=0.0, dtype="float32"):
        self.size, self.dtype = checks.whole("size", size), checks.dtype("dtype", dtype)
        self.lr, self.momentum = checks.number("lr", lr, 0), checks.number("momentum", momentum, 0, 1)
        self.v = np.zeros(self.size, self.dtype)

    def step(self, theta, grad):
        """Moves theta (size,) in place against grad (size,)."""
        checks.changed("theta", theta, (self.dtype,), (self.size,))
        grad = checks.array("grad", grad, (self.dtype,), (self.size,))
        _update[self.dtype].sgd(theta, grad, self.v, self.lr, self.momentum)


class Adam:
    """Kingma & Ba 2015, algorithm 1: theta = theta - lr m^ / (sqrt(v^) + eps).

    m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g^2, m^ = m / (1 - beta1^t), v^ = v / (1 - beta2^t); the powers are
    running products in float64. An m or v below 2^-100 (float64: 2^-1000) becomes +0.

    Parameters
    ----------
    size : int
        Length of theta.
    lr : float, 0 or more
    beta1, beta2 : float in [0, 1)
    eps : float, 0 or more
    dtype : "float32" or "float64"

    Attributes
    ----------
    lr : float
        May be changed between steps.
    m, v : (size,)
    """

    def __init__(self, size, lr, beta1=0.9, beta2=0.999, eps=1e-8, dtype="float32"):
        self.size, self.dtype = checks.whole("size", size), checks.dtype("dtype", dtype)
        self.lr, self.eps = checks.number("lr", lr, 0), checks.number("eps", eps, 0)
        self.beta1, self.beta2 = checks.number("beta1", beta1, 0, 1), checks.number("beta2", beta2, 0, 1)
        self.m, self.v = np.zeros(self.size, self.dtype), np.zeros(self.size, self.dtype)
        self._power1 = self._power2 = 1.0

    def step(self, theta, grad):
        """Moves theta (size,) in place against grad (size,)."""
        checks.changed("theta", theta, (self.dtype,), (self.size,))
        grad = checks.array("grad", grad, (self.dtype,), (self.size,))
        self._power1 *= self.beta1
        self._power2 *= self.beta2
        rate, spread = self.lr / (1 - self._power1), 1 / (1 - self._power2)
        _update[self.dtype].adam(theta, grad, self.m, self.v, self.beta1, self.beta2, rate, spread, self.eps)
