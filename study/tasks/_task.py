"""What a task is, and what it hands to a net.

A sequence is a function of its own random words and of nothing else: a task says how many words a sequence takes, and
builds as many sequences as it is given words for. So the n-th sequence of a stream is the same one whatever the batch
size, and drawing several batches ahead changes nothing.

On this path NumPy moves data and does exact operations only; every random word comes from `kernels.Stream`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from numbers import Integral

import numpy as np

from study.tasks._rule import Rule


@dataclass(frozen=True, slots=True)
class Batch:
    """B sequences of up to T steps.

    Attributes
    ----------
    x : (T, B, I) float32, +0 past a row's length; or a OneHot, which can be cut like it and np.asarray makes into it
    lengths : (B,) int64, 1..T
    read : (B,) int64, the step at which a row's answer is read
    target : (B,) int64 classes, or (B, 1) float32 numbers
    """

    x: np.ndarray
    lengths: np.ndarray
    read: np.ndarray
    target: np.ndarray

    def until_read(self):
        """The same rows, each ending at the step that is read: all that a forward net can use."""
        return Batch(self.x[: self.read.max() + 1], self.read + 1, self.read, self.target)

    def part(self, start, stop):
        """Rows start..stop - 1, with no more steps than the longest of them has."""
        lengths = self.lengths[start:stop]
        x = np.ascontiguousarray(self.x[: lengths.max(), start:stop])
        return Batch(x, lengths, self.read[start:stop], self.target[start:stop])


@dataclass(frozen=True)
class Task:
    """A definition, as published.

    Attributes
    ----------
    name : definition and version, as in the study file
    title, source : what it is called in figures; author, year, experiment
    axis : what its gap is called: "gap" (steps from cue to read-out) or "scale" (per cent of the published windows)
    smallest_gap : gaps below it are refused
    lag : the shortest way from the last cue to the read-out, as a part of the gap
    inputs, outputs : I, and the read-out's width K
    kind : "class" (softmax over K) or "number" (linear, K = 1)
    chance : {"score", "loss"} of the best predictor that sees nothing: fraction of right answers (for a number: within
        the rule's error), and mean loss
    rule : when the task counts as solved; None where the published task has no such rule
    words : gap -> random words a sequence takes
    build : (words (B, words(gap)) uint64, gap) -> Batch
    test : gap -> Batch (x an array), where the task has a fixed test part; else None, and tests are drawn
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
        """The next `batch` sequences of a stream, as a Batch whose x may not be made yet."""
        self.check(gap)
        size = self.words(gap)
        return self.build(stream.words(batch * size).reshape(batch, size), gap)

    def sample(self, stream, batch, gap):
        """The next `batch` sequences of a stream, as a Batch."""
        drawn = self.draw(stream, batch, gap)
        return replace(drawn, x=np.asarray(drawn.x))

    def score(self, output, target):
        """(B,) bool: the answer is the right one (a class by argmax; a number within the rule's error)."""
        if self.kind == "class":
            return output.argmax(axis=1) == target
        return self.rule.right(self.errors(output, target))

    def errors(self, output, target):
        """(B, K) |output - target|, a class's target being one-hot."""
        if self.kind == "class":
            target = np.eye(self.outputs, dtype=output.dtype)[target]
        return np.abs(output - target)

    def right(self, output, target):
        """(B,) bool: the answer is right in the sense of the pass rule (of `score`, where the rule has no error)."""
        if self.rule is None or self.rule.within is None:
            return self.score(output, target)
        return self.rule.right(self.errors(output, target))
