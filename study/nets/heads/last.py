"""The head that reads the state of the step at which an answer is due: o = h V + v."""

from functools import partial

import numpy as np

import kernels
from study.nets.module import Gradient, Module, places


class Head(Module):
    """inputs numbers to outputs. V is (inputs, outputs), v (outputs,)."""

    def __init__(self, inputs, outputs, made_of, dtype):
        self.affine = kernels.Readout(inputs, outputs, dtype=dtype)
        self.shapes, self.size, self.width = self.affine.shapes, self.affine.size, outputs
        self._dy, self._written = np.zeros((0, inputs), self.affine.dtype), []

    def init(self, seed, prefix, how):
        return self.affine.init(seed, f"{prefix}readout")

    def forward(self, theta, x, batch, tape=True):
        """(T, B, inputs) to (P, outputs)."""
        at = batch.places()
        h = places(x)[at]
        return self.affine.forward(theta, h), (x.shape, at, h)

    def backward(self, theta, tape, dy, wanted):
        """The gradient with respect to x lasts until the next backward pass of this head."""
        shape, at, h = tape
        d_theta, dh = self.affine.backward(theta, h, dy)
        dx = self._cleared(shape[0] * shape[1])
        dx[at] = dh
        self._written = at
        return Gradient(d_theta, dx.reshape(shape))

    def stepper(self, theta, rows):
        return partial(self.affine.forward, theta)

    def compile(self, training, x, at, truncated):
        return training.affine(training.answers(x), self.affine, at)

    def _cleared(self, size):
        """(size, inputs) zeros. One buffer serves all passes: to clear its P places costs less than to clear T B."""
        if len(self._dy) < size:
            self._dy = np.zeros((size, self._dy.shape[1]), self._dy.dtype)
        else:
            self._dy[self._written] = 0
        return self._dy[:size]
