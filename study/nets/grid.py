"""A grid: layers of an LSTM whose memories go through depth as well as through time.

Layer l at step t has (h, c) along time and (k, m) along depth. First (h, c) = LSTM(k below, h', c'); then, with weights of its
own, (k, m) = LSTM(h, k below, m below). Below the first layer, k is the input and m is 0. The layer gives k to the one above, and
the last layer gives k to the head (Kalchbrenner, Danihelka, Graves, Grid Long Short-Term Memory, 2015, section 3.2). Any cell with
the states h and c will do.
"""

import numpy as np

import kernels
from kernels.tape import SEGMENT
from study.nets.initialisation import Initialisation
from study.nets.module import Gradient, Layer, Module


class Grid(Module):
    """A grid of `layers` layers, (T, B, units) to (T, B, units). What lies past a row's length is not to be read.

    `tied`: all layers have the same weights. W of the cells along depth feeds h, U feeds k below.
    """

    def __init__(self, made_of, dtype):
        cell, H = made_of.cell, made_of.units
        self.depth, self.tied, self.width = made_of.layers, made_of.tied, H
        self.layer, self.through_depth = (kernels.RNN(cell, H, H, dtype=dtype) for _ in range(2))
        self.of_one = self.layer.size  # weights, along time and along depth each
        own = 1 if self.tied else self.depth
        self.size = own * 2 * self.of_one
        self.shapes = {f"{prefix}{way}{name}": shape for prefix in map(_prefix, range(own)) for way in ("", "depth/")
                       for name, shape in self.layer.shapes.items()}

    def init(self, seed, prefix, how):
        """Along time as any layer; along depth, where there are few steps, the standard family instead of that for long memories."""
        parts, cell = [], self.layer.cell
        along_depth = (how if how.family == "standard" else Initialisation())._replace(chrono=None)
        for n in range(self.size // (2 * self.of_one)):
            named = f"{prefix}{_prefix(n)}"
            parts.append(self.layer.init(seed, **how.of_layer(cell), prefix=named))
            parts.append(self.through_depth.init(seed, **along_depth.of_layer(cell), prefix=f"{named}depth/"))
        return np.concatenate(parts)

    def forward(self, theta, x, batch, tape=True):
        k, m, tapes = x, np.zeros_like(x), []
        for n in range(self.depth):
            along_time, along_depth = self._weights(n)
            out = self.layer.forward(theta[along_time], k, lengths=batch.lengths, threads=1, tape=tape)
            below, (k, m, steps) = k, self._deepen(theta[along_depth], out.y, k, m, tape)
            tapes.append((below, out.tape, steps))
        return k, tapes

    def backward(self, theta, tape, dy, wanted):
        grad, norms = np.zeros_like(theta), ()
        dk, dm = dy, np.zeros_like(dy)
        for n in reversed(range(self.depth)):
            along_time, along_depth = self._weights(n)
            _, of_time, steps = tape[n]
            part, dh, dk, dm = self._undeepen(steps, dk, dm)
            grad[along_depth] += part
            back = self.layer.backward(of_time, dh, norms=wanted.norms, truncated=wanted.truncated)
            grad[along_time] += back.theta
            dk = back.x + dk
            norms = ((back.norms,) if wanted.norms else ()) + norms
        return Gradient(grad, dk, norms)

    def stepper(self, theta, rows):
        weights = [self._weights(n) for n in range(self.depth)]
        through_time = [self.layer.stepper(theta[along_time], rows) for along_time, _ in weights]

        def step(x):
            k, m = x[None], np.zeros_like(x[None])
            for of_time, (_, along_depth) in zip(through_time, weights, strict=True):
                k, m, _ = self._deepen(theta[along_depth], of_time(k[0])[None], k, m, tape=False)
            return k[0]

        return step

    def layers(self, tape, at):
        places = (self._weights(n)[0] for n in range(self.depth))
        return [Layer(self.layer, slice(at + place.start, at + place.stop), below, of_time)
                for place, (below, of_time, _) in zip(places, tape, strict=True)]

    def compile(self, training, x, at, truncated):
        k, m = x, None
        for n in range(self.depth):
            along_time, along_depth = (at + part.start for part in self._weights(n))
            below = training.fork(k)
            h = training.recurrent(k, self.layer, along_time, truncated)
            if self.tied:
                training.shared(along_time, self.of_one)
            k, m = training.deep(h, below, m, self.through_depth, along_depth)
            if self.tied:
                training.shared(along_depth, self.of_one)
        return k

    def _weights(self, n):
        """The slices of the n-th layer's weights along time and along depth."""
        start = 0 if self.tied else n * 2 * self.of_one
        return slice(start, start + self.of_one), slice(start + self.of_one, start + 2 * self.of_one)

    def _deepen(self, theta, h, k, m, tape):
        """(k, m, tapes): one step along depth at each place, all places of SEGMENT steps as the rows of one batch."""
        deeper_k, deeper_m, tapes = np.empty_like(k), np.empty_like(m), []
        for steps in _segments(len(h)):
            states = {"h": _row(k[steps]), "c": _row(m[steps])}
            out = self.through_depth.forward(theta, _row(h[steps]), state=states, threads=1, tape=tape)
            deeper_k[steps].reshape(-1)[:], deeper_m[steps].reshape(-1)[:] = out.y.reshape(-1), out.state["c"].reshape(-1)
            tapes.append(out.tape)
        return deeper_k, deeper_m, tapes

    def _undeepen(self, tapes, dk, dm):
        """(gradient of the weights, dh, dk below, dm below) of `_deepen`."""
        grad, dh, below, m_below = np.zeros(self.of_one, dk.dtype), *(np.empty_like(dk) for _ in range(3))
        for steps, tape in reversed(list(zip(_segments(len(dk)), tapes, strict=True))):
            back = self.through_depth.backward(tape, _row(dk[steps]), {"c": _row(dm[steps])})
            grad += back.theta
            for to, part in ((dh, back.x), (below, back.state["h"]), (m_below, back.state["c"])):
                to[steps].reshape(-1)[:] = part.reshape(-1)
        return grad, dh, below, m_below


def _prefix(n):
    """What stands before the names of a layer's weights."""
    return f"layer{n}/" if n else ""


def _segments(T):
    return [slice(t, t + SEGMENT) for t in range(0, T, SEGMENT)]


def _row(a):
    """(T, B, H) as one step of T B rows, (1, T B, H)."""
    return a.reshape(1, -1, a.shape[2])
