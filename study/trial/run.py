"""One trial: from its knobs to its result.

`run` is a pure function of the trial. It reads nothing else, writes nothing, uses one thread, and every float that it
reports comes from `kernels` or from exact operations, so the same trial gives the same bits anywhere.
"""

import hashlib
import math

import numpy as np

import kernels
from study import streams, tasks
from study.nets.net import Net
from study.probes import look
from study.probes.norms import norms_by_lag
from study.trial.curve import History, mean
from study.trial.guess import guess
from study.trial.result import Evaluation, Result

TEST = 2560  # fresh sequences after training, as in Hochreiter & Schmidhuber 1997
TEST_ROWS = 256
SELECTION_SEEDS = 2**31  # added to a selection trial's seed for its weights, so that no other trial starts from them

OPTIMIZERS = {"adam": kernels.Adam, "sgd": kernels.SGD}


def run(trial):
    """Train, guess or probe, by the knobs of a study.plan.spec.Trial.

    Returns
    -------
    study.trial.result.Result
    """
    task = tasks.get(trial.task)
    net = Net(task, trial.cell, trial.units, trial.direction, trial.merge, trial.dtype)
    if trial.method == "guess":
        return _guessed(trial, task, net)
    return {"bptt": _trained, "probe": _probed}[trial.method](trial, task, net, _start(trial, net))


def _start(trial, net):
    seed = trial.seed + (SELECTION_SEEDS if trial.purpose == "select" else 0)
    return net.init(seed, trial.init, trial.horizon, trial.scheme, trial.forget_bias, trial.chrono)


def _guessed(trial, task, net):
    if task.rule is None:
        raise ValueError(f"method: {trial.task} has no pass rule to guess by")
    theta, solved_at, guesses = guess(trial, task, net)
    return Result(**_outcome(trial, task, net, theta, solved_at), guesses=guesses, test=_test(trial, task, net, theta))


def _probed(trial, task, net, theta):
    solved_at, diverged, history = None, False, History(max(trial.after, 1), trial.batch)
    if trial.after:
        solved_at, diverged = _learn(trial, task, net, theta, history, trial.after)
    sequences = history.seen if diverged else solved_at or trial.after
    result = {"sequences": sequences, "parameters": net.size, "digest": _digest(theta)}
    if diverged:
        return Result(**result, diverged_at=history.seen)
    return Result(**result, probe=look(trial, task, net.knobs, theta))


def _trained(trial, task, net, theta):
    norms = {"start": _probe(trial, task, net, theta)}
    history = History(trial.budget, trial.batch)
    solved_at, diverged = _learn(trial, task, net, theta, history, trial.budget)
    result = _outcome(trial, task, net, theta, solved_at)
    result |= {"final_loss": history.final_loss(), "curve": history.curve(), "norms": norms}
    if diverged:
        return Result(**result, diverged_at=history.seen)
    norms["end"] = _probe(trial, task, net, theta)
    return Result(**result, test=_test(trial, task, net, theta))


def _learn(trial, task, net, theta, history, budget):
    """Train theta in place until the rule is met, the budget of sequences is spent or something is not finite.

    Returns
    -------
    (sequences when the rule was met or None, whether a loss or a gradient was not finite)
    """
    optimizer = OPTIMIZERS[trial.optimizer](net.size, trial.lr, dtype=trial.dtype)
    judge = None if task.rule is None else tasks.Judge(task, trial.window)
    stream = streams.stream(trial)
    for batch in streams.batches(task, stream, trial.gap, trial.batch, budget, trial.direction):
        forward = net.forward(theta, batch)
        if not np.isfinite(forward.loss).all():
            return None, True
        history.add(forward.loss, task.score(forward.output, batch.target))
        solved_at = judge and judge(forward.output, batch.target)
        if solved_at:
            return solved_at, False
        grad = net.backward(theta, forward, truncated=trial.truncated).theta
        if not math.isfinite(kernels.clip_by_norm(grad, trial.clip if trial.clipping == "norm" else None)):
            return None, True
        if trial.clipping == "value":
            kernels.clip_by_value(grad, trial.clip)
        optimizer.step(theta, grad)
    return None, False


def _outcome(trial, task, net, theta, solved_at):
    return {
        "solved": None if task.rule is None else solved_at is not None,
        "sequences": solved_at or trial.budget,
        "parameters": net.size,
        "digest": _digest(theta),
    }


def _digest(theta):
    return hashlib.sha256(theta.tobytes()).hexdigest()


def _probe(trial, task, net, theta):
    return norms_by_lag(task, net.knobs, theta, streams.stream(trial, "probe"), trial.gap)


def _test(trial, task, net, theta):
    if task.test:
        parts = [streams.usable(task.test(trial.gap), trial.direction)]
    else:
        stream = streams.stream(trial, "test")
        parts = streams.batches(task, stream, trial.gap, TEST_ROWS, TEST, trial.direction)
    losses, correct = [], 0
    for part in parts:
        forward = net.forward(theta, part, tape=False)
        losses.append(forward.loss)
        correct += int(np.count_nonzero(task.right(forward.output, part.target)))
    loss = mean(np.concatenate(losses))
    n = len(np.concatenate(losses))
    return Evaluation(n, correct, loss if math.isfinite(loss) else None)
