"""Learning from streams: sequences that are cut into segments, with the state carried from each to the next.

A net learns from a segment as soon as it has answered it; errors flow back to the start of the segment and no further. A stream
ends with the first segment that has a wrong answer, as in Gers, Schmidhuber & Cummins 2000 (there a segment is one step). A
stream is right if it has none. As in that paper, the learning rate may decay from step to step; each stream begins with it anew.
"""

import math

import numpy as np

import kernels
from study.nets.module import Wanted
from study.tasks import Judge
from study.trial.streams import batches
from study.trial.train import clip_of, optimizer_of


def learn(trial, task, net, theta, history, budget):
    """As study.trial.train.learn, for a task of streams; a sequence is a stream."""
    judge = Judge(task, trial.window)
    student = _Student(trial, net, theta)
    for batch in batches(trial, task, trial.batch, budget):
        follower = _Streams(task, batch)
        student.start()
        while follower.left():
            part = follower.segment()
            output = student.learn(part, follower.states)
            if output is None:
                return None, True
            follower.hear(part, *output)
        losses, right, counts = follower.outcome()
        history.add(losses, right, counts)
        solved_at = judge.follow(right)
        if solved_at:
            return solved_at, False
    return None, False


class _Student:
    """The weights that learn, with their optimizer."""

    def __init__(self, trial, net, theta):
        self.net, self.theta, self.truncated = net, theta, trial.truncated
        self.optimizer, self.clip = optimizer_of(trial, net.size), clip_of(trial)
        self.lr, self.decay = trial.lr, trial.lr_decay

    def start(self):
        """Begin new streams, with the learning rate as it was at first."""
        self.optimizer.lr = self.lr

    def learn(self, part, states):
        """Learn from a Batch. Returns its Pass and the states at its end; None if the loss or the gradient is not finite."""
        passed, states = self.net.segment(self.theta, part, states)
        if not np.isfinite(passed.loss).all():
            return None
        grad = self.net.backward(self.theta, passed, Wanted(inputs=False, truncated=self.truncated)).theta
        if not math.isfinite(kernels.clip_by_norm(grad, self.clip.norm)):
            return None
        if self.clip.value is not None:
            kernels.clip_by_value(grad, self.clip.value)
        self.optimizer.step(self.theta, grad)
        self.optimizer.lr = self._decayed(len(part.x))
        return passed, states

    def _decayed(self, steps):
        """The learning rate so many steps later."""
        rate = self.optimizer.lr
        for _ in range(steps):
            rate *= self.decay
        return rate


class _Streams:
    """The streams of a Batch with an answer at every step: which of them go on, from which states, and what they gave so far."""

    def __init__(self, task, batch):
        self.task, self.batch, self.at, self.states = task, batch, 0, None
        self.rows = np.arange(len(batch.lengths))  # those that go on
        self.losses = [[] for _ in self.rows]  # of the segments of each row
        self.right = np.ones(len(self.rows), bool)
        self.counts = np.zeros((2, len(self.rows)), np.int64)  # right answers, and all

    def left(self):
        """Whether a stream goes on."""
        return len(self.rows) > 0 and self.at < len(self.batch.x)

    def segment(self):
        """The next segment of the streams that go on."""
        steps = min(self.task.segment, len(self.batch.x) - self.at)
        places = (self.batch.offsets[self.rows] + self.at)[:, None] + np.arange(steps)
        x = np.ascontiguousarray(self.batch.x[self.at : self.at + steps, self.rows])
        self.at += steps
        lengths, offsets = np.full(len(self.rows), steps), steps * np.arange(len(self.rows) + 1)
        return type(self.batch)(x, lengths, np.tile(np.arange(steps), len(self.rows)), self.batch.target[places.ravel()], offsets)

    def hear(self, part, passed, states):
        """Take the answers to a segment, and the states after it."""
        right = self.task.passed(passed.output, part)
        goes_on = part.all_of_row(right)
        self.counts[:, self.rows] += part.counted(right)
        self.right[self.rows] = goes_on
        for row, loss in zip(self.rows, passed.loss):
            self.losses[row].append(loss)
        self.rows = self.rows[goes_on]
        self.states = {name: np.ascontiguousarray(state[:, goes_on]) for name, state in states.items()}

    def outcome(self):
        """(losses (B,), the mean over the segments of each; right (B,) bool; counts (2, B))."""
        means = [kernels.total(np.array(losses)) / len(losses) for losses in self.losses]
        return np.array(means, self.losses[0][0].dtype), self.right, self.counts
