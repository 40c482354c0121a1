"""The learning curve of a training run, and its final loss."""

import numpy as np

import kernels

POINTS = 64  # of a curve, at most
DIGITS = 5  # of a point
RECENT = 2000  # sequences whose mean loss is the final loss


class History:
    """Collects the losses and right answers of the training sequences, each taken before the net learned from it.

    A point of the curve is the mean over a stretch of batches. A stretch is a 64th of the budget, so its borders do not depend on
    when the run stops; only the last stretch may be shorter.
    """

    def __init__(self, budget, rows):
        batches = -(-budget // rows)
        self.stretch = -(-batches // POINTS) * rows  # sequences
        self.seen = 0  # sequences
        self.loss, self.score, self.answers = [], [], []

    def add(self, loss, score, answers=None):
        """loss (n,) float, score (n,) bool; answers (2, n): how many single answers are right, of how many; None: one a row."""
        self.seen += len(loss)
        self.loss.append(loss)
        self.score.append(score)
        if answers is not None:
            self.answers.append(answers)

    def final_loss(self):
        """Mean loss of the last 2,000 sequences, or of all if there are fewer; None if there are none."""
        return mean(np.concatenate(self.loss)[-RECENT:]) if self.seen else None

    def curve(self):
        """{"sequences", "loss", "score"[, "answers"]}: for each stretch, the count of sequences at its end and its means.

        "answers" is the share of single answers that are right.
        """
        curve = {"sequences": [], "loss": [], "score": []}
        if not self.seen:
            return curve
        losses, scores = np.concatenate(self.loss), np.concatenate(self.score)
        for start in range(0, self.seen, self.stretch):
            loss, score = losses[start : start + self.stretch], scores[start : start + self.stretch]
            curve["sequences"].append(start + len(loss))
            curve["loss"].append(short(mean(loss)))
            curve["score"].append(short(int(np.count_nonzero(score)) / len(score)))
        if self.answers:
            answers = np.concatenate(self.answers, axis=1)
            counts = [answers[:, start : start + self.stretch].sum(axis=1) for start in range(0, self.seen, self.stretch)]
            curve["answers"] = [short(int(right) / int(asked)) for right, asked in counts]
        return curve


def short(value):
    """The value to five significant digits, which is enough for a curve and takes a third of the bytes."""
    return float(f"{value:.{DIGITS}g}")


def mean(a):
    """The mean of a 1-d array, always added in the same order."""
    return kernels.total(a) / len(a)
