"""An affine map of the input of each step: x E + e."""

from functools import partial

import kernels
from study.nets.module import Gradient, Module, places


class Embedding(Module):
    """I inputs to `width` numbers at each step of each row. E is (I, width), e (width,)."""

    def __init__(self, inputs, width, dtype):
        self.affine = kernels.Readout(inputs, width, dtype=dtype)
        self.shapes, self.size, self.width = self.affine.shapes, self.affine.size, width

    def init(self, seed, prefix, how):
        return self.affine.init(seed, f"{prefix}embedding")

    def forward(self, theta, x, batch, tape=True):
        """(T, B, I) to (T, B, width)."""
        y = self.affine.forward(theta, places(x))
        return y.reshape(*x.shape[:2], self.width), x

    def backward(self, theta, tape, dy, wanted):
        d_theta, dx = self.affine.backward(theta, places(tape), places(dy))
        return Gradient(d_theta, dx.reshape(tape.shape))

    def stepper(self, theta, rows):
        return partial(self.affine.forward, theta)

    def compile(self, training, x, at, truncated):
        return training.affine(x, self.affine, at)
