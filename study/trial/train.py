"""The learning loop: backpropagation through time until the pass rule is met or the budget is spent."""

import math

import numpy as np

import kernels
from study.nets.module import Wanted
from study.tasks import Judge
from study.trial.streams import batches


def learn(trial, task, net, theta, history, budget):
    """Train theta in place until the rule is met, the budget is spent or a loss or a gradient is not finite.

    Parameters
    ----------
    theta : (size,) initial weights; the final ones afterwards
    history : study.trial.curve.History, which gets every batch
    budget : sequences

    Returns
    -------
    (sequences when the rule was met or None, whether something was not finite)
    """
    optimizer = optimizer_of(trial, net.size)
    judge = None if task.rule is None else Judge(task, trial.window)
    wanted = Wanted(inputs=False, truncated=trial.truncated)
    for batch in batches(trial, task, trial.batch, budget):
        passed = net.forward(theta, batch)
        if not np.isfinite(passed.loss).all():
            return None, True
        history.add(passed.loss, task.score(passed.output, batch))
        solved_at = judge and judge(passed.output, batch)
        if solved_at:
            return solved_at, False
        grad = net.backward(theta, passed, wanted).theta
        if not math.isfinite(clip(trial, grad)):
            return None, True
        optimizer.step(theta, grad)
    return None, False


def optimizer_of(trial, size):
    """The optimizer of the trial's knobs, for that many weights."""
    if trial.optimizer == "sgd":
        return kernels.SGD(size, trial.lr, trial.momentum, trial.dtype)
    return kernels.Adam(size, trial.lr, trial.beta1, trial.beta2, trial.epsilon, trial.dtype)


def clip(trial, grad):
    """Clip grad in place as the trial's knobs say, and return the norm that it had."""
    norm = kernels.clip_by_norm(grad, trial.clip if trial.clipping == "norm" else None)
    if trial.clipping == "value":
        kernels.clip_by_value(grad, trial.clip)
    return norm
