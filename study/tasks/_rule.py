"""Pass rules: when a net has solved a task.

A rule looks at the last `window` training sequences, each answered before the net learned from it. The rule is met at the first
sequence at which all of the window are right and, where the rule bounds it, their mean absolute error is small.
Errors are added as integers in units of 2^-40, so no sum depends on its order.
"""

from dataclasses import dataclass

import numpy as np

UNIT = 2.0**40
LARGEST = 1024.0  # larger errors count as this, so that the sum over a window fits 64 bits


@dataclass(frozen=True)
class Rule:
    """All of the last `window` right, with mean error below `mean`.

    Attributes
    ----------
    within : an answer is right if the error of every output is below this; None: if argmax is the target
    mean : bound on the mean absolute error over the sequences of the window and the outputs; None: no such bound
    window : sequences
    """

    within: float | None = None
    mean: float | None = None
    window: int = 2000

    def right(self, errors):
        """errors (P, K) -> (P,) bool."""
        return (errors < self.within).all(axis=1)


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
        self.streak = 0  # right ones since the last wrong one
        if self.rule.mean is not None:
            self.recent = np.zeros(self.window - 1, np.int64)  # errors of the sequences before the next one
            self.most = int(self.rule.mean * UNIT * self.window * task.outputs)

    def __call__(self, output, batch, rows=None):
        """The count of sequences at which the rule is met within this batch, or None.

        Parameters
        ----------
        output : (P, K), what the net answered before it learned from this batch
        batch : Batch
        rows : only the first `rows` sequences of the batch count; None: all of them
        """
        right = self.task.right(output, batch)[:rows]
        at = np.arange(1, len(right) + 1)
        streak = at - np.maximum.accumulate(np.where(right, -self.streak, at))
        met = streak >= self.window
        if self.rule.mean is not None:
            met &= self._window_error(self._errors(output, batch)[:rows]) < self.most
        before = self.seen
        self.seen += len(right)
        self.streak = int(streak[-1])
        return before + 1 + int(met.argmax()) if met.any() else None

    def _errors(self, output, batch):
        """(B,) the error of each sequence in units, summed over the outputs, the mean over its answers."""
        errors = np.minimum(self.task.errors(output, batch.target), LARGEST)
        units = (errors * UNIT).astype(np.int64).sum(axis=1)
        if batch.offsets is None:
            return units
        return np.add.reduceat(units, batch.offsets[:-1]) // np.diff(batch.offsets)

    def _window_error(self, errors):
        """(B,) the error of the window that ends at each sequence."""
        joined = np.concatenate([[0], self.recent, errors])
        self.recent = joined[-len(self.recent) :]
        sums = np.cumsum(joined)
        return sums[self.window :] - sums[: -self.window]
