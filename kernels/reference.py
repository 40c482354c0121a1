"""The NumPy twin of the kernels: the layer, in float64, over cells written from their papers (reference_cells.py,
reference_later.py).

It is the oracle of the tests. It shares no line and no order of summation with the compiled kernels, and it is written
to be read: no packing, no tiles, no threads. Letters: T steps, B rows, I inputs, H units; a pre-activation; d in front,
the gradient with respect to it.

>>> layer = RNN("lstm", inputs=3, units=5, direction="both", merge="learned")
>>> theta = np.linspace(-1, 1, layer.size)
>>> out = layer.forward(theta, np.ones((7, 2, 3)), lengths=[7, 4])
>>> out.y.shape, out.state["c"].shape
((7, 2, 5), (2, 2, 5))
>>> layer.backward(out.tape, dy=np.ones_like(out.y)).theta.shape == theta.shape
True
"""
import math
from types import SimpleNamespace as Values

import numpy as np

from kernels import reference_cells, reference_later
from kernels.reference_step import Weights

CELLS = reference_cells.CELLS | reference_later.CELLS


def norm(d):
    """Euclidean norm over units (the last axis), scaled so that squares do not underflow."""
    scale = np.abs(d).max(-1, keepdims=True)
    scale[scale == 0] = 1
    return scale[..., 0] * np.sqrt(((d / scale) ** 2).sum(-1))


class RNN:
    """A recurrent layer with the interface of `kernels.RNN`, in float64.

    Parameters
    ----------
    cell : name in `CELLS`
    inputs, units : I and H
    direction : "forward", "reverse" or "both"
    merge : for "both": "concat", "sum", "mean" or "learned" ([h_forward, h_reverse] M + b)
    block : the cells of a memory cell block
    """

    def __init__(self, cell, inputs, units, direction="forward", merge="concat", block=1):
        self.cell, self.inputs, self.units, self.block = CELLS[cell], inputs, units, block
        self.directions = ("forward", "reverse") if direction == "both" else (direction,)
        self.merge = merge if direction == "both" else None
        shapes = self.cell.shapes(inputs, units, block)
        self.shapes = {f"{name}/{kind}": shape for name in self.directions for kind, shape in shapes.items()}
        if self.merge == "learned":
            self.shapes |= {"merge/M": (2 * units, units), "merge/b": (units,)}
        self.size = sum(map(math.prod, self.shapes.values()))

    def view(self, theta):
        """{name: view into the flat theta}."""
        ends = np.cumsum([math.prod(shape) for shape in self.shapes.values()])
        return {name: part.reshape(shape) for (name, shape), part in zip(self.shapes.items(), np.split(theta, ends[:-1]))}

    def _blocks(self, view, name):
        """{kind: {block: view}} of one direction."""
        found = {kind: {} for kind in "WURbp"}
        for kind, blocks in self.cell.kinds(self.block).items():
            found[kind[0]] |= dict(zip(blocks, view[f"{name}/{kind}"])) if blocks else {}
        return found

    def _states(self, given, B):
        """{state: (D, B, H)}: a copy of the given state, else 0."""
        zero = np.zeros((len(self.directions), B, self.units))
        return {k: np.array((given or {}).get(k, zero), float) for k in self.cell.states}

    def forward(self, theta, x, lengths=None, state=None):
        """Run x (T, B, I), rows of `lengths` (B,), from `state` {"h": (D, B, H), ...}; y, the final state and the tape."""
        theta, x = np.array(theta, float), np.array(x, float)
        T, B, _ = x.shape
        lengths = np.full(B, T) if lengths is None else np.asarray(lengths)
        state, view = self._states(state, B), self.view(theta)
        hs = np.zeros((len(self.directions), T, B, self.units))
        steps = [[] for _ in self.directions]
        for d, name in enumerate(self.directions):
            w = Weights(self._blocks(view, name), size=self.block)
            for t in range(T) if name == "forward" else reversed(range(T)):
                rows = np.flatnonzero(t < lengths)
                s = Values(**{k: state[k][d, rows] for k in state})
                v = self.cell.forward(w, x[t, rows], s)
                for k in state:
                    state[k][d, rows] = getattr(v, k)
                hs[d, t, rows] = v.h
                steps[d].append((t, rows, s, v))
        real = (np.arange(T)[:, None] < lengths)[..., None]
        tape = Values(theta=theta, x=x, hs=hs, steps=steps, real=real)
        return Values(y=self._merge(view, hs, real), state=state, tape=tape)

    def _merge(self, view, hs, real):
        """y (T, B, H or 2H) from hs (D, T, B, H)."""
        if self.merge is None:
            return hs[0].copy()
        if self.merge == "concat":
            return np.concatenate(hs, -1)
        if self.merge == "learned":
            return real * (np.concatenate(hs, -1) @ view["merge/M"] + view["merge/b"])
        return hs[0] + hs[1] if self.merge == "sum" else (hs[0] + hs[1]) / 2

    def _unmerge(self, view, grad, hs, dy):
        """dhs (D, T, B, H) from dy, which is 0 on padding; the learned merge's gradients into `grad`."""
        H = self.units
        if self.merge is None:
            return dy[None]
        if self.merge == "learned":
            both = np.concatenate(hs, -1)
            grad["merge/M"] += np.einsum("tbk,tbj->kj", both, dy)
            grad["merge/b"] += dy.sum((0, 1))
            dy = dy @ view["merge/M"].T
        if self.merge in ("concat", "learned"):
            return np.stack([dy[..., :H], dy[..., H:]])
        return np.stack([dy, dy]) / (1 if self.merge == "sum" else 2)

    def gates(self, tape):
        """{block: (D, T, B, H)}: the value of each block after its activation, by x's t; 0 on padding."""
        gates = {k: np.zeros_like(tape.hs) for k in self.cell.blocks}
        for d, steps in enumerate(tape.steps):
            for t, rows, _, v in steps:
                for k, gate in gates.items():
                    gate[d, t, rows] = self.cell.value(v, k)
        return gates

    def backward(self, tape, dy=None, dstate=None, inputs=True, norms=False, truncated=False):
        """Gradients of <dy, y> + <dstate, final state>: theta (flat), x, the initial state; norms |dL/dstate_t| (D, T, B).

        `truncated`: no error flows back through U or the peepholes (Hochreiter & Schmidhuber 1997).
        """
        T, B, _ = tape.x.shape
        view, flat = self.view(tape.theta), np.zeros(self.size)
        grad = self.view(flat)
        width = self.units * (2 if self.merge == "concat" else 1)
        dy = np.where(tape.real, np.zeros((T, B, width)) if dy is None else dy, 0.0)
        dhs = self._unmerge(view, grad, tape.hs, dy)
        dstate, dx = self._states(dstate, B), np.zeros_like(tape.x)
        sizes = {k: np.zeros(tape.hs.shape[:3]) for k in dstate}
        for d, name in enumerate(self.directions):
            w = Weights(self._blocks(view, name), self._blocks(grad, name), truncated, self.block)
            for t, rows, s, v in reversed(tape.steps[d]):
                ds = Values(**{k: dstate[k][d, rows] for k in dstate})
                ds.h = ds.h + dhs[d, t, rows]
                w.dx = 0
                before = self.cell.backward(w, tape.x[t, rows], s, v, ds)
                dx[t, rows] += w.dx
                for k in dstate:
                    dstate[k][d, rows] = getattr(before, k)
                    sizes[k][d, t, rows] = norm(getattr(ds, k))
        return Values(theta=flat, x=dx if inputs else None, state=dstate, norms=sizes if norms else None)
