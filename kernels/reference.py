"""The NumPy twin of the kernels: every cell written from its paper, in float64, one step and one block at a time.

It is the oracle of the tests. It shares no line and no order of summation with the compiled kernels, and it is written
to be read: no packing, no tiles, no threads. Letters: T steps, B rows, I inputs, H units; a pre-activation; d in front,
the gradient with respect to it; s the state before the step, v all values of the step (its gates and its new state).

>>> layer = RNN("lstm", inputs=3, units=5, direction="both", merge="learned")
>>> theta = np.linspace(-1, 1, layer.size)
>>> out = layer.forward(theta, np.ones((7, 2, 3)), lengths=[7, 4])
>>> out.y.shape, out.state["c"].shape
((7, 2, 5), (2, 2, 5))
>>> layer.backward(out.tape, dy=np.ones_like(out.y)).theta.shape == theta.shape
True
"""
from types import SimpleNamespace as Values

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

    `dx` adds up the gradient with respect to the step's x. Truncated, no error leaves a pre-activation for a state.
    """

    def __init__(self, value, grad=None, truncated=False):
        self.value, self.grad, self.truncated, self.dx = value, grad, truncated, 0

    def a(self, block, x, h):
        """a = x W + h U + b, without the terms that the block does not have."""
        W, U, b = (self.value[kind].get(block) for kind in "WUb")
        return (0 if W is None else x @ W) + (0 if U is None else h @ U) + (0 if b is None else b)

    def da(self, x, h, **deltas):
        """Differentiate a = x W + h U + b for each block's da; what h receives in all."""
        dh = 0
        for block, da in deltas.items():
            if block in self.value["W"]:
                self.grad["W"][block] += x.T @ da
                self.dx = self.dx + da @ self.value["W"][block].T
            if block in self.value["U"]:
                self.grad["U"][block] += h.T @ da
                dh = dh + (0 if self.truncated else da @ self.value["U"][block].T)
            if block in self.value["b"]:
                self.grad["b"][block] += da.sum(0)
        return dh

    def p(self, block, c):
        """The peephole's term p * c of a pre-activation."""
        return self.value["p"][block] * c

    def dp(self, c, **deltas):
        """Differentiate a = ... + p * c for each block's da; what c receives in all."""
        for block, da in deltas.items():
            self.grad["p"][block] += (da * c).sum(0)
        return 0 if self.truncated else sum(self.value["p"][block] * da for block, da in deltas.items())


class Cell:
    """One step of a recurrent cell.

    `blocks` have a bias; W feeds `inputs`, U feeds `recurrent`, p feeds `peepholes`; the first of `states` is the output.
    `forward(w, x, s)` gives the values v of the step. `backward(w, x, s, v, d)` takes in d what reaches the new state
    from outside the step, completes it in place to the total derivative, and gives what the state before it receives.
    """

    states = ("h",)
    peepholes = ()

    def kinds(self):
        """Which blocks each kind of weight feeds."""
        return {"W": self.inputs, "U": self.recurrent, "b": self.blocks, "p": self.peepholes}

    def shapes(self, I, H):
        """Shapes of one direction's weights: leading axis the blocks that they feed."""
        tail = {"W": (I, H), "U": (H, H), "b": (H,), "p": (H,)}
        return {kind: (len(blocks), *tail[kind]) for kind, blocks in self.kinds().items() if blocks}


class Rnn(Cell):
    """Elman 1990: h = tanh(x W + h' U + b)."""

    blocks = inputs = recurrent = ("a",)

    def forward(self, w, x, s):
        h = np.tanh(w.a("a", x, s.h))
        return Values(a=h, h=h)

    def backward(self, w, x, s, v, d):
        # h = tanh(a)
        return Values(h=w.da(x, s.h, a=d.h * dtanh(v.h)))


class Lstm(Cell):
    """Gers, Schmidhuber, Cummins 2000: c = f c' + i g, h = o tanh(c)."""

    blocks = inputs = recurrent = ("i", "f", "g", "o")
    states = ("h", "c")

    def forward(self, w, x, s):
        i, f, o = (sigmoid(w.a(gate, x, s.h)) for gate in "ifo")
        g = np.tanh(w.a("g", x, s.h))
        c = f * s.c + i * g
        return Values(i=i, f=f, g=g, o=o, c=c, h=o * np.tanh(c))

    def backward(self, w, x, s, v, d):
        # h = o tanh(c)
        do = d.h * np.tanh(v.c)
        d.c = d.c + d.h * v.o * dtanh(np.tanh(v.c))
        # c = f c' + i g
        di, df, dg = d.c * v.g, d.c * s.c, d.c * v.i
        # i, f, o = sigmoid(a); g = tanh(a)
        dh = w.da(x, s.h, i=di * dsigmoid(v.i), f=df * dsigmoid(v.f), g=dg * dtanh(v.g), o=do * dsigmoid(v.o))
        return Values(h=dh, c=d.c * v.f)


class Peephole(Cell):
    """Gers, Schraudolph, Schmidhuber 2002; Graves 2013: i and f look at c', o looks at c."""

    blocks = inputs = recurrent = ("i", "f", "g", "o")
    states = ("h", "c")
    peepholes = ("i", "f", "o")

    def forward(self, w, x, s):
        i, f = (sigmoid(w.a(gate, x, s.h) + w.p(gate, s.c)) for gate in "if")
        g = np.tanh(w.a("g", x, s.h))
        c = f * s.c + i * g
        o = sigmoid(w.a("o", x, s.h) + w.p("o", c))
        return Values(i=i, f=f, g=g, o=o, c=c, h=o * np.tanh(c))

    def backward(self, w, x, s, v, d):
        # h = o tanh(c)
        do = d.h * np.tanh(v.c) * dsigmoid(v.o)
        d.c = d.c + d.h * v.o * dtanh(np.tanh(v.c))
        # o = sigmoid(a_o + p_o c)
        d.c = d.c + w.dp(v.c, o=do)
        # c = f c' + i g
        di, df, dg = d.c * v.g * dsigmoid(v.i), d.c * s.c * dsigmoid(v.f), d.c * v.i * dtanh(v.g)
        # i, f = sigmoid(a + p c')
        dc = d.c * v.f + w.dp(s.c, i=di, f=df)
        return Values(h=w.da(x, s.h, i=di, f=df, g=dg, o=do), c=dc)


class Coupled(Cell):
    """The tied LSTM, which learns f: c = f c' + (1 - f) g, h = o tanh(c)."""

    blocks = inputs = recurrent = ("f", "g", "o")
    states = ("h", "c")

    def forward(self, w, x, s):
        f, o = (sigmoid(w.a(gate, x, s.h)) for gate in "fo")
        g = np.tanh(w.a("g", x, s.h))
        c = f * s.c + (1 - f) * g
        return Values(f=f, g=g, o=o, c=c, h=o * np.tanh(c))

    def backward(self, w, x, s, v, d):
        # h = o tanh(c)
        do = d.h * np.tanh(v.c)
        d.c = d.c + d.h * v.o * dtanh(np.tanh(v.c))
        # c = f c' + (1 - f) g
        df, dg = d.c * (s.c - v.g), d.c * (1 - v.f)
        # f, o = sigmoid(a); g = tanh(a)
        dh = w.da(x, s.h, f=df * dsigmoid(v.f), g=dg * dtanh(v.g), o=do * dsigmoid(v.o))
        return Values(h=dh, c=d.c * v.f)


class Gru(Cell):
    """Cho et al. 2014, final version (reset before the product), with Chung et al.'s z: h = (1 - z) h' + z n."""

    blocks = inputs = recurrent = ("z", "r", "n")

    def forward(self, w, x, s):
        z, r = (sigmoid(w.a(gate, x, s.h)) for gate in "zr")
        n = np.tanh(w.a("n", x, r * s.h))
        return Values(z=z, r=r, n=n, h=(1 - z) * s.h + z * n)

    def backward(self, w, x, s, v, d):
        # h = (1 - z) h' + z n
        dz, dn, dh = d.h * (v.n - s.h), d.h * v.z, d.h * (1 - v.z)
        # n = tanh(x W + (r h') U + b)
        drh = w.da(x, v.r * s.h, n=dn * dtanh(v.n))
        dr, dh = drh * s.h, dh + drh * v.r
        # z, r = sigmoid(a)
        return Values(h=dh + w.da(x, s.h, z=dz * dsigmoid(v.z), r=dr * dsigmoid(v.r)))


class GruAfter(Cell):
    """Cho et al. 2014, first version (reset after the product), with PyTorch's z: h = (1 - z) n + z h'."""

    blocks = ("n", "z", "r", "u")
    inputs = ("n", "z", "r")
    recurrent = ("z", "r", "u")

    def forward(self, w, x, s):
        z, r = (sigmoid(w.a(gate, x, s.h)) for gate in "zr")
        u = w.a("u", x, s.h)
        n = np.tanh(w.a("n", x, s.h) + r * u)
        return Values(n=n, z=z, r=r, u=u, h=(1 - z) * n + z * s.h)

    def backward(self, w, x, s, v, d):
        # h = (1 - z) n + z h'
        dz, dn, dh = d.h * (s.h - v.n), d.h * (1 - v.z) * dtanh(v.n), d.h * v.z
        # n = tanh(a_n + r u)
        dr, du = dn * v.u, dn * v.r
        # z, r = sigmoid(a)
        return Values(h=dh + w.da(x, s.h, n=dn, z=dz * dsigmoid(v.z), r=dr * dsigmoid(v.r), u=du))


CELLS = {"rnn": Rnn(), "lstm": Lstm(), "peephole": Peephole(), "coupled": Coupled(), "gru": Gru(), "gru_after": GruAfter()}


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
    """

    def __init__(self, cell, inputs, units, direction="forward", merge="concat"):
        self.cell, self.inputs, self.units = CELLS[cell], inputs, units
        self.directions = ("forward", "reverse") if direction == "both" else (direction,)
        self.merge = merge if direction == "both" else None
        shapes = self.cell.shapes(inputs, units)
        self.shapes = {f"{name}/{kind}": shape for name in self.directions for kind, shape in shapes.items()}
        if self.merge == "learned":
            self.shapes |= {"merge/M": (2 * units, units), "merge/b": (units,)}
        self.size = sum(int(np.prod(shape)) for shape in self.shapes.values())

    def view(self, theta):
        """{name: view into the flat theta}."""
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes.values()])
        return {name: part.reshape(shape) for (name, shape), part in zip(self.shapes.items(), np.split(theta, ends[:-1]))}

    def _blocks(self, view, name):
        """{kind: {block: view}} of one direction."""
        return {kind: dict(zip(blocks, view[f"{name}/{kind}"])) if blocks else {} for kind, blocks in self.cell.kinds().items()}

    def _states(self, given, B):
        """Each state's (D, B, H) copy of what was given, else 0."""
        zero = np.zeros((len(self.directions), B, self.units))
        return {k: np.array((given or {}).get(k, zero), float) for k in self.cell.states}

    def forward(self, theta, x, lengths=None, state=None):
        """Run x (T, B, I), rows of `lengths` (B,), from `state` {"h": (D, B, H), ...}; y, the final state and the tape."""
        theta, x = np.array(theta, float), np.array(x, float)
        T, B, _ = x.shape
        lengths = np.full(B, T) if lengths is None else np.asarray(lengths)
        state = self._states(state, B)
        hs = np.zeros((len(self.directions), T, B, self.units))
        steps = [[] for _ in self.directions]
        for d, name in enumerate(self.directions):
            w = Weights(self._blocks(self.view(theta), name))
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
        return Values(y=self._merge(self.view(theta), hs, real), state=state, tape=tape)

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
        """{block: (D, T, B, H)}: what each block holds after its activation, by x's t; 0 on padding."""
        gates = {k: np.zeros_like(tape.hs) for k in self.cell.blocks}
        for d, steps in enumerate(tape.steps):
            for t, rows, _, v in steps:
                for k, gate in gates.items():
                    gate[d, t, rows] = getattr(v, k)
        return gates

    def backward(self, tape, dy=None, dstate=None, inputs=True, norms=False, truncated=False):
        """Gradients of <dy, y> + <dstate, final state>: theta (flat), x, the initial state; norms |dL/dstate_t| (D, T, B).

        `truncated`: as Hochreiter & Schmidhuber 1997, no error flows back through U or the peepholes.
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
            w = Weights(self._blocks(view, name), self._blocks(grad, name), truncated)
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
