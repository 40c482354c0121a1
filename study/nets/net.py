"""A net for a task: its modules, its loss, and the forward and the backward pass through all of them."""

import math
from dataclasses import dataclass

import numpy as np

import kernels
from study.nets.embedding import Embedding
from study.nets.grid import Grid
from study.nets.heads import HEADS
from study.nets.initialisation import Initialisation
from study.nets.losses import LOSSES
from study.nets.module import Gradient, Wanted
from study.nets.recurrent import Recurrent
from study.nets.upper import Upper

ORDER = ("recurrent", "head", "embedding")  # of the modules' weights in the flat vector; those of upper layers follow


@dataclass(slots=True)
class Pass:
    """What a forward pass gives to the judge, and to `Net.backward`.

    Attributes
    ----------
    loss : (B,) of each row, the mean over its answers
    output : (P, K), what the net answers, in the order of the batch's answers
    do : (P, K), the gradient of the mean loss over all answers with respect to the outputs of the head
    tapes : {name of a module: its tape}
    """

    loss: np.ndarray
    output: np.ndarray
    do: np.ndarray
    tapes: dict


class Net:
    """Recurrent layers and a head; before the first layer an embedding where the cell's equations use x itself, unit for unit.

    Parameters
    ----------
    task : study.tasks.Task, for I, K and the loss
    made_of : Architecture
    dtype : "float32" or "float64"

    Attributes
    ----------
    modules : {name: Module} in the order of the forward pass
    slices : {name: slice} of a module's weights, in the order in which they lie in the flat vector
    size : weights in all
    layer, cell : the kernels.RNN of the first layer and its Cell
    made_of : its Architecture
    """

    def __init__(self, task, made_of, dtype="float32"):
        self.made_of, units = made_of, made_of.units
        self.loss_name, self.dtype = "sigmoid_error" if made_of.output == "sigmoid" else task.loss, np.dtype(dtype)
        self.loss = LOSSES[self.loss_name].loss
        self.inputs = task.inputs
        self.cell, self.modules = kernels.CELLS[made_of.cell], {}
        width = task.inputs
        grid = made_of.stack == "grid"
        if self.cell.direct or grid:
            self.modules["embedding"] = Embedding(width, units, dtype)
            width = units
        recurrent = Grid(made_of, dtype) if grid else Recurrent(made_of, width, dtype)
        self.modules["recurrent"] = recurrent
        for n in range(1, 1 if grid else made_of.layers):
            self.modules[f"layer{n}"] = Upper(made_of, recurrent.width, dtype)
        self.modules["head"] = HEADS[made_of.head](recurrent.width, task.outputs, made_of, dtype)
        self.layer, self.first = recurrent.layer, next(iter(self.modules))
        self.slices, self.size = {}, 0
        uppers = [name for name in self.modules if name not in ORDER]
        for name in [*(name for name in ORDER if name in self.modules), *uppers]:
            self.slices[name] = slice(self.size, self.size + self.modules[name].size)
            self.size += self.modules[name].size

    def init(self, seed, how=Initialisation()):
        """Initial weights (size,), each parameter from a stream of its own, named by seed and parameter."""
        if how.family == "published":
            return how.draw(self, seed)
        return np.concatenate([self.modules[name].init(seed, "" if name in ORDER else f"{name}/", how) for name in self.slices])

    def view(self, theta):
        """Views into theta by "module/parameter", in the order in which they lie there."""
        views, at = {}, 0
        for module in self.slices:
            for name, shape in self.modules[module].shapes.items():
                size = math.prod(shape)
                views[f"{module}/{name}"] = theta[at : at + size].reshape(shape)
                at += size
        return views

    def forward(self, theta, batch, tape=True):
        """The Pass of a study.tasks.Batch."""
        x, tapes = batch.x.astype(self.dtype, copy=False), {}
        for name, module in self.modules.items():
            x, tapes[name] = module.forward(theta[self.slices[name]], x, batch, tape)
        return self._judged(x, batch, tapes)

    def segment(self, theta, batch, states):
        """(Pass, states at its end) of a study.tasks.Batch that goes on from states of its one recurrent layer; None: from 0."""
        x, tapes = batch.x.astype(self.dtype, copy=False), {}
        for name, module in self.modules.items():
            weights = theta[self.slices[name]]
            if name == "recurrent":
                x, tapes[name], states = module.carry(weights, x, batch, states)
            else:
                x, tapes[name] = module.forward(weights, x, batch)
        return self._judged(x, batch, tapes), states

    def _judged(self, o, batch, tapes):
        """The Pass whose head gave o (P, K)."""
        loss, output, do = self.loss(o, batch.target)
        return Pass(_by_row(loss, batch.offsets), output, do, tapes)

    def backward(self, theta, passed, wanted=Wanted(inputs=False)):
        """The Gradient of the mean loss of a Pass.

        Its x is the gradient with respect to the batch's x where that is wanted, else None; its norms are those of each
        recurrent layer, the lowest first.
        """
        dy, parts, norms = passed.do, {}, ()
        inner = Wanted(True, wanted.norms, wanted.truncated)
        for name, module in reversed(self.modules.items()):
            wanted_here = wanted if name == self.first else inner
            parts[name], dy, sizes = module.backward(theta[self.slices[name]], passed.tapes[name], dy, wanted_here)
            norms = sizes + norms
        return Gradient(np.concatenate([parts[name] for name in self.slices]), dy if wanted.inputs else None, norms)

    def part(self, name, theta):
        """The weights of a module, in the dtype of the net."""
        return theta[self.slices[name]].astype(self.dtype, copy=False)

    def states(self, theta, batch):
        """(T, B, n), what the head reads of a study.tasks.Batch."""
        x = batch.x.astype(self.dtype, copy=False)
        for name, module in self.modules.items():
            if name != "head":
                x, _ = module.forward(self.part(name, theta), x, batch, tape=False)
        return x

    def layers(self, passed):
        """The recurrent layers of a Pass, the lowest first: [study.nets.module.Layer]."""
        return [layer for name, module in self.modules.items()
                for layer in module.layers(passed.tapes[name], self.slices[name].start)]

    def stepper(self, theta, rows=1):
        """A function from x (rows, I) of the next step to the outputs (rows, K) of the head there; see Module.stepper."""
        steps = [module.stepper(theta[self.slices[name]], rows) for name, module in self.modules.items()]

        def step(x):
            for module_step in steps:
                x = module_step(x)
            return x

        return step

    def compile(self, most, truncated=False):
        """The kernels.Training of this net, for batches of at most (T, B, P) = `most` steps, rows and answers."""
        training = kernels.Training(self.inputs, self.size, self.loss_name, most, self.dtype)
        self.assemble(training, 0, truncated)
        return training

    def assemble(self, into, x, truncated=False):
        """Add all modules to a kernels.Training or kernels.onnx.Model whose part x are the inputs; return the outputs' part."""
        for name, module in self.modules.items():
            x = module.compile(into, x, self.slices[name].start, truncated)
        return x


def _by_row(loss, offsets):
    """(B,) mean loss of each row, from that of each answer (P,)."""
    if offsets is None:
        return loss
    means = [kernels.total(loss[start:end]) / int(end - start) for start, end in zip(offsets[:-1], offsets[1:])]
    return np.array(means, loss.dtype)
