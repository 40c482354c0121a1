"""The random-weight-guessing baseline: draw weights, test them, repeat.

Every weight is uniform in [-100, 100], as in Schmidhuber & Hochreiter, Guessing can outperform many long time lag algorithms,
IDSIA-19-96, 1996. A guess sees one sequence after another until more answers are wrong than the task's pass rule allows, or it
meets the rule; every sequence that it sees counts. The net has the trial's size, and sees the trial's training sequences.
"""

import numpy as np

import kernels
from study import tasks
from study.trial.streams import stream

BOUND = 100.0
FIRST, GROWTH = 4, 8  # rows of a guess's first batch, and by how much its batches grow: most guesses fail at once
DRAWN = 512  # sequences drawn at a time


def guess(trial, task, net):
    """Guess until the rule is met or the budget is spent.

    Returns
    -------
    (theta of the guess that met the rule or of the last guess, sequences seen when it was met or None, guesses)
    """
    weights = kernels.Stream("guess", trial.seed)
    queue = _Queue(trial, task)
    guesses = 0
    while queue.left:
        guesses += 1
        theta = weights.uniform(net.size, -BOUND, BOUND).astype(net.dtype)
        before = trial.budget - queue.left
        met = _examine(task, trial.window, net, theta, queue)
        if met:
            return theta, before + met, guesses
    return theta, None, guesses


def _examine(task, window, net, theta, queue):
    """Show sequences until too many answers are wrong, the rule is met or none is left; the count at which it was met, or None."""
    judge, rows, allowed = tasks.Judge(task, window), FIRST, task.rule.wrong
    while queue.left:
        batch = queue.peek(rows)
        output = net.forward(theta, batch, tape=False).output
        wrong = np.flatnonzero(~task.right(output, batch))
        fails = len(wrong) > allowed
        seen = int(wrong[allowed]) + 1 if fails else len(batch.lengths)
        queue.drop(seen)
        met = judge(output, batch, seen)
        if met or fails:
            return met
        allowed -= len(wrong)
        rows *= GROWTH
    return None


class _Queue:
    """The trial's training sequences in order, up to its budget; `left` of them have not been seen."""

    def __init__(self, trial, task):
        self.left = trial.budget
        self.trial, self.task, self.stream = trial, task, stream(trial)
        self._draw()

    def _draw(self):
        drawn = self.task.sample(self.stream, DRAWN, self.trial.gap)
        self.drawn, self.at = drawn.usable(self.trial.direction), 0

    def peek(self, rows):
        """The next sequences, at most `rows`."""
        return self.drawn.part(self.at, min(self.at + rows, self.at + self.left, DRAWN))

    def drop(self, rows):
        """Take the first `rows` sequences out of the queue."""
        self.at += rows
        self.left -= rows
        if self.at == DRAWN:
            self._draw()
