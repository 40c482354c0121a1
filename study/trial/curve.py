"""What a training run leaves behind: its learning curve and its final loss."""

import numpy as np

import kernels

POINTS = 64  # of a curve, at most
DIGITS = 5  # of a point
RECENT = 2000  # sequences whose mean loss is the final one


class History:
    """Collects each training batch's losses and right answers, as they were before its update.

    A curve's point is the mean over a stretch of batches, a 64th of the budget: where the stretches end does not depend on
    when the run stops (the last one may be cut short).
    """

    def __init__(self, budget, rows):
        batches = -(-budget // rows)
        self.stretch = -(-batches // POINTS)
        self.seen = 0  # sequences
        self.loss, self.score = [], []

    def add(self, loss, score):
        """loss (B,) float, score (B,) bool."""
        self.seen += len(loss)
        self.loss.append(loss)
        self.score.append(score)

    def final_loss(self):
        """Mean loss of the last 2,000 sequences, or of as many as there are; None where there are none."""
        return mean(np.concatenate(self.loss[-RECENT:])[-RECENT:]) if self.loss else None

    def curve(self):
        """{"sequences", "loss", "score"}: at which count each stretch ends, and its means."""
        curve = {"sequences": [], "loss": [], "score": []}
        seen = 0
        for start in range(0, len(self.loss), self.stretch):
            loss, score = (np.concatenate(a[start : start + self.stretch]) for a in (self.loss, self.score))
            seen += len(loss)
            curve["sequences"].append(seen)
            curve["loss"].append(short(mean(loss)))
            curve["score"].append(short(int(np.count_nonzero(score)) / len(score)))
        return curve


def short(value):
    """The value to DIGITS significant digits: what a curve shows, in a third of the bytes."""
    return float(f"{value:.{DIGITS}g}")


def mean(a):
    """The mean of a 1-d array, always added in the same order."""
    return kernels.total(a) / len(a)
