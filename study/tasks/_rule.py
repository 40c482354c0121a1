"""Pass rules: when a net has solved a task.

A rule looks at the last `window` training sequences, each answered before it was learned from. It is met at the first
sequence at which all of the window are right and, where the rule says so, their mean absolute error is small.
Errors are added as integers in units of 2^-40, so no sum depends on its order.
"""

from dataclasses import dataclass

import numpy as np

UNIT = 2.0**40
LARGEST = 1024.0  # errors are cut off here, so that a window's sum fits 64 bits


@dataclass(frozen=True)
class Rule:
    """All of the last `window` right, with mean error below `mean`.

    Attributes
    ----------
    within : a sequence is right where every output's error is below this; None: where argmax is
    mean : bound on the mean absolute error over the window's sequences and outputs; None: no such bound
    window : sequences
    """

    within: float | None = None
    mean: float | None = None
    window: int = 2000

    def right(self, errors):
        """errors (B, K) -> (B,) bool."""
        return (errors < self.within).all(axis=1)


class Judge:
    """Follows a run of training batches and says at which sequence the task's rule was first met.

    `window`: how many sequences the rule looks at, in place of its own number.
    """

    def __init__(self, task, window=None):
        self.task, self.rule, self.window = task, task.rule, window or task.rule.window
        self.seen = 0  # sequences judged
        self.streak = 0  # right ones since the last wrong one
        if self.rule.mean is not None:
            self.recent = np.zeros(self.window - 1, np.int64)  # errors of that many sequences, summed over outputs
            self.most = int(self.rule.mean * UNIT * self.window * task.outputs)

    def __call__(self, output, target):
        """The count of sequences at which the rule is met within this batch, or None.

        Parameters
        ----------
        output : (B, K), what the net answered before it learned from this batch
        target : as in Batch
        """
        right = self.task.right(output, target)
        at = np.arange(1, len(right) + 1)
        streak = at - np.maximum.accumulate(np.where(right, -self.streak, at))
        met = streak >= self.window
        if self.rule.mean is not None:
            met &= self._window_error(output, target) < self.most
        before = self.seen
        self.seen += len(right)
        self.streak = int(streak[-1])
        return before + 1 + int(met.argmax()) if met.any() else None

    def _window_error(self, output, target):
        """(B,) the error of the window that ends at each row, summed over sequences and outputs, in units."""
        errors = np.minimum(self.task.errors(output, target), LARGEST)
        summed = np.concatenate([[0], self.recent, (errors * UNIT).astype(np.int64).sum(axis=1)])
        self.recent = summed[-len(self.recent) :]
        sums = np.cumsum(summed)
        return sums[self.window :] - sums[: -self.window]
