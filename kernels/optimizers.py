"""Sums, clipping and optimizers over one flat vector, for float32 and float64."""

import copy
import math
from types import SimpleNamespace

import numpy as np

from kernels import checks
from kernels.processor import build

_update = {dtype: build("update", dtype.name) for dtype in checks.FLOATS}


def total(a):
    """The sum of a (n,), float32 or float64, as a float.

    Notes
    -----
    16 partial sums in float64, by index mod 16, are combined 8-4-2-1.
    """
    a = checks.array("a", a, checks.FLOATS, ("n",))
    return _update[a.dtype].total(a)


def clip_by_norm(grad, max_norm=None):
    """Scale grad in place so that its Euclidean norm is at most max_norm, to rounding; return the norm before, a float.

    Parameters
    ----------
    grad : (n,), float32 or float64
        It stays as it is unless its norm is above max_norm and finite.
    max_norm : float, 0 or more, or None
        With None or infinity grad is never scaled.

    Notes
    -----
    The norm is computed in float64, whatever grad's dtype, and the factor is max_norm / norm. torch.nn.utils.clip_grad_norm_
    multiplies by max_norm / (norm + 1e-6), which leaves the result a little below max_norm, and by NaN where the norm is NaN.
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


class _Optimizer:
    """What the optimizers share: their size, rate and dtype, and the checks before a step."""

    size, dtype, lr = checks.Fixed(), checks.Fixed(), checks.Number()

    def __init__(self, size, lr, dtype):
        self.size, self.dtype = checks.whole("size", size), checks.dtype("dtype", dtype)
        self.lr = lr

    def __copy__(self):
        return copy.deepcopy(self)      # both would move the same moments

    def _zeros(self):
        return np.zeros(self.size, self.dtype)

    def _changed(self, **arrays):
        return [checks.changed(name, a, (self.dtype,), (self.size,)) for name, a in arrays.items()]

    def _compiled(self, theta):
        """What compiled steps read of the optimizer, after a check of theta; they change the arrays and the powers."""
        raise NotImplementedError

    def _stepped(self, compiled):
        """Take over what compiled steps changed besides arrays."""

    def _read(self, grad):
        return checks.array("grad", grad, (self.dtype,), (self.size,))


class SGD(_Optimizer):
    """v = momentum v + g; theta = theta - lr v. A velocity below 2^-100 (float64: 2^-1000) becomes +0.

    As torch.optim.SGD without dampening or Nesterov momentum.

    Parameters
    ----------
    size : int
        Length of theta.
    lr : float, 0 or more
    momentum : float in [0, 1)
    dtype : "float32" or "float64"

    Attributes
    ----------
    lr, momentum : float
        They may be changed between steps.
    v : (size,)
    """

    momentum = checks.Number(below=1)

    def __init__(self, size, lr, momentum=0.0, dtype="float32"):
        super().__init__(size, lr, dtype)
        self.momentum, self.v = momentum, self._zeros()

    def step(self, theta, grad):
        """Move theta (size,) in place against grad (size,)."""
        theta, v = self._changed(theta=theta, v=self.v)
        _update[self.dtype].sgd(theta, self._read(grad), v, self.lr, self.momentum)

    def _compiled(self, theta):
        _, v = self._changed(theta=theta, v=self.v)
        return SimpleNamespace(lr=self.lr, momentum=self.momentum, v=v, m=None, beta1=0, beta2=0, eps=0, power1=1, power2=1)


class Adam(_Optimizer):
    """Adam: theta = theta - lr m^ / (sqrt(v^) + eps), by algorithm 1 of Kingma & Ba 2015.

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
    lr, beta1, beta2, eps : float
        They may be changed between steps.
    m, v : (size,)
    """

    beta1, beta2, eps = checks.Number(below=1), checks.Number(below=1), checks.Number()

    def __init__(self, size, lr, beta1=0.9, beta2=0.999, eps=1e-8, dtype="float32"):
        super().__init__(size, lr, dtype)
        self.beta1, self.beta2, self.eps = beta1, beta2, eps
        self.m, self.v = self._zeros(), self._zeros()
        self._power1 = self._power2 = 1.0

    def step(self, theta, grad):
        """Move theta (size,) in place against grad (size,)."""
        theta, m, v = self._changed(theta=theta, m=self.m, v=self.v)
        grad = self._read(grad)
        self._power1 *= self.beta1
        self._power2 *= self.beta2
        rate, spread = self.lr / (1 - self._power1), 1 / (1 - self._power2)
        _update[self.dtype].adam(theta, grad, (m, v), (self.beta1, self.beta2), rate, spread, self.eps)

    def _compiled(self, theta):
        _, m, v = self._changed(theta=theta, m=self.m, v=self.v)
        return SimpleNamespace(lr=self.lr, momentum=0, v=v, m=m, beta1=self.beta1, beta2=self.beta2, eps=self.eps, power1=self._power1,
                               power2=self._power2)

    def _stepped(self, compiled):
        self._power1, self._power2 = compiled.power1, compiled.power2
