"""A recurrent layer above another one."""

import numpy as np

import kernels
from study.nets.embedding import Embedding
from study.nets.module import Gradient, Module
from study.nets.recurrent import Recurrent


class Upper(Module):
    """A recurrent layer whose input, (T, B, inputs), are the outputs of the layer below.

    Where the cell's equations use their input unit for unit and there are not as many inputs as units, an embedding lies in
    between; its weights follow those of the layer. With the stack "residual", the input is added to the layer's output.
    """

    def __init__(self, made_of, inputs, dtype):
        cell, units = made_of.cell, made_of.units
        self.embedding = Embedding(inputs, units, dtype) if kernels.CELLS[cell].direct and inputs != units else None
        self.recurrent = Recurrent(made_of, units if self.embedding else inputs, dtype)
        self.residual, self.width = made_of.stack == "residual", self.recurrent.width
        self.parts = [part for part in (self.recurrent, self.embedding) if part]
        self.size = sum(part.size for part in self.parts)
        self.shapes = self.recurrent.shapes
        if self.embedding:
            self.shapes |= {f"embedding/{name}": shape for name, shape in self.embedding.shapes.items()}

    def init(self, seed, prefix, how):
        return np.concatenate([part.init(seed, prefix, how) for part in self.parts])

    def forward(self, theta, x, batch, tape=True):
        """(T, B, inputs) to (T, B, width); outputs past a row's length are 0."""
        of_layer, of_embedding = np.split(theta, [self.recurrent.size])
        given, embedded = self.embedding.forward(of_embedding, x, batch, tape) if self.embedding else (x, None)
        y, states = self.recurrent.forward(of_layer, given, batch, tape)
        return y + x if self.residual else y, (embedded, states)

    def backward(self, theta, tape, dy, wanted):
        of_layer, of_embedding = np.split(theta, [self.recurrent.size])
        embedded, states = tape
        d_layer, dx, norms = self.recurrent.backward(of_layer, states, dy, wanted)
        parts = [d_layer]
        if self.embedding:
            d_embedding, dx, _ = self.embedding.backward(of_embedding, embedded, dx, wanted)
            parts.append(d_embedding)
        return Gradient(np.concatenate(parts), dx + dy if self.residual else dx, norms)

    def stepper(self, theta, rows):
        of_layer, of_embedding = np.split(theta, [self.recurrent.size])
        recurrent = self.recurrent.stepper(of_layer, rows)
        embedding = self.embedding.stepper(of_embedding, rows) if self.embedding else None

        def step(x):
            y = recurrent(embedding(x) if embedding else x)
            return y + x if self.residual else y

        return step

    def layers(self, tape, at):
        return self.recurrent.layers(tape[1], at)

    def compile(self, training, x, at, truncated):
        skip = training.fork(x) if self.residual else None
        if self.embedding:
            x = self.embedding.compile(training, x, at + self.recurrent.size, truncated)
        y = self.recurrent.compile(training, x, at, truncated)
        return training.sum(skip, y) if self.residual else y
