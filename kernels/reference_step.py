"""What the cells of the NumPy twin are written with: a direction's weights, and the squashing functions."""

import numpy as np


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

    `dx` accumulates the gradient with respect to the step's x. If truncated, no error flows from a pre-activation to a state.
    """

    def __init__(self, value, grad=None, truncated=False):
        self.value, self.grad, self.truncated, self.dx = value, grad, truncated, 0

    def a(self, block, x, h):
        """a = x W + h U + b, without the terms that the block does not have."""
        W, U, b = (self.value[kind].get(block) for kind in "WUb")
        return (0 if W is None else x @ W) + (0 if U is None else h @ U) + (0 if b is None else b)

    def da(self, x, h, within=False, **deltas):
        """Differentiate a = x W + h U + b for each block's da; return dh. `within`: h is of this step, so it is never cut off."""
        dh = 0
        for block, da in deltas.items():
            if block in self.value["W"]:
                self.grad["W"][block] += x.T @ da
                self.dx = self.dx + da @ self.value["W"][block].T
            if block in self.value["U"]:
                self.grad["U"][block] += h.T @ da
                dh = dh + (0 if self.truncated and not within else da @ self.value["U"][block].T)
            if block in self.value["b"]:
                self.grad["b"][block] += da.sum(0)
        return dh

    def r(self, block, s):
        """The feedback term of a pre-activation: the sum of s.k R over the cell's pairs (block, k)."""
        return sum(getattr(s, k) @ R for (fed, k), R in self.value["R"].items() if fed == block)

    def dr(self, s, **deltas):
        """Differentiate a = ... + sum of s.k R for each block's da; return {k: the gradient of state k}."""
        received = {}
        for (block, k), R in self.value["R"].items():
            self.grad["R"][block, k] += getattr(s, k).T @ deltas[block]
            received[k] = received.get(k, 0) + (0 if self.truncated else deltas[block] @ R.T)
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
    `feedback` from its state; the first of `states` is the output. `direct`: the equations contain x itself.
    `forward(w, x, s)` returns the values v of the step. `backward(w, x, s, v, d)` gets in d the gradient with respect to the new
    state from outside the step, completes it in place to the total derivative, and returns the gradient of the state before.
    """

    states = ("h",)
    peepholes = feedback = ()
    biases = None
    direct = False

    def value(self, v, block):
        """The value of a block after its activation, of the values v of a step."""
        return getattr(v, block)

    def kinds(self):
        """Which blocks each kind of weight feeds."""
        return {"W": self.inputs, "U": self.recurrent, "R": self.feedback, "b": self.blocks if self.biases is None else self.biases, "p": self.peepholes}

    def shapes(self, I, H):
        """Shapes of one direction's weights: leading axis the blocks that they feed."""
        tail = {"W": (I, H), "U": (H, H), "R": (H, H), "b": (H,), "p": (H,)}
        return {kind: (len(blocks), *tail[kind]) for kind, blocks in self.kinds().items() if blocks}
