"""The cells of the NumPy twin: each written from its paper, one step at a time.

x (B, I); s, the state before the step, and v, all values of the step (its gates and its new state), hold arrays (B, H) by
name; a is a pre-activation; d in front, the gradient with respect to it. More cells are in reference_later.py.
"""
from types import SimpleNamespace as Values

import numpy as np

from kernels.reference_step import Cell, dsigmoid, dtanh, sigmoid


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
    states, gates = ("h", "c"), ("i", "f", "o")

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
    """Gers, Schraudolph, Schmidhuber 2002; Graves 2013: c = f c' + i g, h = o y(c); peepholes read c' for i and f, c for o.

    A gate that is no block of the cell is 1. `squash_in`: g = tanh(a_g), else a_g. `squash_out`: y = tanh, else the identity.
    """

    blocks = inputs = recurrent = ("i", "f", "g", "o")
    peepholes = ("i", "f", "o")
    states = ("h", "c")
    squash_in = squash_out = True

    def gate(self, w, block, x, s, c):
        return sigmoid(w.a(block, x, s.h) + w.p(block, c)) if block in self.blocks else 1

    def forward(self, w, x, s):
        i, f = self.gate(w, "i", x, s, s.c), self.gate(w, "f", x, s, s.c)
        g = np.tanh(w.a("g", x, s.h)) if self.squash_in else w.a("g", x, s.h)
        c = f * s.c + i * g
        o = self.gate(w, "o", x, s, c)
        return Values(i=i, f=f, g=g, o=o, c=c, h=o * np.tanh(c) if self.squash_out else o * c)

    def backward(self, w, x, s, v, d):
        y, dy = (np.tanh(v.c), dtanh(np.tanh(v.c))) if self.squash_out else (v.c, 1)
        # h = o y(c)
        d.c = d.c + d.h * v.o * dy
        # o = sigmoid(a_o + p_o c)
        o = {"o": d.h * y * dsigmoid(v.o)} if "o" in self.blocks else {}
        d.c = d.c + w.dp(v.c, **o)
        # c = f c' + i g
        dg = d.c * v.i * (dtanh(v.g) if self.squash_in else 1)
        di, df = d.c * v.g, d.c * s.c
        # i, f = sigmoid(a + p c')
        gates = {k: dk * dsigmoid(getattr(v, k)) for k, dk in (("i", di), ("f", df)) if k in self.blocks}
        dc = d.c * v.f + w.dp(s.c, **gates)
        return Values(h=w.da(x, s.h, g=dg, **gates, **o), c=dc)


class Coupled(Cell):
    """The LSTM with i = 1 - f: c = f c' + (1 - f) g, h = o tanh(c)."""

    blocks = inputs = recurrent = ("f", "g", "o")
    states, gates = ("h", "c"), ("f", "o")

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


class RnnRelu(Cell):
    """Le, Jaitly, Hinton 2015: h = max(x W + h' U + b, 0), with derivative 0 at 0."""

    blocks = inputs = recurrent = ("a",)

    def forward(self, w, x, s):
        h = np.maximum(w.a("a", x, s.h), 0)
        return Values(a=h, h=h)

    def backward(self, w, x, s, v, d):
        # h = max(a, 0)
        return Values(h=w.da(x, s.h, a=d.h * np.sign(v.h)))


class Lstm1997(Cell):
    """Hochreiter & Schmidhuber 1997: c = c' + i g, h = o H(c), g and H squashing into [-2, 2] and [-1, 1]."""

    blocks = inputs = recurrent = ("i", "g", "o")
    states, gates = ("h", "c"), ("i", "o")

    def forward(self, w, x, s):
        i, o = (sigmoid(w.a(gate, x, s.h)) for gate in "io")
        g = 4 * sigmoid(w.a("g", x, s.h)) - 2
        c = s.c + i * g
        return Values(i=i, g=g, o=o, c=c, h=o * (2 * sigmoid(c) - 1))

    def backward(self, w, x, s, v, d):
        # h = o (2 sigmoid(c) - 1)
        do = d.h * (2 * sigmoid(v.c) - 1)
        d.c = d.c + d.h * v.o * 2 * dsigmoid(sigmoid(v.c))
        # c = c' + i g
        di, dg = d.c * v.g, d.c * v.i
        # i, o = sigmoid(a); g = 4 sigmoid(a) - 2, so dg/da = (2 - g)(2 + g) / 4
        dh = w.da(x, s.h, i=di * dsigmoid(v.i), g=dg * (2 - v.g) * (2 + v.g) / 4, o=do * dsigmoid(v.o))
        return Values(h=dh, c=d.c)


class Nig(Peephole):
    """Greff et al. 2017, no input gate: i = 1."""

    blocks = inputs = recurrent = ("f", "g", "o")
    peepholes = ("f", "o")


class Nfg(Peephole):
    """Greff et al. 2017, no forget gate: f = 1."""

    blocks = inputs = recurrent = ("i", "g", "o")
    peepholes = ("i", "o")


class Nog(Peephole):
    """Greff et al. 2017, no output gate: o = 1."""

    blocks = inputs = recurrent = ("i", "f", "g")
    peepholes = ("i", "f")


class Niaf(Peephole):
    """Greff et al. 2017, no input activation function: g = a_g."""

    squash_in = False


class Noaf(Peephole):
    """Greff et al. 2017, no output activation function: h = o c."""

    squash_out = False


class CoupledPeephole(Cell):
    """Greff et al. 2017, CIFG: the peephole LSTM with i = 1 - f."""

    blocks = inputs = recurrent = ("f", "g", "o")
    states = ("h", "c")
    peepholes = ("f", "o")

    def forward(self, w, x, s):
        f = sigmoid(w.a("f", x, s.h) + w.p("f", s.c))
        g = np.tanh(w.a("g", x, s.h))
        c = f * s.c + (1 - f) * g
        o = sigmoid(w.a("o", x, s.h) + w.p("o", c))
        return Values(f=f, g=g, o=o, c=c, h=o * np.tanh(c))

    def backward(self, w, x, s, v, d):
        # h = o tanh(c)
        do = d.h * np.tanh(v.c) * dsigmoid(v.o)
        d.c = d.c + d.h * v.o * dtanh(np.tanh(v.c))
        # o = sigmoid(a_o + p_o c)
        d.c = d.c + w.dp(v.c, o=do)
        # c = f c' + (1 - f) g
        df, dg = d.c * (s.c - v.g) * dsigmoid(v.f), d.c * (1 - v.f) * dtanh(v.g)
        # f = sigmoid(a + p c')
        dc = d.c * v.f + w.dp(s.c, f=df)
        return Values(h=w.da(x, s.h, f=df, g=dg, o=do), c=dc)


class Mgu(Cell):
    """Zhou et al. 2016: one gate f, h = (1 - f) h' + f n with n = tanh(W x + U (f h') + b)."""

    blocks = inputs = recurrent = ("f", "n")

    def forward(self, w, x, s):
        f = sigmoid(w.a("f", x, s.h))
        n = np.tanh(w.a("n", x, f * s.h))
        return Values(f=f, n=n, h=(1 - f) * s.h + f * n)

    def backward(self, w, x, s, v, d):
        # h = (1 - f) h' + f n
        df, dn, dh = d.h * (v.n - s.h), d.h * v.f, d.h * (1 - v.f)
        # n = tanh(x W + (f h') U + b)
        dfh = w.da(x, v.f * s.h, n=dn * dtanh(v.n))
        df, dh = df + dfh * s.h, dh + dfh * v.f
        # f = sigmoid(a)
        return Values(h=dh + w.da(x, s.h, f=df * dsigmoid(v.f)))


class Janet(Cell):
    """Van der Westhuizen & Lasenby 2018: h = s(v) h' + (1 - s(v - beta)) n, beta = 1."""

    blocks = inputs = recurrent = ("f", "n")
    beta = 1

    def forward(self, w, x, s):
        v = w.a("f", x, s.h)
        n = np.tanh(w.a("n", x, s.h))
        f, i = sigmoid(v), 1 - sigmoid(v - self.beta)
        return Values(f=f, i=i, n=n, h=f * s.h + i * n)

    def backward(self, w, x, s, v, d):
        # h = f h' + i n
        df, di, dn = d.h * s.h, d.h * v.n, d.h * v.i
        # f = s(v), i = 1 - s(v - beta)
        dv = df * dsigmoid(v.f) - di * dsigmoid(1 - v.i)
        return Values(h=d.h * v.f + w.da(x, s.h, f=dv, n=dn * dtanh(v.n)))


class Fgr(Cell):
    """Graves et al. 2008; Greff et al. 2017: the peephole LSTM; R leads from the gates of the step before to the gates."""

    blocks = inputs = recurrent = ("i", "f", "o", "g")
    states = ("h", "c", "i", "f", "o")
    peepholes = ("i", "f", "o")
    feedback = tuple((gate, before) for before in "ifo" for gate in "ifo")

    def forward(self, w, x, s):
        i, f = (sigmoid(w.a(gate, x, s.h) + w.r(gate, s) + w.p(gate, s.c)) for gate in "if")
        g = np.tanh(w.a("g", x, s.h))
        c = f * s.c + i * g
        o = sigmoid(w.a("o", x, s.h) + w.r("o", s) + w.p("o", c))
        return Values(i=i, f=f, g=g, o=o, c=c, h=o * np.tanh(c))

    def backward(self, w, x, s, v, d):
        # h = o tanh(c)
        d.o = d.o + d.h * np.tanh(v.c)
        d.c = d.c + d.h * v.o * dtanh(np.tanh(v.c))
        # o = sigmoid(a_o + p_o c)
        o = d.o * dsigmoid(v.o)
        d.c = d.c + w.dp(v.c, o=o)
        # c = f c' + i g
        d.i, d.f, dg = d.i + d.c * v.g, d.f + d.c * s.c, d.c * v.i * dtanh(v.g)
        # i, f = sigmoid(a + p c')
        i, f = d.i * dsigmoid(v.i), d.f * dsigmoid(v.f)
        dc = d.c * v.f + w.dp(s.c, i=i, f=f)
        return Values(h=w.da(x, s.h, i=i, f=f, g=dg, o=o), c=dc, **w.dr(s, i=i, f=f, o=o))


class Mut(Cell):
    """Jozefowicz, Zaremba, Sutskever 2015: h = z n + (1 - z) h'; each cell replaces one term x W or h' U by another.

    `own(block, x)` is what a block has of x itself, `down` its derivative; `seen` is what z sees of h', `back` its derivative.
    """

    def own(self, block, x):
        return 0

    down = own

    def seen(self, h):
        return h

    def back(self, h):
        return 1

    def forward(self, w, x, s):
        z, r = sigmoid(w.a("z", x, self.seen(s.h))), sigmoid(w.a("r", x, s.h) + self.own("r", x))
        n = np.tanh(w.a("n", x, r * s.h) + self.own("n", x))
        return Values(z=z, r=r, n=n, h=z * n + (1 - z) * s.h)

    def backward(self, w, x, s, v, d):
        # h = z n + (1 - z) h'
        dz, dn, dh = d.h * (v.n - s.h) * dsigmoid(v.z), d.h * v.z * dtanh(v.n), d.h * (1 - v.z)
        # n = tanh(a_n), with r h' in a_n
        drh = w.da(x, v.r * s.h, n=dn)
        # z, r = sigmoid(a)
        dr = drh * s.h * dsigmoid(v.r)
        dh = dh + drh * v.r + w.da(x, s.h, r=dr) + w.da(x, self.seen(s.h), z=dz) * self.back(s.h)
        if self.direct:
            w.dx = w.dx + dr * self.down("r", x) + dn * self.down("n", x)
        return Values(h=dh)


class Mut1(Mut):
    """z sees x alone; n has tanh(x) in place of x W."""

    blocks = ("z", "r", "n")
    inputs, recurrent = ("z", "r"), ("r", "n")
    direct = True

    def own(self, block, x):
        return np.tanh(x) if block == "n" else 0

    def down(self, block, x):
        return dtanh(np.tanh(x)) if block == "n" else 0


class Mut2(Mut):
    """r has x in place of x W."""

    blocks = recurrent = ("r", "z", "n")
    inputs = ("z", "n")
    direct = True

    def own(self, block, x):
        return x if block == "r" else 0

    def down(self, block, x):
        return 1 if block == "r" else 0


class Mut3(Mut):
    """z sees tanh(h') in place of h'."""

    blocks = inputs = recurrent = ("r", "z", "n")

    def seen(self, h):
        return np.tanh(h)

    def back(self, h):
        return dtanh(np.tanh(h))


CELLS = {
    "rnn": Rnn(), "lstm": Lstm(), "peephole": Peephole(), "coupled": Coupled(), "gru": Gru(), "gru_after": GruAfter(),
    "rnn_relu": RnnRelu(), "lstm_1997": Lstm1997(), "nig": Nig(), "nfg": Nfg(), "nog": Nog(), "niaf": Niaf(), "noaf": Noaf(),
    "coupled_peephole": CoupledPeephole(), "mgu": Mgu(), "janet": Janet(), "fgr": Fgr(), "mut1": Mut1(), "mut2": Mut2(), "mut3": Mut3(),
}
