"""Class Stepper: a layer that runs one step at a time."""

import numpy as np

from kernels import checks


class Stepper:
    """A forward layer that is given one step at a time, and keeps its states in between. `RNN.stepper` makes it.

    Notes
    -----
    Its weights are copied and packed once, so a step costs little more than its arithmetic. The outputs have the bits of
    RNN.forward over all the steps. It runs on one thread, and in one Python thread at a time.
    """

    def __init__(self, layer, theta, rows, state):
        if layer.direction != "forward":
            raise ValueError(f"direction: expected 'forward', for a layer that goes step by step, got {layer.direction!r}")
        theta = checks.array("theta", theta, (layer.dtype,), (layer.size,))
        rows = checks.whole("rows", rows)
        self._shape, self._dtype, self._loop, self._names = (rows, layer.inputs), layer.dtype, layer._loop, layer.cell.states
        self._states = layer._states("state", state, rows)      # (S, 1, B, H)
        self._x, self._y = np.zeros((1, rows, layer.inputs), layer.dtype), np.zeros((1, rows, layer.units), layer.dtype)
        self._recurrence = layer._recurrence(1, rows, False)
        self._recurrence.place(np.empty(self._recurrence.size, np.uint8))
        self._recurrence.bind_batch(self._x, np.ones(rows, np.int32))
        self._recurrence.bind_output(self._y)
        self._recurrence.pack(theta, False)
        self._recurrence.begin(0, 1)

    def __reduce_ex__(self, _):
        raise TypeError("stepper: it cannot be copied or pickled, since its buffers have one owner; make another from its state")

    def __call__(self, x):
        """y (B, H) of the next step, from its x (B, I)."""
        self._x[0] = checks.fits("x", x, (self._dtype,), self._shape)
        self._recurrence.write_states(self._states[:, 0])
        self._loop.forward([self._recurrence], [(0, 1)], 1)
        self._recurrence.read_states(self._states[:, 0])
        return self._y[0].copy()

    @property
    def state(self):
        """{name: (1, B, H)}, the states after the last step: an initial state for RNN.forward or another stepper."""
        return {name: states.copy() for name, states in zip(self._names, self._states)}
