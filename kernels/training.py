"""Class Training: many training steps of a net in one native call."""

import math
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from kernels import checks
from kernels.head import probabilities
from kernels.optimizers import SGD, Adam
from kernels.processor import build
from kernels.tape import PACE, SEGMENT, steps_of_a_call

LOSSES = ("cross_entropy", "squared_error", "sigmoid_error", "binary_cross_entropy")      # as Loss in steps.pyx
MOST_INPUTS = 2**16 - 1     # a symbol has 16 bits


class Clip(NamedTuple):
    """Bounds on a gradient: on its Euclidean norm and on each of its numbers, as clip_by_norm and clip_by_value; None: no bound."""

    norm: float | None = None
    value: float | None = None


class Sequences(NamedTuple):
    """N sequences to learn from. Letters: T steps, I inputs, K outputs.

    Attributes
    ----------
    x : (T, N, I) array, float32 or the net's dtype
        Or an object with `symbols` (T, N), integers 0..I, of which I stands for a row of +0 and any other for a one-hot row. A
        recurrent layer that reads them looks weights up, in place of multiplying them by 0 and 1; of finite weights, the bits are the same.
    lengths : (N,) integers 1..T
    read : (answers,) integers
        The step at which each answer is read; answers are ordered by row, then by step.
    target : (answers,) classes, or (answers, K) numbers
        The error of a sigmoid takes either, cross-entropy classes, the squared error numbers, binary cross-entropy numbers from 0
        to 1.
    offsets : (N + 1,) integers, optional
        Row n has the answers offsets[n]..offsets[n + 1] - 1, at least one; where missing, each row has one.
    """

    x: np.ndarray
    lengths: np.ndarray
    read: np.ndarray
    target: np.ndarray
    offsets: np.ndarray | None = None


class Trained(NamedTuple):
    """What a run gives. It ends early at the first batch whose loss, or whose gradient, is not finite, and does not learn from it.

    Attributes
    ----------
    loss : (n,)
        Of each sequence, before the net learned from it: the mean over its answers. Sequences of a batch whose loss is not
        finite are not among them.
    output : (answers, K)
        What the net answered: the softmax for cross-entropy, the sigmoid for its error and for binary cross-entropy, the outputs for
        the squared error.
    fault : "loss", "gradient" or None
    """

    loss: np.ndarray
    output: np.ndarray
    fault: str | None


class Training:
    """A net between inputs and a loss, compiled for training. It runs on one thread.

    A net is made from its inputs on: each method that adds a part takes the number of the part that it reads (0 are the inputs) and
    gives the number of the new part. The part added last gives the outputs. Letters: T steps, B rows, P answers, I inputs.

    Parameters
    ----------
    inputs : int
    weights : int
        The length of theta, in which each part has its weights from an offset on.
    loss : "cross_entropy", "squared_error", "sigmoid_error" or "binary_cross_entropy"
    most : (T, B, P)
        Most steps, rows and answers of a batch.
    dtype : "float32" or "float64"

    Notes
    -----
    Each step computes what RNN, Readout, the losses, clipping and the optimizers compute one by one, to the bit.
    """

    inputs, weights, loss, most, dtype = (checks.Fixed() for _ in range(5))

    def __init__(self, inputs, weights, loss, most, dtype="float32"):
        self.inputs, self.weights = checks.whole("inputs", inputs, most=MOST_INPUTS), checks.whole("weights", weights)
        self.loss, self.dtype = checks.choice("loss", loss, LOSSES), checks.dtype("dtype", dtype)
        self.most = tuple(checks.whole("most", n) for n in most)
        self._steps = build("steps", self.dtype.name).Steps(*self.most, self.weights, PACE, LOSSES.index(self.loss))
        self._loop = build("timeloop", self.dtype.name)
        self._parts = []        # (width, whether it has a row for each step) of each port
        self._port(self.inputs, steps=True, gradient=False)

    def affine(self, x, readout, at):
        """Add a Readout: of each step, or of each answer where x is `answers`."""
        _, steps = self._part(x, readout.inputs)
        self._weights("readout", readout, at)
        y = self._port(readout.outputs, steps)
        self._steps.affine(x, y, steps, at)
        return y

    def answers(self, x):
        """Add what reads the rows of x at the places where the batch has answers."""
        width, _ = self._part(x, steps=True)
        y = self._port(width, steps=False)
        self._steps.gather(x, y)
        return y

    def attention(self, x, attention, at):
        """Add an Attention, which reads the states x of each step and has a row for each answer."""
        self._part(x, attention.units, steps=True)
        self._weights("attention", attention, at)
        y = self._port(2 * attention.units, steps=False)
        self._steps.attention(x, y, *attention._numbers(), at)
        return y

    def tanh(self, x):
        """Add the tanh of x, which has a row for each answer."""
        width, _ = self._part(x, steps=False)
        y = self._port(width, steps=False)
        self._steps.tanh(x, y)
        return y

    def recurrent(self, x, layer, at, truncated=False):
        """Add an RNN, with its directions and their merge. `truncated`: as in RNN.backward."""
        self._part(x, layer.inputs, steps=True)
        self._weights("layer", layer, at)
        checks.truncation(layer.cell, truncated)
        H, readers = layer.units, [x]
        if layer.direction == "both":
            readers.append(self.fork(x))
        y = self._port(len(readers) * H)
        for d, (name, reader) in enumerate(zip(layer._names, readers)):
            recurrence = layer._recurrence(*self.most[:2], name == "reverse")
            self._add(recurrence, reader, y, at + layer._offsets[f"{name}/W"], column=d * H, layer=layer, truncated=truncated)
        if layer.direction != "both" or layer.merge == "concat":
            return y
        merged = self._port(H)
        if layer.merge == "learned":
            recurrence = self._loop.Recurrence("affine", 2 * H, H, *self.most[:2], False)
            self._add(recurrence, y, merged, at + layer._offsets["merge/M"], column=0, layer=layer, truncated=False)
        else:
            self._steps.halves(y, merged, layer.merge == "mean")
        return merged

    def deep(self, x, h, c, layer, at):
        """Add one step of an RNN at each place, from x and the states h and c there; return the numbers of its h and its c.

        The layer is a forward one whose cell has the states h and c. Nothing else reads x, h and c; a c of None is 0. The weight
        gradients of each 32 steps are added up first.
        """
        if layer.cell.states != ("h", "c") or layer.direction != "forward" or layer.block > 1:
            raise ValueError(f"layer: expected a forward one with the states h and c, without memory cell blocks, got {layer.direction} "
                             f"{layer.cell.name} of block {layer.block}")
        for part, width in ((x, layer.inputs), (h, layer.units), (c, layer.units)):
            if part is not None:
                self._part(part, width, steps=True)
        self._weights("layer", layer, at)
        T, B, _ = self.most
        recurrence = layer._recurrence(1, SEGMENT * B, False)
        recurrence.place(np.empty(recurrence.size, np.uint8))
        after = self._port(layer.units), self._port(layer.units)
        ports = [None if part is None else self._steps.capsule(part) for part in (x, h, c, *after)]
        pace = steps_of_a_call(layer, B)
        self._steps.recurrence(recurrence, recurrence.deep_module(ports, at, chunks=-(-T // SEGMENT), pace=pace))
        return after

    def shared(self, at, size):
        """Let the part added last share its weights, the `size` ones from `at` on: their gradients are summed part by part."""
        self._steps.apart(at, size)

    def fork(self, x):
        """Add a copy of x, for a second reader, before the first reader is added."""
        self._parts.append(self._part(x, steps=True))
        return self._steps.fork(x)

    def sum(self, x, y):
        """Add x to the part y, in place. x is a fork, so that nothing else reads it."""
        width, _ = self._part(x, steps=True)
        self._part(y, width, steps=True)
        self._steps.sum(x, y)
        return y

    def run(self, theta, optimizer, sequences, rows, clip=Clip()):
        """Train on batches of `rows` sequences, in order; the last batch has what is left.

        Parameters
        ----------
        theta : (weights,) array
            Changes in place.
        optimizer : SGD or Adam
        sequences : Sequences
            Or another object with its attributes.
        rows : int
        clip : Clip

        Returns
        -------
        Trained

        Raises
        ------
        Whatever a signal's handler raises, a few times a second; theta and the optimizer have then learned from some batches.
        """
        theta = checks.changed("theta", theta, (self.dtype,), (self.weights,))
        if not isinstance(optimizer, (SGD, Adam)) or not isinstance(clip, Clip):
            raise TypeError(f"optimizer, clip: expected SGD or Adam, and Clip, got {optimizer!r} and {clip!r}")
        if (optimizer.size, optimizer.dtype) != (self.weights, self.dtype):
            raise ValueError(f"optimizer: expected one of {self.weights} weights of {self.dtype}, got one of {optimizer.size} of "
                             f"{optimizer.dtype}")
        if self._parts[-1][1]:
            raise ValueError("parts: expected the last one to have a row for each answer, got one with a row for each step")
        data = self._data(sequences, checks.whole("rows", rows))
        update = optimizer._compiled(theta)
        bounds = [math.inf if most is None else checks.number(f"clip.{name}", most, 0) for name, most in zip(clip._fields, clip)]
        try:
            answered, fault = self._steps.run(theta, data, rows, update, *bounds)
        finally:        # what a signal's handler raises may be caught, and the run go on
            optimizer._stepped(update)
        return Trained(data.loss[:answered], data.output[: data.first[answered]], fault)

    def _port(self, width, steps=True, gradient=True):
        self._parts.append((width, steps))
        return self._steps.port(width, steps, gradient)

    def _part(self, x, width=None, steps=None):
        """(width, whether it has a row for each step) of the part x, which is as its reader needs it."""
        x = checks.whole("x", x, 0, len(self._parts) - 1)
        found = self._parts[x]
        if width not in (None, found[0]):
            raise ValueError(f"x: expected a part of width {width}, got part {x}, of width {found[0]}")
        if steps not in (None, found[1]):
            rows = "step", "answer"
            raise ValueError(f"x: expected a part with a row for each {rows[not steps]}, got part {x}, which has one for each "
                             f"{rows[steps]}")
        return found

    def _weights(self, name, part, at):
        if part.dtype != self.dtype:
            raise ValueError(f"{name}: expected {self.dtype}, got {part.dtype}")
        checks.whole("at", at, 0, self.weights - part.size)

    def _add(self, recurrence, x, y, at, *, column, layer, truncated):
        recurrence.place(np.empty(recurrence.size, np.uint8))
        ports = self._steps.capsule(x), self._steps.capsule(y)
        pace = steps_of_a_call(layer, self.most[1])
        self._steps.recurrence(recurrence, recurrence.module(*ports, at, column=column, pace=pace, truncated=truncated))

    def _data(self, given, rows):
        """The sequences as the compiled steps read them: copies, checked, for another thread may change the caller's arrays."""
        T, B, P = self.most
        K, _ = self._parts[-1]
        lengths = checks.integers("lengths", given.lengths, ("N",)).astype(np.int64)
        read = checks.integers("read", given.read, ("answers",)).astype(np.int64)
        N = len(lengths)
        first = np.arange(N + 1) if given.offsets is None else checks.integers("offsets", given.offsets, (N + 1,)).astype(np.int64)
        counts = np.diff(first)
        if first[0] != 0 or first[-1] != len(read) or counts.min() < 1:
            raise ValueError(f"offsets: expected 0 first, {len(read)} (answers) last, and one answer or more for each row")
        starts = np.arange(0, N, rows)
        if lengths.min() < 1 or lengths.max() > T:
            raise ValueError(f"lengths: expected integers in 1..{T}, got {lengths.min()}..{lengths.max()}")
        if min(rows, N) > B or (first[np.minimum(starts + rows, N)] - first[starts]).max() > P:
            raise ValueError(f"rows: expected batches of at most {B} rows and {P} answers, got {rows} rows")
        if read.min() < 0 or (read >= np.repeat(lengths, counts)).any():
            raise ValueError("read: expected a step within the length of its row")
        data = SimpleNamespace(first=first, read=read, lengths=lengths.astype(np.int32), x=None, symbols=None, label=None, number=None,
                               loss=np.empty(N, self.dtype), output=np.empty((len(read), K), self.dtype))
        data.T = self._inputs(data, given.x, N, lengths.max())
        if self.loss == "cross_entropy":
            data.label = self._classes(given.target, len(read), K)
        elif self.loss == "sigmoid_error" and np.asarray(given.target).dtype in checks.INTEGERS:
            data.number = np.eye(K, dtype=self.dtype)[self._classes(given.target, len(read), K)]
        else:
            target = checks.fits("target", given.target, checks.FLOATS, (len(read), K))
            data.number = np.ascontiguousarray(target, self.dtype)
            if self.loss == "binary_cross_entropy":
                probabilities(data.number)
        return data

    def _classes(self, target, answers, K):
        label = checks.integers("target", target, (answers,)).astype(np.int64)
        if label.min() < 0 or label.max() >= K:
            raise ValueError(f"target: expected integers of 0 to {K - 1}, got {label.min()}..{label.max()}")
        return label

    def _inputs(self, data, x, N, longest):
        """Set data.x or data.symbols, and return their steps."""
        if not hasattr(x, "symbols"):
            x = checks.fits("x", x, (np.dtype(np.float32), self.dtype), ("T", N, self.inputs))
            data.x = np.ascontiguousarray(x, self.dtype)
            T = len(x)
        else:
            symbols = checks.fits("x.symbols", x.symbols, checks.INTEGERS, ("T", N))
            if symbols.min() < 0 or symbols.max() > self.inputs:
                raise ValueError(f"x.symbols: expected integers in 0..{self.inputs}, got {symbols.min()}..{symbols.max()}")
            data.symbols = np.ascontiguousarray(symbols.T, np.uint16)
            T = len(symbols)
        if T < longest:
            raise ValueError(f"x: expected {longest} steps or more (the longest row), got {T}")
        return T
