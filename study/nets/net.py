"""A net: a recurrent layer, a read-out at one step of each row, a loss; forward and backward of the whole.

All weights of a net are one flat vector, the layer's first, then the read-out's, then those of an embedding where there is
one, so that clipping and the optimizer see one array. Letters: T steps, B rows, I inputs, H units, K outputs.
"""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

import kernels


@dataclass(slots=True)
class Pass:
    """What a forward pass leaves to whoever judges it, and to `Net.backward`.

    Attributes
    ----------
    loss : (B,) per row
    output : (B, K), the softmax for a class, the number itself for a number
    do : (B, K), the gradient of the mean loss with respect to the read-out's values
    h : (B, width), what the read-out saw
    at, tape : where it saw that, (B,) of the T * B places of y; the layer's tape
    x : (T, B, I), the task's
    """

    loss: np.ndarray
    output: np.ndarray
    do: np.ndarray
    h: np.ndarray
    at: np.ndarray
    tape: object
    x: np.ndarray


class Net:
    """One recurrent layer read at one step a row; behind an affine embedding I -> H where x enters its cell unit for unit.

    Parameters
    ----------
    task : study.tasks.Task, for I, K and the kind of loss
    cell, units, direction, merge, dtype : as in kernels.RNN
    """

    def __init__(self, task, cell, units, direction="forward", merge="concat", dtype="float32"):
        self.kind = task.kind
        self.knobs = {"cell": cell, "units": units, "direction": direction, "merge": merge}
        self.cell = kernels.CELLS[cell]
        self.embedding = kernels.Readout(task.inputs, units, dtype=dtype) if self.cell.direct else None
        inputs = units if self.embedding else task.inputs
        self.layer = kernels.RNN(cell, inputs, units, direction=direction, merge=merge, dtype=dtype)
        self.width = 2 * units if direction == "both" and merge == "concat" else units
        self.readout = kernels.Readout(self.width, task.outputs, dtype=dtype)
        self.size = self.layer.size + self.readout.size + (self.embedding.size if self.embedding else 0)
        self.dtype = np.dtype(dtype)
        self._buffer = np.zeros(0, self.dtype)

    def init(self, seed, family, horizon=None, scheme="uniform", forget_bias=1.0, chrono=None):
        """Initial weights (size,) of an initialisation family, by (seed, parameter name).

        "standard": `scheme`, `forget_bias` and `chrono` as in kernels.RNN.init, by default uniform +-1/sqrt(H) and forget bias
        1. "long": orthogonal U where the cell has no gate, else uniform with chrono (Tallec & Ollivier 2018) of T_max = horizon,
        whatever the gap.
        """
        if family == "standard":
            layer = self.layer.init(seed, scheme, forget_bias, chrono)
        elif self.cell.retains:
            layer = self.layer.init(seed, scheme="uniform", chrono=horizon)
        else:
            layer = self.layer.init(seed, scheme="orthogonal")
        embedding = [self.embedding.init(seed, "embedding")] if self.embedding else []
        return np.concatenate([layer, self.readout.init(seed), *embedding])

    def parts(self, theta):
        """(layer's, read-out's, embedding's) views of a flat vector; the last is empty where there is none."""
        end = self.layer.size + self.readout.size
        return theta[: self.layer.size], theta[self.layer.size : end], theta[end:]

    def split(self, theta):
        """(layer's, read-out's) views of a flat vector."""
        return self.parts(theta)[:2]

    def embed(self, theta, x):
        """What the layer sees of x (T, B, I): itself, or the embedding of each step of each row (T, B, H)."""
        x = x.astype(self.dtype, copy=False)
        if self.embedding is None:
            return x
        return self._by_row(self.embedding.forward(self.parts(theta)[2], _rows(x)), x)

    def forward(self, theta, batch, tape=True):
        """The Pass of a study.tasks.Batch."""
        layer, readout = self.split(theta)
        out = self.layer.forward(layer, self.embed(theta, batch.x), lengths=batch.lengths, threads=1, tape=tape)
        B = len(batch.read)
        at = batch.read * B + np.arange(B)
        h = _rows(out.y)[at]
        o = self.readout.forward(readout, h)
        if self.kind == "class":
            loss, output, do = kernels.cross_entropy(o, batch.target)
        else:
            loss, do = kernels.squared_error(o, batch.target.astype(self.dtype, copy=False))
            output = o
        return Pass(loss, output, do, h, at, out.tape, batch.x)

    def backward(self, theta, forward, inputs=False, norms=False, truncated=False):
        """Gradients of a Pass's mean loss.

        Parameters
        ----------
        inputs, norms, truncated : as in kernels.RNN.backward

        Returns
        -------
        grad.theta (size,), and where they are asked for (else None) grad.x (T, B, I) and grad.norms of kernels.RNN.backward
        """
        d_readout, dh = self.readout.backward(self.split(theta)[1], forward.h, forward.do)
        dy = self._zeros(len(forward.x), len(dh))
        _rows(dy)[forward.at] = dh
        grad = self.layer.backward(forward.tape, dy, inputs=inputs or bool(self.embedding), norms=norms, truncated=truncated)
        _rows(dy)[forward.at] = 0
        parts, dx = [grad.theta, d_readout], grad.x
        if self.embedding:
            x = forward.x.astype(self.dtype, copy=False)
            d_embedding, dx = self.embedding.backward(self.parts(theta)[2], _rows(x), _rows(grad.x))
            parts, dx = [*parts, d_embedding], self._by_row(dx, x)
        return SimpleNamespace(theta=np.concatenate(parts), x=dx if inputs else None, norms=grad.norms)

    def _zeros(self, T, B):
        """(T, B, width) of a buffer that is 0 between passes: a pass writes to B of its T * B places, and clears those."""
        size = T * B * self.width
        if len(self._buffer) < size:
            self._buffer = np.zeros(size, self.dtype)
        return self._buffer[:size].reshape(T, B, self.width)

    @staticmethod
    def _by_row(rows, x):
        """(T * B, n) as (T, B, n)."""
        return rows.reshape(*x.shape[:2], -1)


def _rows(x):
    """(T, B, n) as (T * B, n)."""
    return x.reshape(-1, x.shape[2])


def equal_units(task, cell, units, direction="forward", merge="concat"):
    """The largest H with which a net has no more weights than the forward lstm of `units`, read-out and merge included.

    Raises
    ------
    ValueError
        Not even H = 1 has as few.
    """
    most = Net(task, "lstm", units).size
    size = 0
    while Net(task, cell, size + 1, direction, merge).size <= most:
        size += 1
    if not size:
        raise ValueError(f"units: a net of {cell} ({direction}) has more weights with one unit than the lstm with {units}")
    return size
