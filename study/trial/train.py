"""The learning loop: backpropagation through time until the pass rule is met or the budget is spent."""

import copy

import kernels
from study.tasks import Judge
from study.trial.streams import blocks


def learn(trial, task, net, theta, history, budget):
    """Train theta in place until the rule is met, the budget is spent or a loss or a gradient is not finite.

    Many batches are learned from in one native call, and the judge looks afterwards. If the rule was met before one of them,
    weights and optimizer go back to where they were before the call, and learn from the batches before that one again.

    Parameters
    ----------
    theta : (size,) initial weights; the final ones afterwards
    history : study.trial.curve.History, which gets every sequence
    budget : sequences

    Returns
    -------
    (sequences when the rule was met or None, whether something was not finite)
    """
    optimizer, clip, rows = optimizer_of(trial, net.size), clip_of(trial), trial.batch
    judge = None if task.rule is None else Judge(task, trial.window)
    training = Compiled(net, trial.truncated)
    for block in blocks(trial, task, rows, budget):
        before = theta.copy(), copy.deepcopy(optimizer), history.seen
        loss, output, fault = training.run(theta, optimizer, block, rows, clip)
        seen = block.rows(0, len(loss))
        right = task.scored(output, seen)
        solved_at = judge and len(loss) and judge(output, seen, scored=right)
        if solved_at:
            theta[:], optimizer, start = before
            learned = (solved_at - 1 - start) // rows * rows
            if learned:
                training.run(theta, optimizer, block.rows(0, learned), rows, clip)
            seen = block.rows(0, learned + rows)
            loss, right = loss[: len(seen.lengths)], right[: len(seen.read)]
        if len(loss):
            history.add(loss, seen.all_of_row(right), None if seen.offsets is None else seen.counted(right))
        if solved_at:
            return solved_at, False
        if fault:
            return None, True
    return None, False


class Compiled:
    """A net's kernels.Training, made again where a block has longer sequences or more answers."""

    def __init__(self, net, truncated):
        self.net, self.truncated, self.most, self.training = net, truncated, (0, 0, 0), None

    def run(self, theta, optimizer, block, rows, clip):
        needed = (int(block.lengths.max()), min(rows, len(block.lengths)), block.most_answers(rows))
        if any(a > b for a, b in zip(needed, self.most)):
            self.most = tuple(map(max, needed, self.most))
            self.training = self.net.compile(self.most, self.truncated)
        return self.training.run(theta, optimizer, block, rows, clip)


def optimizer_of(trial, size):
    """The optimizer of the trial's knobs, for that many weights."""
    if trial.optimizer == "sgd":
        return kernels.SGD(size, trial.lr, trial.momentum, trial.dtype)
    return kernels.Adam(size, trial.lr, trial.beta1, trial.beta2, trial.epsilon, trial.dtype)


def clip_of(trial):
    """The bounds on gradients of the trial's knobs, a kernels.Clip."""
    return kernels.Clip(**{kind: trial.clip for kind in kernels.Clip._fields if kind == trial.clipping})
