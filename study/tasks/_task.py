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

from study.tasks._rule import Rule, largest


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
    judged : (P,) bool, the answers that count for the score and the pass rule, at least one a row. None: all of them
    truth : what answers are judged by. None: the target. (P, K) bool: the classes that may be the answer, of which the target is
        one. (P, K) float32: the numbers without the noise that the target has
    """

    x: np.ndarray
    lengths: np.ndarray
    read: np.ndarray
    target: np.ndarray
    offsets: np.ndarray | None = None
    judged: np.ndarray | None = None
    truth: np.ndarray | None = None

    @classmethod
    def masked(cls, x, lengths, targets, mask, judged=None, truth=None):
        """A Batch with an answer at each place where mask (T, B) is true, from arrays (T, B) or (T, B, K)."""
        rows, read = mask.T.nonzero()
        offsets = np.searchsorted(rows, np.arange(len(lengths) + 1))
        at = (read, rows)
        return cls(x, lengths, read, targets[at], offsets, *(array if array is None else array[at] for array in (judged, truth)))

    def places(self):
        """(P,) int64, where the answers are among the T B places of an array (T, B, n)."""
        B = len(self.lengths)
        rows = np.arange(B) if self.offsets is None else np.repeat(np.arange(B), np.diff(self.offsets))
        return self.read * B + rows

    def counted(self, right):
        """(right answers of each row (B,), all of its answers (B,)) of those that count, from right (P,) bool."""
        judged = np.ones(len(right), bool) if self.judged is None else self.judged
        counts = np.stack([right & judged, judged], axis=1).astype(np.int64)
        return (counts if self.offsets is None else np.add.reduceat(counts, self.offsets[:-1])).T

    def all_of_row(self, right):
        """(B,) bool: whether all answers of a row that count are right, of right (P,) bool."""
        if self.judged is not None:
            right = right | ~self.judged
        return right if self.offsets is None else np.logical_and.reduceat(right, self.offsets[:-1])

    def last_answers(self):
        """The same sequences, each with its last answer only."""
        if self.offsets is None:
            return self
        return replace(self._answers(self.offsets[1:] - 1), offsets=None)

    def last_judged(self):
        """The same sequences, each with the last of its answers that count only."""
        if self.judged is None or self.offsets is None:
            return self.last_answers()
        counting = np.flatnonzero(self.judged)
        return replace(self._answers(counting[np.searchsorted(counting, self.offsets[1:]) - 1]), offsets=None)

    def until_read(self):
        """The same sequences, each ending at the step of its last answer."""
        last = self.last_answers().read
        return replace(self, x=self.x[: last.max() + 1], lengths=last + 1)

    def usable(self, direction):
        """The part that can matter to a net of that direction: for a forward net, nothing after the last answer."""
        return self.until_read() if direction == "forward" else self

    def rows(self, start, stop):
        """Rows start..stop - 1, with x as it is."""
        lengths, offsets, answers = self.lengths[start:stop], None, slice(start, stop)
        if self.offsets is not None:
            offsets = self.offsets[start : start + len(lengths) + 1]
            answers, offsets = slice(offsets[0], offsets[-1]), offsets - offsets[0]
        return replace(self._answers(answers), x=self.x[:, start:stop], lengths=lengths, offsets=offsets)

    def _answers(self, at):
        """The same with the answers at these places only, and `offsets` as they are."""
        judged, truth = (array if array is None else array[at] for array in (self.judged, self.truth))
        return replace(self, read=self.read[at], target=self.target[at], judged=judged, truth=truth)

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
    axis : what its gap is called: "gap" (steps from the cue to the answer), "length" (most steps of a sequence) or "scale" (per
        cent of the published windows)
    smallest_gap : gaps below it are refused
    lag : the fewest steps from the last cue to the answer, as a fraction of the gap
    inputs, outputs : I, and K, the outputs of the net; each a number, or gap -> number
    kind : what a target is: "class", one of K, "number", K of them, or "binary", K numbers that are 0 or 1
    loss : the loss that nets learn it by, a file of study/nets/losses that takes this kind of target
    chance : {"score", "loss"}: the fraction of sequences that are right by the best constant answer, and the least mean loss of
        one; of a constant for each step, if all sequences are asked at the same steps. Each a number, or gap -> number
    rule : when the task counts as solved; None where the published task has no such rule
    words : gap -> how many random words a sequence takes
    build : (words (B, words(gap)) uint64, gap) -> Batch
    test : gap -> Batch (x an array), where the task has a fixed test part; else None, and test sequences are drawn
    largest_gap : gaps above it are refused; None: none is
    segment : steps after which a net learns from a stream, which goes on with the state and ends at its first wrong answer (every
        step has one); None: sequences are no streams, and are learned from as a whole
    symbols : what the inputs stand for where x is one-hot: a string of characters, a tuple of words, or gap -> one of these; else None
    answers : what the outputs stand for, in the same way; None: they are named by their numbers
    writes : whether each answer is what the sequence has at the next step, which a net must not have seen; of a task with symbols a
        net can write text, and the answers are the symbols
    stop : with which symbols, as texts, what a net writes ends; () where it does not end
    needs : what the smallest gap has room for, for the message that refuses a smaller one; "" where a gap says it
    conditions : names of the conditions in which a test counts minimal pairs; () where a task has none
    contrasts : Batch -> (answers (N,), wrong classes (N,), conditions (N,)), the minimal pairs of a batch as it was built, or of
        its rows: places among its P answers, the one wrong class that each is set against, and numbers of `conditions`. Constant
        outputs prefer the right class in half of each condition's pairs, or in half of the pairs of two conditions. None: no pairs
    data : with what the paths of its files in data.sha256 begin, "package/..."; None: all is drawn, or comes with scikit-learn
    """

    name: str
    title: str
    source: str
    axis: str
    smallest_gap: int
    lag: float
    inputs: int | Callable
    outputs: int | Callable
    kind: str
    loss: str
    chance: dict
    rule: Rule | None
    words: Callable
    build: Callable
    test: Callable | None = None
    largest_gap: int | None = None
    segment: int | None = None
    symbols: str | tuple | Callable | None = None
    answers: str | tuple | Callable | None = None
    writes: bool = False
    stop: tuple = ()
    needs: str = ""
    conditions: tuple = ()
    contrasts: Callable | None = None
    data: str | None = None

    def check(self, gap, axis=None):
        """Raise TypeError or ValueError unless `gap` is a gap that this task has. `axis`: what the message calls it."""
        axis = axis or self.axis
        if isinstance(gap, bool) or not isinstance(gap, Integral):
            raise TypeError(f"{axis}: expected a whole number, got {gap!r}")
        if gap < self.smallest_gap:
            room = self.needs and f" (room for {self.needs})"
            raise ValueError(f"{axis}: {self.name} needs at least {self.smallest_gap}, got {gap}{room}")
        if self.largest_gap is not None and gap > self.largest_gap:
            raise ValueError(f"{axis}: {self.name} has at most {self.largest_gap}, got {gap}")

    def at(self, gap):
        """The task at one gap: nothing that describes its nets is a function of the gap any more."""
        def here(value):
            return value(gap) if callable(value) else value

        chance = {name: here(value) for name, value in self.chance.items()}
        names = {"symbols": here(self.symbols), "answers": here(self.answers)}
        return replace(self, inputs=here(self.inputs), outputs=here(self.outputs), chance=chance, **names)

    def draw(self, stream, batch, gap):
        """The next `batch` sequences of a stream, as a Batch whose x may still be a OneHot."""
        self.check(gap)
        size = self.words(gap)
        return self.build(stream.words(batch * size).reshape(batch, size), gap)

    def sample(self, stream, batch, gap):
        """The next `batch` sequences of a stream, as a Batch whose x is an array."""
        drawn = self.draw(stream, batch, gap)
        return replace(drawn, x=np.asarray(drawn.x))

    def scored(self, output, batch):
        """(P,) bool: which answers are right.

        A class by argmax or by the classes that may be, a number by the rule, binary numbers if each is nearer to its target.
        """
        if self.kind == "binary":
            return ((output > 0.5) == (batch.target > 0.5)).all(axis=1)
        if self.kind == "number":
            return self.rule.right(output, self._numbers(output, batch))
        return output.argmax(axis=1) == batch.target if batch.truth is None else largest(output, batch.truth)

    def passed(self, output, batch, scored=None):
        """(P,) bool: which answers are right in the sense of the pass rule (of `scored`, if it bounds no number).

        `scored`: what `scored` returns for them, where the caller has it.
        """
        if self.rule is None or not self.rule.numeric:
            return self.scored(output, batch) if scored is None else scored
        return self.rule.right(output, self._numbers(output, batch))

    def score(self, output, batch):
        """(B,) bool: all answers of a sequence are right, as `scored`."""
        return batch.all_of_row(self.scored(output, batch))

    def right(self, output, batch):
        """(B,) bool: all answers of a sequence are right, as `passed`."""
        return batch.all_of_row(self.passed(output, batch))

    def has_past(self, gap, direction):
        """Whether a net of that direction has passed another step of the sequence before one that is read."""
        batch = self.build(np.zeros((1, self.words(gap)), np.uint64), gap)
        last = batch.lengths[0] - 1
        return bool({"forward": batch.read.max() > 0, "reverse": batch.read.min() < last, "both": last > 0}[direction])

    def errors(self, output, batch):
        """(P, K) |output - target|, where the target of a class is one-hot."""
        return np.abs(output - self._numbers(output, batch))

    def _numbers(self, output, batch):
        """(P, K) what the outputs should be."""
        if self.kind == "class":
            return np.eye(self.outputs, dtype=output.dtype)[batch.target]
        return batch.target if batch.truth is None else batch.truth
