"""Pass rules: when a net has solved a task.

A rule looks at the last `window` training sequences, each answered before the net learned from it. The rule is met at the first
sequence at which enough of the window are right and, where the rule bounds it, their mean absolute error is small.
Errors are added as integers in units of 2^-40, so no sum depends on its order.
"""

from dataclasses import dataclass

import numpy as np

UNIT = 2.0**40
LARGEST = 1024.0  # larger errors count as this, so that the sum over a window fits 64 bits


@dataclass(frozen=True)
class Rule:
    """All of the last `window` right but `wrong`, with mean error below `mean`.

    Attributes
    ----------
    within : an answer is right if the error of every output is below this
    beyond : an answer is right if every output has the sign of its target and is farther from 0 than this
        None for both: if argmax is the target, or, of several symbols that may come, if they have the largest outputs
    mean : bound on the mean absolute error over the sequences of the window and the outputs; None: no such bound
    window : sequences
    wrong : how many of them may be wrong
    """

    within: float | None = None
    beyond: float | None = None
    mean: float | None = None
    window: int = 2000
    wrong: int = 0

    @property
    def numeric(self):
        """Whether a right answer is one whose numbers are near enough, not one that is the largest."""
        return self.within is not None or self.beyond is not None

    def right(self, output, target):
        """output and target, (P, K) numbers -> (P,) bool; of a numeric rule."""
        if self.within is not None:
            return (np.abs(output - target) < self.within).all(axis=1)
        return (np.sign(target) * output > self.beyond).all(axis=1)

    def __str__(self):
        how = f" within {self.within}" if self.within is not None else f" beyond {self.beyond}" if self.beyond is not None else ""
        last = f"the last {self.window:,} are"
        which = f"fewer than {self.wrong + 1} of {last} not" if self.wrong else last
        return f"{which} right{how}" + ("" if self.mean is None else f", mean error below {self.mean}")


def largest(output, legal):
    """(P,) bool: every output that `legal` (P, K) marks is larger than every other one."""
    smallest = np.where(legal, output, np.inf).min(axis=1)
    return smallest > np.where(legal, -np.inf, output).max(axis=1)


class Judge:
    """Follows the batches of a training run and finds the sequence at which the task's rule is first met.

    Parameters
    ----------
    task : Task with a rule
    window : sequences that the rule looks at, if not its own number
    """

    def __init__(self, task, window=None):
        self.task, self.rule, self.window = task, task.rule, window or task.rule.window
        self.seen = 0  # sequences judged
        self.wrong = np.zeros(self.rule.wrong + 1, np.int64)  # counts of sequences at the last wrong ones; 0 before the first
        if self.rule.mean is not None:
            self.recent = np.zeros(self.window - 1, np.int64)  # errors of the sequences before the next one
            self.most = int(self.rule.mean * UNIT * self.window * task.outputs)

    def __call__(self, output, batch, rows=None, scored=None):
        """The count of sequences at which the rule is met within this batch, or None.

        Parameters
        ----------
        output : (P, K), what the net answered before it learned from this batch
        batch : Batch
        rows : only the first `rows` sequences of the batch count; None: all of them
        scored : (P,) bool, what Task.scored returns, where the caller has it
        """
        small = True
        if self.rule.mean is not None:
            small = self._window_error(self._errors(output, batch)[:rows]) < self.most
        right = batch.all_of_row(self.task.passed(output, batch, scored))
        return self.follow(right[:rows], small)

    def follow(self, right, small=True):
        """The same, from whether each sequence is right (B,), and whether the error of the window that it ends is small (B,)."""
        at = self.seen + 1 + np.arange(len(right))
        places = np.concatenate([self.wrong, at[~right]])
        met = small & (at - places[np.cumsum(~right)] >= self.window)  # since the oldest of the last rule.wrong + 1 wrong ones
        self.seen += len(right)
        self.wrong = places[-len(self.wrong) :]
        return int(at[met.argmax()]) if met.any() else None

    def _errors(self, output, batch):
        """(B,) the error of each sequence in units, summed over the outputs, the mean over its answers."""
        errors = np.minimum(self.task.errors(output, batch), LARGEST)
        units = (errors * UNIT).astype(np.int64).sum(axis=1)
        if batch.offsets is None:
            return units
        judged = np.ones(len(units), bool) if batch.judged is None else batch.judged
        starts = batch.offsets[:-1]
        return np.add.reduceat(units * judged, starts) // np.add.reduceat(judged.astype(np.int64), starts)

    def _window_error(self, errors):
        """(B,) the error of the window that ends at each sequence."""
        joined = np.concatenate([[0], self.recent, errors])
        self.recent = joined[-len(self.recent) :]
        sums = np.cumsum(joined)
        return sums[self.window :] - sums[: -self.window]
