"""The affine readout, tanh and the losses, for float32 and float64. B rows, K outputs."""

import numpy as np

from kernels import checks
from kernels.initial import uniform
from kernels.processor import build, threads as available_threads

_readout = {dtype: build("readout", dtype.name) for dtype in checks.FLOATS}
_update = {dtype: build("update", dtype.name) for dtype in checks.FLOATS}


class Readout:
    """o = h V + v.

    Parameters
    ----------
    inputs, outputs : int
        1 or more.
    dtype : "float32" or "float64"

    Attributes
    ----------
    inputs, outputs, dtype
        As given, dtype as NumPy's; fixed, as all attributes.
    shapes : {"V": (inputs, outputs), "v": (outputs,)}
        Each reading gives a new dict.
    size : int
        The number of parameters.

    Notes
    -----
    Each number is one fma chain from index 0 upwards: o starts at v and runs over the inputs, dh runs over the outputs, dV and dv
    run over the rows.
    """

    inputs, outputs, dtype, size = (checks.Fixed() for _ in range(4))
    shapes = checks.FixedDict()

    def __init__(self, inputs, outputs, dtype="float32"):
        self.inputs, self.outputs = checks.whole("inputs", inputs), checks.whole("outputs", outputs)
        self.dtype = checks.dtype("dtype", dtype)
        self.shapes = {"V": (self.inputs, self.outputs), "v": (self.outputs,)}
        self.size = self.inputs * self.outputs + self.outputs

    def __reduce__(self):
        return type(self), (self.inputs, self.outputs, self.dtype.name)

    def init(self, seed, name="readout"):
        """theta (size,), uniform in +-1/sqrt(inputs); each parameter has its stream ("weights", seed, name/parameter)."""
        seed = checks.whole("seed", seed, least=0)
        theta = np.empty(self.size, self.dtype)
        uniform(self.view(theta), seed, name, 1 / float(np.sqrt(self.inputs)))
        return theta

    def view(self, theta):
        """{name: view into theta (size,)}; theta may have either dtype."""
        theta = checks.fits("theta", theta, checks.FLOATS, (self.size,))
        return dict(zip(self.shapes, self._parts(theta)))

    def forward(self, theta, h, threads=1):
        """Outputs o (B, outputs) of theta (size,) and h (B, inputs). The threads, None for all, change no bit."""
        V, v = self._weights(theta)
        h = checks.array("h", h, (self.dtype,), ("B", self.inputs))
        o = np.empty((len(h), self.outputs), self.dtype)
        self._product(h, V, v, o, threads)
        return o

    def backward(self, theta, h, do, threads=1):
        """Gradients with respect to theta (size,) and h (B, inputs), from h (B, inputs) and do (B, outputs)."""
        V, _ = self._weights(theta)
        h = checks.array("h", h, (self.dtype,), ("B", self.inputs))
        do = checks.array("do", do, (self.dtype,), (len(h), self.outputs))
        grad, dh = np.empty(self.size, self.dtype), np.empty_like(h)
        rows = np.empty((len(h), self.inputs + 1), self.dtype)
        rows[:, :-1], rows[:, -1] = h, 1        # v lies behind V: it is the row of an input that is always 1
        self._product(rows.T, do, None, grad.reshape(self.inputs + 1, self.outputs), threads)
        self._product(do, V.T, None, dh, threads)
        return grad, dh

    def _product(self, a, b, start, out, threads):
        _readout[self.dtype].product(a, b, start, out, available_threads(threads))

    def _weights(self, theta):
        return self._parts(checks.array("theta", theta, (self.dtype,), (self.size,)))

    def _parts(self, theta):
        return theta[: -self.outputs].reshape(self.shapes["V"]), theta[-self.outputs :]


def tanh(a):
    """tanh of each number of a (M, N), float32 or float64."""
    y = checks.array("a", a, checks.FLOATS, ("M", "N")).copy()
    _update[y.dtype].take_tanh(y.reshape(-1))
    return y


def tanh_gradient(y, dy):
    """dy (1 - y^2), the gradient with respect to x of y = tanh(x); both (M, N). Below 2^-100 (float64: 2^-1000) it is +0."""
    y = checks.array("y", y, checks.FLOATS, ("M", "N"))
    dx = checks.array("dy", dy, (y.dtype,), y.shape).copy()
    _update[y.dtype].tanh_back(y.reshape(-1), dx.reshape(-1))
    return dx


def product(a, b):
    """The matrix product a b (M, N) of a (M, R) and b (R, N), which have one dtype.

    Notes
    -----
    Each number is one fma chain over r, ascending, from +0.
    """
    a = checks.array("a", a, checks.FLOATS, ("M", "R"))
    b = checks.array("b", b, (a.dtype,), (a.shape[1], "N"))
    out = np.empty((a.shape[0], b.shape[1]), a.dtype)
    _readout[a.dtype].product(a, b, None, out, 1)
    return out


def cross_entropy(o, labels):
    """Cross-entropy of a softmax.

    Parameters
    ----------
    o : (B, K), float32 or float64
        Logits.
    labels : (B,), integers 0..K-1

    Returns
    -------
    loss : (B,)
        -log p[label] of each row, natural logarithm, in o's dtype as all results.
    p : (B, K)
        softmax(o), computed from o minus the row's maximum.
    do : (B, K)
        (p - onehot) / B: the gradient of the mean loss. Below 2^-100 (float64: 2^-1000) it is +0.
    """
    o = checks.array("o", o, checks.FLOATS, ("B", "K"))
    labels = checks.integers("labels", labels, (len(o),))
    return _readout[o.dtype].cross_entropy(o, labels.astype(np.int64, copy=False))


def squared_error(o, target):
    """Mean squared error.

    Parameters
    ----------
    o, target : (B, K), both float32 or both float64

    Returns
    -------
    loss : (B,)
        sum_k (o - target)^2 / K of each row, in o's dtype.
    do : (B, K)
        2 (o - target) / (K B): the gradient of the mean loss.
    """
    o = checks.array("o", o, checks.FLOATS, ("B", "K"))
    target = checks.array("target", target, (o.dtype,), o.shape)
    return _readout[o.dtype].squared_error(o, target)


def sigmoid_error(o, target):
    """Mean squared error of a sigmoid.

    Parameters
    ----------
    o, target : (B, K), both float32 or both float64

    Returns
    -------
    loss : (B,)
        sum_k (p - target)^2 / K of each row, in o's dtype as all results.
    p : (B, K)
        sigmoid(o).
    do : (B, K)
        2 (p - target) / (K B) p (1 - p): the gradient of the mean loss. Below 2^-100 (float64: 2^-1000) it is +0.
    """
    o = checks.array("o", o, checks.FLOATS, ("B", "K"))
    target = checks.array("target", target, (o.dtype,), o.shape)
    return _readout[o.dtype].sigmoid_error(o, target)


def binary_cross_entropy(o, target):
    """Cross-entropy of sigmoids, each against a number of its own.

    Parameters
    ----------
    o, target : (B, K), both float32 or both float64
        Logits, and numbers from 0 to 1.

    Returns
    -------
    loss : (B,)
        -sum_k (target log(p) + (1 - target) log(1 - p)) of each row, natural logarithms, in o's dtype as all results.
    p : (B, K)
        sigmoid(o).
    do : (B, K)
        (p - target) / B: the gradient of the mean loss. Below 2^-100 (float64: 2^-1000) it is +0.
    """
    o = checks.array("o", o, checks.FLOATS, ("B", "K"))
    target = checks.array("target", target, (o.dtype,), o.shape)
    return _readout[o.dtype].binary_cross_entropy(o, probabilities(target))


def probabilities(target):
    """The array, if its numbers are from 0 to 1."""
    wrong = ~((target >= 0) & (target <= 1))
    if wrong.any():
        raise ValueError(f"target: expected numbers from 0 to 1, got {target[wrong][0]}")
    return target
