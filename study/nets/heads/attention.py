"""The head that looks at other steps, too: o = tanh([c, s] C + k) V + v, where c weighs their states by how they score against s.

s is the state of the step at which the answer is read; kernels.Attention has the scores, and which steps an answer sees. Bahdanau,
Cho & Bengio 2015; Luong, Pham & Manning 2015, with biases behind C and V.
"""

import numpy as np

import kernels
from study.nets.module import Gradient, Module


class Head(Module):
    """inputs numbers to outputs. C is (2 inputs, inputs), k (inputs,), V (inputs, outputs), v (outputs,)."""

    def __init__(self, inputs, outputs, made_of, dtype):
        self.attention = kernels.Attention(inputs, made_of.attention, made_of.direction, dtype=dtype)
        self.mixed = kernels.Readout(2 * inputs, inputs, dtype=dtype)
        self.affine = kernels.Readout(inputs, outputs, dtype=dtype)
        self.width, self.shapes, self.slices, self.size = outputs, {}, [], 0
        for name, part in zip(("attention", "mix", "readout"), (self.attention, self.mixed, self.affine)):
            self.shapes |= {f"{name}/{key}": shape for key, shape in part.shapes.items()}
            self.slices.append(slice(self.size, self.size + part.size))
            self.size += part.size

    def init(self, seed, prefix, how):
        parts = (self.attention, "attention"), (self.mixed, "mix"), (self.affine, "readout")
        return np.concatenate([part.init(seed, f"{prefix}{name}") for part, name in parts])

    def forward(self, theta, x, batch, tape=True):
        """(T, B, inputs) to (P, outputs)."""
        scoring, mix, out = (theta[part] for part in self.slices)
        seen, looked, _ = self.attention.forward(scoring, x, batch.lengths, batch.places())
        y = kernels.tanh(self.mixed.forward(mix, seen))
        return self.affine.forward(out, y), (looked, seen, y)

    def backward(self, theta, tape, dy, wanted):
        (looked, seen, y), (scoring, mix, out) = tape, (theta[part] for part in self.slices)
        d_out, d = self.affine.backward(out, y, dy)
        d_mix, d = self.mixed.backward(mix, seen, kernels.tanh_gradient(y, d))
        d_scoring, dx = self.attention.backward(scoring, looked, d)
        return Gradient(np.concatenate([d_scoring, d_mix, d_out]), dx)

    def stepper(self, theta, rows):
        """As Module.stepper; each step attends to all steps before it, so its cost grows."""
        (scoring, mix, out), states = (theta[part] for part in self.slices), []

        def step(x):
            states.append(x)
            T = len(states)
            here = (T - 1) * rows + np.arange(rows)
            seen, *_ = self.attention.forward(scoring, np.stack(states), np.full(rows, T), here)
            return self.affine.forward(out, kernels.tanh(self.mixed.forward(mix, seen)))

        return step

    def compile(self, training, x, at, truncated):
        scoring, mix, out = (at + part.start for part in self.slices)
        y = training.affine(training.attention(x, self.attention, scoring), self.mixed, mix)
        return training.affine(training.tanh(y), self.affine, out)

    def alpha(self, theta, x, batch):
        """(P, T): how each answer weighs the steps of its row."""
        *_, alpha = self.attention.forward(theta[self.slices[0]], x, batch.lengths, batch.places(), record=True)
        return alpha
