"""What the cells of the NumPy twin are written with: a direction's weights, and the squashing functions."""

from functools import singledispatch

import numpy as np


@singledispatch
def sigmoid(a):
    """1 / (1 + exp(-a)); 0 where exp overflows."""
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-a))


def dsigmoid(y):
    """The derivative of a sigmoid whose value is y."""
    return y * (1 - y)


def dtanh(y):
    """The derivative of a tanh whose value is y."""
    return 1 - y * y


class Weights:
    """One direction's weights by kind and block, with the sums of their gradients in `grad` (the same keys).

    `dx` accumulates the gradient with respect to the step's x. If truncated, no error flows from a pre-activation to a state before.
    Weights to a block that memory cells share, `size` neighbours each, have one column for the cells that share it.
    """

    def __init__(self, value, grad=None, truncated=False, size=1):
        self.value, self.grad, self.truncated, self.size, self.dx = value, grad, truncated, size, 0

    def widened(self, a, h):
        """a with one column a cell, as h has."""
        return a if self.size == 1 else np.repeat(a, h.shape[1] // a.shape[1], axis=1)

    def leading(self, s):
        """s with the column of the first of `size` cells."""
        return s if self.size == 1 else s[:, ::self.size]

    def narrowed(self, da, columns):
        """da with as many columns as the weights to the block have."""
        return da.reshape(len(da), columns, da.shape[1] // columns).sum(2)

    def a(self, block, x, h):
        """a = x W + h U + b, without the terms that the block does not have."""
        W, U, b = (self.value[kind].get(block) for kind in "WUb")
        return self.widened((0 if W is None else x @ W) + (0 if U is None else h @ U) + (0 if b is None else b), h)

    def da(self, x, h, within=False, **deltas):
        """Differentiate a = x W + h U + b for each block's da; return dh. `within`: h is of this step, so it is never cut off."""
        dh = 0
        for block, da in deltas.items():
            W, U = self.value["W"].get(block), self.value["U"].get(block)
            da = self.narrowed(da, (U if W is None else W).shape[1])
            if W is not None:
                self.grad["W"][block] += x.T @ da
                self.dx = self.dx + da @ W.T
            if U is not None:
                self.grad["U"][block] += h.T @ da
                dh = dh + (0 if self.truncated and not within else da @ U.T)
            if block in self.value["b"]:
                self.grad["b"][block] += da.sum(0)
        return dh

    def r(self, block, s):
        """The feedback term of a pre-activation: the sum of s.k R over the cell's pairs (block, k). R reads a shared gate once."""
        return sum(self.widened(self.leading(getattr(s, k)) @ R, s.h)
                   for (fed, k), R in self.value["R"].items() if fed == block)

    def dr(self, s, **deltas):
        """Differentiate a = ... + sum of s.k R for each block's da; return {k: the gradient of state k}."""
        received = {k: np.zeros_like(s.h) for _, k in self.value["R"]}
        for (block, k), R in self.value["R"].items():
            da = self.narrowed(deltas[block], R.shape[1])
            self.grad["R"][block, k] += self.leading(getattr(s, k)).T @ da
            received[k][:, ::self.size] += 0 if self.truncated else da @ R.T
        return received

    def p(self, block, c):
        """The peephole's term p * c of a pre-activation."""
        return self.value["p"][block] * c

    def dp(self, c, **deltas):
        """Differentiate a = ... + p * c for each block's da; return dc."""
        for block, da in deltas.items():
            self.grad["p"][block] += (da * c).sum(0)
        return 0 if self.truncated else sum(self.value["p"][block] * da for block, da in deltas.items())


class Cell:
    """One step of a recurrent cell.

    W feeds `inputs`, U feeds `recurrent`, `biases` have a bias (all `blocks`, unless said), p feeds `peepholes`, R feeds each block of
    `feedback` from its state; the first of `states` is the output. `direct`: the equations contain x itself. `parameters`: the cell's
    own, one a unit. `gates`: the blocks that the cells of a memory cell block share.
    `forward(w, x, s)` returns the values v of the step. `backward(w, x, s, v, d)` gets in d the gradient with respect to the new
    state from outside the step, completes it in place to the total derivative, and returns the gradient of the state before.
    """

    states = ("h",)
    peepholes = feedback = parameters = gates = ()
    biases = None
    direct = False

    def value(self, v, block):
        """The value of a block after its activation, of the values v of a step."""
        return getattr(v, block)

    def kinds(self, size=1):
        """Which blocks each kind of weight feeds. Weights to gates that blocks of `size` cells share are kinds of their own."""
        biases = self.blocks if self.biases is None else self.biases
        kinds = {"W": self.inputs, "U": self.recurrent, "R": self.feedback, "b": biases, "p": self.parameters or self.peepholes}
        if size == 1:
            return kinds
        shared = {kind: [row for row in rows if (row[0] if kind == "R" else row) in self.gates] for kind, rows in kinds.items()}
        names = [(kind, rows) for plain in kinds for kind, rows in (
            (plain, [row for row in kinds[plain] if row not in shared[plain]]), (f"{plain}_gates", shared[plain]))]
        return dict(names)

    def shapes(self, I, H, size=1):
        """Shapes of one direction's weights: leading axis the blocks that they feed."""
        head = {"W": (I,), "U": (H,), "R": (H // size,), "b": (), "p": ()}
        return {kind: (len(blocks), *head[kind[0]], H // size if kind.endswith("gates") else H)
                for kind, blocks in self.kinds(size).items() if blocks}
