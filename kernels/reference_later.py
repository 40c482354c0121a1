"""More cells of the NumPy twin: those that were added after reference_cells.py, which explains the letters.

To add a cell, write its class and its line in CELLS.
"""
from types import SimpleNamespace as Values

import numpy as np

from kernels.reference_cells import Lstm
from kernels.reference_step import Cell, dsigmoid, dtanh, sigmoid


class LstmHs97(Cell):
    """Hochreiter & Schmidhuber 1997 as published: the gates of the step before also feed gates and cell inputs, by R."""

    blocks = inputs = recurrent = ("i", "g", "o")
    states = ("h", "c", "i", "o")
    feedback = tuple((block, gate) for gate in "io" for block in "igo")
    gates = ("i", "o")

    def forward(self, w, x, s):
        a = {block: w.a(block, x, s.h) + w.r(block, s) for block in "igo"}
        i, o = sigmoid(a["i"]), sigmoid(a["o"])
        g = 4 * sigmoid(a["g"]) - 2
        c = s.c + i * g
        return Values(i=i, g=g, o=o, c=c, h=o * (2 * sigmoid(c) - 1))

    def backward(self, w, x, s, v, d):
        # h = o (2 sigmoid(c) - 1)
        d.o = d.o + d.h * (2 * sigmoid(v.c) - 1)
        d.c = d.c + d.h * v.o * 2 * dsigmoid(sigmoid(v.c))
        # c = c' + i g
        d.i, dg = d.i + d.c * v.g, d.c * v.i
        # i, o = sigmoid(a); g = 4 sigmoid(a) - 2
        deltas = {"i": d.i * dsigmoid(v.i), "g": dg * (2 - v.g) * (2 + v.g) / 4, "o": d.o * dsigmoid(v.o)}
        return Values(h=w.da(x, s.h, **deltas), c=d.c, **w.dr(s, **deltas))


class LstmGers(Lstm):
    """Gers, Schmidhuber, Cummins 2000 with their biases: none on the cell input."""

    blocks = inputs = recurrent = ("g", "i", "f", "o")
    biases = ("i", "f", "o")


class IndRnn(Cell):
    """Li et al. 2018: h = max(x W + u h' + b, 0), u diagonal."""

    blocks = inputs = peepholes = ("a",)
    recurrent = ()

    def forward(self, w, x, s):
        h = np.maximum(w.a("a", x, s.h) + w.p("a", s.h), 0)
        return Values(a=h, h=h)

    def backward(self, w, x, s, v, d):
        # h = max(a, 0)
        da = d.h * np.sign(v.h)
        w.da(x, s.h, a=da)
        return Values(h=w.dp(s.h, a=da))


class UgRnn(Cell):
    """Collins, Sohl-Dickstein, Sussillo 2017: h = g h' + (1 - g) c, here z for g and n for c."""

    blocks = inputs = recurrent = ("z", "n")

    def forward(self, w, x, s):
        z, n = sigmoid(w.a("z", x, s.h)), np.tanh(w.a("n", x, s.h))
        return Values(z=z, n=n, h=z * s.h + (1 - z) * n)

    def backward(self, w, x, s, v, d):
        # h = z h' + (1 - z) n
        dz, dn = d.h * (s.h - v.n), d.h * (1 - v.z)
        return Values(h=d.h * v.z + w.da(x, s.h, z=dz * dsigmoid(v.z), n=dn * dtanh(v.n)))


class MinGru(Cell):
    """Feng et al. 2024, linear form: h = (1 - z) h' + z n, z = sigmoid(Linear(x)), n = Linear(x)."""

    blocks = inputs = ("z", "n")
    recurrent = ()

    def forward(self, w, x, s):
        z, n = sigmoid(w.a("z", x, s.h)), w.a("n", x, s.h)
        return Values(z=z, n=n, h=(1 - z) * s.h + z * n)

    def backward(self, w, x, s, v, d):
        # h = (1 - z) h' + z n
        w.da(x, s.h, z=d.h * (v.n - s.h) * dsigmoid(v.z), n=d.h * v.z)
        return Values(h=d.h * (1 - v.z))


class MinLstm(Cell):
    """Feng et al. 2024, linear form: h = f/(f + i) h' + i/(f + i) n, f, i = sigmoid(Linear(x)), n = Linear(x)."""

    blocks = inputs = ("f", "i", "n")
    recurrent = ()

    def forward(self, w, x, s):
        f, i, n = sigmoid(w.a("f", x, s.h)), sigmoid(w.a("i", x, s.h)), w.a("n", x, s.h)
        return Values(f=f, i=i, n=n, h=f / (f + i) * s.h + i / (f + i) * n)

    def backward(self, w, x, s, v, d):
        f, i = v.f / (v.f + v.i), v.i / (v.f + v.i)
        # h = f h' + i n, where f and i have the sum 1: d(f/(f + i))/df = i/(f + i)^2
        df, di = d.h * (s.h - v.n) * i / (v.f + v.i), d.h * (v.n - s.h) * f / (v.f + v.i)
        w.da(x, s.h, f=df * dsigmoid(v.f), i=di * dsigmoid(v.i), n=d.h * i)
        return Values(h=d.h * f)


class Slstm(Cell):
    """Beck et al. 2024: exponential input gate, normaliser n, stabiliser m; at the first step, where n' = 0, m = a_i.

    f holds sigmoid(a_f), i the stabilised exp(a_i - m).
    """

    blocks = inputs = recurrent = ("i", "f", "g", "o")
    states = ("h", "c", "n", "m")

    def kept(self, f, m, s):
        """(log f + m', what remains of c and n)."""
        with np.errstate(divide="ignore"):
            long = np.log(f) + s.m
        return long, np.exp(np.minimum(long - m, 0))

    def forward(self, w, x, s):
        a, f = w.a("i", x, s.h), sigmoid(w.a("f", x, s.h))
        g, o = np.tanh(w.a("g", x, s.h)), sigmoid(w.a("o", x, s.h))
        with np.errstate(divide="ignore"):
            m = np.where(s.n == 0, a, np.maximum(a, s.m + np.log(f)))
        i, (_, k) = np.exp(a - m), self.kept(f, m, s)
        c, n = k * s.c + i * g, k * s.n + i
        return Values(i=i, f=f, g=g, o=o, m=m, c=c, n=n, h=o * c / n)

    def backward(self, w, x, s, v, d):
        long, k = self.kept(v.f, v.m, s)
        # h = o c / n
        do = d.h * v.c / v.n
        d.c, d.n = d.c + d.h * v.o / v.n, d.n - d.h * v.o * v.c / v.n**2
        # c = k c' + i g, n = k n' + i
        di, dk = (d.c * v.g + d.n) * v.i, (d.c * s.c + d.n * s.n) * k
        # i = exp(a_i - m), k = exp(log f + m' - m)
        d.m = d.m - di - dk
        # m = a_i, or log f + m'
        of_i = (s.n == 0) | (v.m > long)
        dlong = dk + np.where(of_i, 0, d.m)
        dh = w.da(x, s.h, i=di + np.where(of_i, d.m, 0), f=dlong * (1 - v.f), g=d.c * v.i * dtanh(v.g), o=do * dsigmoid(v.o))
        return Values(h=dh, c=d.c * k, n=d.n * k, m=dlong)


class Lru(Cell):
    """Orvieto et al. 2023: q = l q' + exp(gamma) (B x), h = Re(C q) + D x, l = exp(-exp(nu) + i exp(theta)) for each unit.

    Blocks: exp(gamma) (B x) as x_re and x_im, q_re C_re + D x as y_re, q_im C_im as y_im.
    """

    blocks = ("x_re", "x_im", "y_re", "y_im")
    inputs, recurrent = ("x_re", "x_im", "y_re"), ("y_re", "y_im")
    biases = ()
    peepholes = ("x_re", "x_re", "x_im", "x_im")
    states = ("h", "q_re", "q_im")
    parameters = ("nu", "theta", "gamma")

    def eigenvalues(self, w):
        """(Re l, Im l, exp(gamma))"""
        p = w.value["p"]
        size, angle = np.exp(-np.exp(p["nu"])), np.exp(p["theta"])
        return size * np.cos(angle), size * np.sin(angle), np.exp(p["gamma"])

    def forward(self, w, x, s):
        l_re, l_im, scale = self.eigenvalues(w)
        x_re, x_im = (scale * w.a(block, x, s.h) for block in ("x_re", "x_im"))
        q_re, q_im = l_re * s.q_re - l_im * s.q_im + x_re, l_re * s.q_im + l_im * s.q_re + x_im
        y_re, y_im = w.a("y_re", x, q_re), w.a("y_im", x, q_im)
        return Values(x_re=x_re, x_im=x_im, y_re=y_re, y_im=y_im, q_re=q_re, q_im=q_im, h=y_re - y_im)

    def backward(self, w, x, s, v, d):
        l_re, l_im, scale = self.eigenvalues(w)
        l = l_re + 1j * l_im
        # h = y_re - y_im
        d.q_re = d.q_re + w.da(x, v.q_re, y_re=d.h, within=True)
        d.q_im = d.q_im + w.da(x, v.q_im, y_im=-d.h, within=True)
        # q = l q' + u; a gradient is dq_re + i dq_im, which conj(factor) carries back
        dq = d.q_re + 1j * d.q_im
        dl, before = dq * (s.q_re - 1j * s.q_im) * l.conj(), dq * l.conj()
        w.grad["p"]["nu"] += -np.exp(w.value["p"]["nu"]) * dl.real.sum(0)
        w.grad["p"]["theta"] += np.exp(w.value["p"]["theta"]) * dl.imag.sum(0)
        # u = exp(gamma) (B x)
        w.grad["p"]["gamma"] += (d.q_re * v.x_re + d.q_im * v.x_im).sum(0)
        w.da(x, s.h, x_re=scale * d.q_re, x_im=scale * d.q_im)
        return Values(h=np.zeros_like(d.h), q_re=before.real, q_im=before.imag)


class CoRnn(Cell):
    """Rusch & Mishra 2021: z = z' + dt (tanh(W x + U h' + V z' + b) - gamma h' - epsilon z'), h = h' + dt z."""

    blocks = inputs = recurrent = ("n",)
    states = ("h", "z")
    feedback = (("n", "z"),)
    dt, gamma, epsilon = 0.042, 2.7, 4.7

    def forward(self, w, x, s):
        n = np.tanh(w.a("n", x, s.h) + w.r("n", s))
        z = s.z + self.dt * (n - self.gamma * s.h - self.epsilon * s.z)
        return Values(n=n, z=z, h=s.h + self.dt * z)

    def backward(self, w, x, s, v, d):
        # h = h' + dt z
        d.z = d.z + self.dt * d.h
        # z = z' + dt (n - gamma h' - epsilon z')
        dn = d.z * self.dt * dtanh(v.n)
        dh, dz = d.h - d.z * self.dt * self.gamma, d.z * (1 - self.dt * self.epsilon)
        return Values(h=dh + w.da(x, s.h, n=dn), z=dz + w.dr(s, n=dn)["z"])


class Lem(Cell):
    """Rusch et al. 2022, as in the authors' code, dt = 1: h reads the new z."""

    blocks = inputs = recurrent = ("d1", "d2", "z", "n")
    states = ("h", "z")

    def forward(self, w, x, s):
        d1, d2 = sigmoid(w.a("d1", x, s.h)), sigmoid(w.a("d2", x, s.h))
        z = (1 - d2) * s.z + d2 * np.tanh(w.a("z", x, s.h))
        n = np.tanh(w.a("n", x, z))
        return Values(d1=d1, d2=d2, squashed=np.tanh(w.a("z", x, s.h)), n=n, z=z, h=(1 - d1) * s.h + d1 * n)

    def value(self, v, block):
        return v.squashed if block == "z" else getattr(v, block)

    def backward(self, w, x, s, v, d):
        # h = (1 - d1) h' + d1 tanh(W x + V z + b)
        dd1, dn, dh = d.h * (v.n - s.h), d.h * v.d1, d.h * (1 - v.d1)
        d.z = d.z + w.da(x, v.z, n=dn * dtanh(v.n), within=True)
        # z = (1 - d2) z' + d2 tanh(a_z)
        dd2, dz = d.z * (v.squashed - s.z), d.z * v.d2
        dh = dh + w.da(x, s.h, d1=dd1 * dsigmoid(v.d1), d2=dd2 * dsigmoid(v.d2), z=dz * dtanh(v.squashed))
        return Values(h=dh, z=d.z * (1 - v.d2))


class MlstmKrause(Cell):
    """Krause et al. 2016, the author's code: m = (W_m x) (U_m h') in place of h'; c = f c' + i g with g = a_g, h = tanh(o c)."""

    blocks = ("um", "wm", "i", "f", "g", "o")
    inputs, recurrent = ("wm", "i", "f", "g", "o"), ("um", "i", "f", "g", "o")
    biases = ("i", "f", "g", "o")
    states = ("h", "c")

    def forward(self, w, x, s):
        um, wm = w.a("um", x, s.h), w.a("wm", x, s.h)
        m = wm * um
        i, f, o = (sigmoid(w.a(gate, x, m)) for gate in "ifo")
        g = w.a("g", x, m)
        c = f * s.c + i * g
        return Values(um=um, wm=wm, i=i, f=f, g=g, o=o, c=c, h=np.tanh(o * c))

    def backward(self, w, x, s, v, d):
        # h = tanh(o c)
        inside = d.h * dtanh(v.h)
        do, d.c = inside * v.c, d.c + inside * v.o
        # c = f c' + i g
        deltas = {"i": d.c * v.g * dsigmoid(v.i), "f": d.c * s.c * dsigmoid(v.f), "g": d.c * v.i, "o": do * dsigmoid(v.o)}
        dm = w.da(x, v.wm * v.um, within=True, **deltas)
        # m = (W_m x) (U_m h')
        return Values(h=w.da(x, s.h, um=dm * v.wm, wm=dm * v.um), c=d.c * v.f)


CELLS = {
    "lstm_hs97": LstmHs97(), "lstm_gers": LstmGers(), "indrnn": IndRnn(), "ugrnn": UgRnn(), "mingru": MinGru(), "minlstm": MinLstm(),
    "slstm": Slstm(), "lru": Lru(), "cornn": CoRnn(), "lem": Lem(), "mlstm_krause": MlstmKrause(),
}
