"""Class Attention: what answers see of their rows, for float32 and float64. T steps, B rows, P answers, n units."""

from types import SimpleNamespace

import numpy as np

from kernels import checks
from kernels.initial import uniform
from kernels.processor import build

SCORES = {"additive": ("P", "Q", "v"), "general": ("Q",), "dot": ()}    # each with its weights, in attend.pxd's order
SIGHT = ("forward", "reverse", "both")      # in attend.pxd's order: steps before, after, all

_readout = {dtype: build("readout", dtype.name) for dtype in checks.FLOATS}
_SCRATCH = ("alpha", "dalpha", "tanhs", "dmemory", "dkeys", "dquery", "dstate", "turned", "record")


class AttentionTape:
    """What a forward pass leaves for one backward pass."""

    def __init__(self, arrays):
        self._arrays = arrays

    def _take(self):
        arrays, self._arrays = self._arrays, None
        if arrays is None:
            raise RuntimeError("tape: a backward pass has spent it; run forward again")
        return arrays


class Attention:
    """[c, s] of each answer: s is the state where it is read, c = sum_j alpha_j h_j with alpha = softmax(e).

    Parameters
    ----------
    units : int
        n, 1 or more.
    score : "additive", "general" or "dot"
        e_j = v . tanh(s P + h_j Q) (Bahdanau, Cho & Bengio 2015), (s Q) . h_j or s . h_j (Luong, Pham & Manning 2015).
    direction : "forward", "reverse" or "both"
        That of the layer whose states these are. An answer sees the steps of its row that the layer has passed before the one that
        is read: those before it, or those after it ("reverse"). In a layer of both directions each state depends on the whole row,
        so an answer sees all steps.
    dtype : "float32" or "float64"

    Attributes
    ----------
    units, score, direction, dtype
        As given, dtype as NumPy's; fixed, as all attributes.
    shapes : {name: shape}
        P and Q (n, n), v (n,), as far as the score has them. Each reading gives a new dict.
    size : int
        The number of parameters; 0 for "dot".

    Notes
    -----
    c is 0 where an answer sees no step. attend.pxd says in which order sums are computed.
    """

    units, score, direction, dtype, size = (checks.Fixed() for _ in range(5))
    shapes = checks.FixedDict()

    def __init__(self, units, score="additive", direction="forward", dtype="float32"):
        self.units, self.score = checks.whole("units", units), checks.choice("score", score, SCORES)
        self.direction, self.dtype = checks.choice("direction", direction, SIGHT), checks.dtype("dtype", dtype)
        self.shapes = {name: (self.units,) * (1 if name == "v" else 2) for name in SCORES[score]}
        self.size = sum(self.units ** len(shape) for shape in self.shapes.values())

    def __reduce__(self):
        return type(self), (self.units, self.score, self.direction, self.dtype.name)

    def init(self, seed, name="attention"):
        """theta (size,), uniform in +-1/sqrt(units); each parameter has its stream ("weights", seed, name/parameter)."""
        seed = checks.whole("seed", seed, least=0)
        theta = np.empty(self.size, self.dtype)
        uniform(self.view(theta), seed, name, 1 / float(np.sqrt(self.units)))
        return theta

    def view(self, theta):
        """{name: view into theta (size,)}; theta may have either dtype."""
        if self.size:
            theta = checks.fits("theta", theta, checks.FLOATS, (self.size,))
        at, views = 0, {}
        for name, shape in self.shapes.items():
            views[name] = theta[at : at + self.units ** len(shape)].reshape(shape)
            at += views[name].size
        return views

    def forward(self, theta, h, lengths, places, record=False):
        """Outputs of answers.

        Parameters
        ----------
        theta : (size,)
        h : (T, B, n)
            States; what lies past a row's length is never read.
        lengths : (B,), integers 1..T
        places : (P,), integers
            t B + b of each answer, with t within its row's length.
        record : bool
            Give alpha too.

        Returns
        -------
        out : (P, 2 n)
        tape
            For one backward pass.
        alpha : (P, T) or None
            By h's t, 0 at steps that an answer does not see.
        """
        theta, h = self._theta(theta), checks.array("h", h, (self.dtype,), ("T", "B", self.units))
        T, B, n = h.shape
        lengths = checks.integers("lengths", lengths, (B,)).astype(np.int32)
        if lengths.min() < 1 or lengths.max() > T:
            raise ValueError(f"lengths: expected integers in 1..{T}, got {lengths.min()}..{lengths.max()}")
        places = checks.integers("places", places, ("P",)).astype("l")
        if places.min() < 0 or (places // B >= lengths[places % B]).any():
            raise ValueError("places: expected t B + b with a step t within the length of row b")
        R, P, keys = int(lengths.astype(np.int64).sum()), len(places), self.score == "additive"
        a = self._new(alpha=T, tanhs=T * n * keys, record=(P, T) if record else None)
        a.lengths, a.places, a.shape = lengths, places, h.shape
        a.start, a.first, a.count = np.empty(B, "l"), np.empty(P, "l"), np.empty(P, "l")
        a.memory, a.keys, a.query = (np.empty(shape, self.dtype) for shape in ((R, n), (R * keys, n), (P, n)))
        a.out = np.empty((P, 2 * n), self.dtype)
        _readout[self.dtype].attend_forward(a, theta, h)
        return a.out.copy(), AttentionTape(a), a.record

    def backward(self, theta, tape, dout):
        """Gradients with respect to theta (size,) and h (T, B, n), from the tape and dout (P, 2 n). It spends the tape."""
        theta, n, a = self._theta(theta), self.units, tape._take()
        dout = checks.array("dout", dout, (self.dtype,), a.out.shape)
        T, P, keys = a.shape[0], len(dout), self.score == "additive"
        new = self._new(alpha=T, dalpha=T, tanhs=T * n * keys, dmemory=a.memory.size, dkeys=a.keys.size, dquery=P * n,
                        dstate=P * n, turned=n * n)
        vars(a).update({name: array for name, array in vars(new).items() if name in _SCRATCH})
        grad, dh = np.zeros(self.size, self.dtype), np.empty(a.shape, self.dtype)
        _readout[self.dtype].attend_backward(a, theta, dout, grad, dh)
        return grad, dh

    def _theta(self, theta):
        """The weights as given; a score without weights takes whatever it gets for them."""
        return checks.array("theta", theta, (self.dtype,), (self.size,)) if self.size else np.empty(0, self.dtype)

    def _new(self, **shapes):
        """The struct of attend.pxd, with zeroed arrays of these shapes, and None for others."""
        arrays = {name: None if shapes.get(name) is None else np.zeros(shapes[name], self.dtype) for name in _SCRATCH}
        score, sight = self._numbers()
        return SimpleNamespace(n=self.units, score=score, sight=sight, **arrays)

    def _numbers(self):
        """Score and direction as attend.pxd numbers them."""
        return tuple(SCORES).index(self.score), SIGHT.index(self.direction)
