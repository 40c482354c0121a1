"""A net: a recurrent layer, a read-out at one step of each row, a loss; forward and backward of the whole.

All weights of a net are one flat vector, the layer's first and the read-out's after them, so that clipping and the optimizer
see one array. Letters: T steps, B rows, H units, K outputs.
"""

from dataclasses import dataclass

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
    read, steps, tape : the step it saw in each row; T; the layer's tape
    """

    loss: np.ndarray
    output: np.ndarray
    do: np.ndarray
    h: np.ndarray
    read: np.ndarray
    steps: int
    tape: object


class Net:
    """One recurrent layer read at one step a row.

    Parameters
    ----------
    task : study.tasks.Task, for I, K and the kind of loss
    cell, units, direction, merge, dtype : as in kernels.RNN
    """

    def __init__(self, task, cell, units, direction="forward", merge="concat", dtype="float32"):
        self.kind = task.kind
        self.cell = kernels.CELLS[cell]
        self.layer = kernels.RNN(cell, task.inputs, units, direction=direction, merge=merge, dtype=dtype)
        self.width = 2 * units if direction == "both" and merge == "concat" else units
        self.readout = kernels.Readout(self.width, task.outputs, dtype=dtype)
        self.size = self.layer.size + self.readout.size
        self.dtype = np.dtype(dtype)
        self._buffer = np.zeros(0, self.dtype)

    def init(self, seed, family, horizon=None):
        """Initial weights (size,) of an initialisation family, by (seed, parameter name).

        "standard": uniform +-1/sqrt(H), forget bias 1. "long": orthogonal U where the cell has no gate, else chrono (Tallec &
        Ollivier 2018) with T_max = horizon, whatever the gap.
        """
        if family == "standard":
            layer = self.layer.init(seed, scheme="uniform", forget_bias=1.0)
        elif self.cell.retains:
            layer = self.layer.init(seed, scheme="uniform", chrono=horizon)
        else:
            layer = self.layer.init(seed, scheme="orthogonal")
        return np.concatenate([layer, self.readout.init(seed)])

    def split(self, theta):
        """(layer's, read-out's) views of a flat vector."""
        return theta[: self.layer.size], theta[self.layer.size :]

    def forward(self, theta, batch, tape=True):
        """The Pass of a study.tasks.Batch."""
        layer, readout = self.split(theta)
        x = batch.x.astype(self.dtype, copy=False)
        out = self.layer.forward(layer, x, lengths=batch.lengths, threads=1, tape=tape)
        h = out.y[batch.read, np.arange(len(batch.read))]
        o = self.readout.forward(readout, h)
        if self.kind == "class":
            loss, output, do = kernels.cross_entropy(o, batch.target)
        else:
            loss, do = kernels.squared_error(o, batch.target.astype(self.dtype, copy=False))
            output = o
        return Pass(loss, output, do, h, batch.read, len(x), out.tape)

    def backward(self, theta, forward, norms=False, truncated=False):
        """The gradient (size,) of a Pass's mean loss, and `norms` of kernels.RNN.backward where they are asked for (else None).

        norms, truncated : as in kernels.RNN.backward
        """
        d_readout, dh = self.readout.backward(self.split(theta)[1], forward.h, forward.do)
        dy = self._zeros(forward.steps, len(dh))
        at_read = forward.read, np.arange(len(dh))
        dy[at_read] = dh
        grad = self.layer.backward(forward.tape, dy=dy, inputs=False, norms=norms, truncated=truncated)
        dy[at_read] = 0
        return np.concatenate([grad.theta, d_readout]), grad.norms if norms else None

    def _zeros(self, T, B):
        """(T, B, width) of a buffer that is 0 between passes: a pass writes to B of its T * B places, and clears those."""
        size = T * B * self.width
        if len(self._buffer) < size:
            self._buffer = np.zeros(size, self.dtype)
        return self._buffer[:size].reshape(T, B, self.width)


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
