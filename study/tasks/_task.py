"""The two types of this folder: a Task, and the Batch that it makes.

A sequence is a function of its own random words and of nothing else: a task says how many words a sequence takes, and builds as
many sequences as it is given words for. So the n-th sequence of a stream does not depend on the batch size, nor on how many
sequences are drawn at a time.

A trial's bits depend on this code, so NumPy only moves data and does exact operations here, and every random word comes from
`kernels.Stream`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np

from study.tasks._rule import Rule


@dataclass(frozen=True, slots=True)
class Batch:
    """B sequences of up to T steps, with P answers, which are ordered by row and, within a row, by step.

    Attributes
    ----------
    x : (T, B, I) float32, +0 past a row's length; or a OneHot, which is cut like an array and becomes one by np.asarray
    lengths : (B,) int64, 1..T
    read : (P,) int64, the step at which each answer is read
    target : (P,) int64 classes, or (P, K) float32 numbers
    offsets : (B + 1,) int64; row b has the answers offsets[b]..offsets[b + 1] - 1, at least one. None: one answer a row, P = B
    """

    x: np.ndarray
    lengths: np.ndarray
    read: np.ndarray
    target: np.ndarray
    offsets: np.ndarray | None = None

    @classmethod
    def masked(cls, x, lengths, targets, mask):
        """A Batch with an answer at each place where mask (T, B) is true, from targets (T, B) or (T, B, K)."""
        rows, read = mask.T.nonzero()
        offsets = np.searchsorted(rows, np.arange(len(lengths) + 1))
        return cls(x, lengths, read, targets[read, rows], offsets)

    def places(self):
        """(P,) int64, where the answers are among the T B places of an array (T, B, n)."""
        B = len(self.lengths)
        rows = np.arange(B) if self.offsets is None else np.repeat(np.arange(B), np.diff(self.offsets))
        return self.read * B + rows

    def all_of_row(self, right):
        """(B,) bool: whether all answers of a row are right, of right (P,) bool."""
        return right if self.offsets is None else np.logical_and.reduceat(right, self.offsets[:-1])

    def last_answers(self):
        """The same sequences, each with its last answer only."""
        if self.offsets is None:
            return self
        last = self.offsets[1:] - 1
        return Batch(self.x, self.lengths, self.read[last], self.target[last])

    def until_read(self):
        """The same sequences, each ending at the step of its last answer."""
        last = self.last_answers().read
        return Batch(self.x[: last.max() + 1], last + 1, self.read, self.target, self.offsets)

    def usable(self, direction):
        """The part that can matter to a net of that direction: for a forward net, nothing after the last answer."""
        return self.until_read() if direction == "forward" else self

    def rows(self, start, stop):
        """Rows start..stop - 1, with x as it is."""
        lengths, offsets, answers = self.lengths[start:stop], None, slice(start, stop)
        if self.offsets is not None:
            offsets = self.offsets[start : start + len(lengths) + 1]
            answers, offsets = slice(offsets[0], offsets[-1]), offsets - offsets[0]
        return Batch(self.x[:, start:stop], lengths, self.read[answers], self.target[answers], offsets)

    def part(self, start, stop):
        """Rows start..stop - 1, with no more steps than the longest of them has, and x as an array."""
        rows = self.rows(start, stop)
        return replace(rows, x=np.ascontiguousarray(rows.x[: rows.lengths.max()]))

    def most_answers(self, rows):
        """The most answers that a batch of `rows` rows in order has."""
        if self.offsets is None:
            return min(rows, len(self.lengths))
        borders = self.offsets[np.minimum(np.arange(0, len(self.lengths) + rows, rows), len(self.lengths))]
        return int(np.diff(borders).max())


@dataclass(frozen=True)
class Task:
    """A definition, as published.

    Attributes
    ----------
    name : definition and version, as in the study file
    title, source : what it is called in figures; author, year, experiment
    axis : what its gap is called: "gap" (steps from the cue to the answer) or "scale" (per cent of the published windows)
    smallest_gap : gaps below it are refused
    lag : the fewest steps from the last cue to the answer, as a fraction of the gap
    inputs, outputs : I, and K, the outputs of the net
    kind : what a target is: "class", one of K, or "number", K of them
    loss : the loss that nets learn it by, a file of study/nets/losses that takes this kind of target
    chance : {"score", "loss"} of the best predictor that does not see the input: the fraction of sequences that it answers right
        (a number: within the rule's error), and its mean loss
    rule : when the task counts as solved; None where the published task has no such rule
    words : gap -> how many random words a sequence takes
    build : (words (B, words(gap)) uint64, gap) -> Batch
    test : gap -> Batch (x an array), where the task has a fixed test part; else None, and test sequences are drawn
    """

    name: str
    title: str
    source: str
    axis: str
    smallest_gap: int
    lag: float
    inputs: int
    outputs: int
    kind: str
    loss: str
    chance: dict
    rule: Rule | None
    words: Callable
    build: Callable
    test: Callable | None = None

    def check(self, gap):
        """Raise TypeError or ValueError unless `gap` is a gap that this task has."""
        if isinstance(gap, bool) or not isinstance(gap, Integral):
            raise TypeError(f"{self.axis}: expected a whole number, got {gap!r}")
        if gap < self.smallest_gap:
            raise ValueError(f"{self.axis}: {self.name} needs at least {self.smallest_gap}, got {gap}")

    def draw(self, stream, batch, gap):
        """The next `batch` sequences of a stream, as a Batch whose x may still be a OneHot."""
        self.check(gap)
        size = self.words(gap)
        return self.build(stream.words(batch * size).reshape(batch, size), gap)

    def sample(self, stream, batch, gap):
        """The next `batch` sequences of a stream, as a Batch whose x is an array."""
        drawn = self.draw(stream, batch, gap)
        return replace(drawn, x=np.asarray(drawn.x))

    def score(self, output, batch):
        """(B,) bool: all answers of a sequence are right (a class by argmax, a number within the rule's error)."""
        if self.kind == "class":
            return batch.all_of_row(output.argmax(axis=1) == batch.target)
        return batch.all_of_row(self.rule.right(self.errors(output, batch.target)))

    def errors(self, output, target):
        """(P, K) |output - target|, where the target of a class is one-hot."""
        if self.kind == "class":
            target = np.eye(self.outputs, dtype=output.dtype)[target]
        return np.abs(output - target)

    def right(self, output, batch):
        """(B,) bool: all answers of a sequence are right in the sense of the pass rule (of `score`, if it bounds no error)."""
        if self.rule is None or self.rule.within is None:
            return self.score(output, batch)
        return batch.all_of_row(self.rule.right(self.errors(output, batch.target)))
