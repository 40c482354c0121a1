"""A recurrent layer of any cell, in one direction or both, with the merge of both directions."""

import kernels
from study.nets.module import Gradient, Layer, Module


class Recurrent(Module):
    """kernels.RNN as a module; the parameters are those of that class."""

    def __init__(self, made_of, inputs, dtype):
        units, direction, merge = made_of.units, made_of.direction, made_of.merge
        self.layer = kernels.RNN(made_of.cell, inputs, units, direction, merge, dtype, made_of.block)
        self.shapes, self.size = self.layer.shapes, self.layer.size
        self.width = 2 * units if direction == "both" and merge == "concat" else units

    def init(self, seed, prefix, how):
        return self.layer.init(seed, **how.of_layer(self.layer.cell), prefix=prefix)

    def forward(self, theta, x, batch, tape=True):
        """(T, B, inputs) to (T, B, width); outputs past a row's length are 0."""
        y, tape, _ = self.carry(theta, x, batch, None, tape)
        return y, tape

    def carry(self, theta, x, batch, states, tape=True):
        """As `forward`, from states {name: (D, B, H)}, 0 for None: (output, tape, states at the end of each row)."""
        out = self.layer.forward(theta, x, lengths=batch.lengths, state=states, threads=1, tape=tape)
        return out.y, (x, out.tape), out.state

    def backward(self, theta, tape, dy, wanted):
        grad = self.layer.backward(tape[1], dy, inputs=wanted.inputs, norms=wanted.norms, truncated=wanted.truncated)
        return Gradient(grad.theta, grad.x, (grad.norms,) if wanted.norms else ())

    def layers(self, tape, at):
        return [Layer(self.layer, slice(at, at + self.size), *tape)]

    def stepper(self, theta, rows):
        return self.layer.stepper(theta, rows)

    def compile(self, training, x, at, truncated):
        return training.recurrent(x, self.layer, at, truncated)
