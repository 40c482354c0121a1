"""The kernels and the learning loop; also the multiply-add peak, the dependent chain and the size of a tape."""

import importlib
import resource
import sys
import time

import numpy as np

import kernels
from kernels.workspace import Workspace
from study import tasks
from study.bench.peers import CHECKED, repeated
from study.trial import streams
from study.trial.curve import History
from study.trial.knobs import Trial

trial_run = importlib.import_module("study.trial.run")
TITLE = "longlag"
CHAIN = {"weight": 0.01, "bias": 0.1}  # of the dependent chain, so that its states are ordinary numbers


def can(case):
    return case.cell in kernels.CELLS  # another clone may not have it


def training(case, given):
    layer, theta = _layer(case, given)
    x, dy = given["x"], given["dy"]

    def step():
        out = layer.forward(theta, x, threads=case.threads)
        return out.y, layer.backward(out.tape, dy=dy, inputs=False).theta

    return repeated(step), lambda: named(layer, *step())


def forward(case, given):
    layer, theta = _layer(case, given)

    def step():
        return layer.forward(theta, given["x"], threads=case.threads, tape=False).y

    return repeated(step), lambda: {"y": step()}


def module(case, given):
    """By a kernels.torch.RNN; what needs torch is imported here, because no other work does."""
    import torch

    from kernels.torch import RNN
    from study.bench.peers._autograd import differentiated

    weights = given["weights"]
    rnn = RNN(case.cell, case.I, case.H)
    rnn.threads = case.threads
    rnn.load_state_dict({f"{kind}_l0": torch.from_numpy(part) for kind, part in weights.items()}, assign=True)
    return differentiated(lambda x: rnn(x)[0], list(rnn.parameters()), lambda gradients: dict(zip(weights, gradients)), given)


def _layer(case, given):
    layer = kernels.RNN(case.cell, case.I, case.H, dtype=case.dtype)
    theta = np.zeros(layer.size, case.dtype)
    fill(layer, theta, given["weights"])
    return layer, theta


def named(layer, y, grad):
    """The results of a training step by name."""
    return {"y": y, **{name.removeprefix("forward/"): part for name, part in layer.view(grad).items()}}


def fill(layer, theta, weights):
    """Copy the weights of a case into theta."""
    for name, part in layer.view(theta).items():
        part[...] = weights[name.removeprefix("forward/")]


def iteration(case, given):
    """Iterations of a trial by its own learning loop, which draws, learns and judges."""
    trial, task, net = _given_to_learn(Trial(**given["trial"]))

    def learned(calls):
        """The History of that many iterations from the case's weights on; of fewer if the rule was met."""
        history = History(calls * trial.batch, trial.batch)
        trial_run.learn(trial, task, net, given["theta"].copy(), history, calls * trial.batch)
        return history

    def run(calls):
        while calls > 0:
            calls -= max(1, learned(calls).seen // trial.batch)

    return run, lambda: {"loss": np.array([learned(calls).final_loss() for calls in range(1, CHECKED + 1)])}


class _Learning(Exception):
    """Ends a trial where it would begin to learn; its arguments are those of the learning loop."""


def _given_to_learn(trial):
    """(trial, task, net) as a run of the trial makes them, so that the bench makes no net, which other commits make otherwise."""
    def stop(*arguments):
        raise _Learning(*arguments)

    learn, trial_run.learn = trial_run.learn, stop
    try:
        trial_run.run(trial)
    except _Learning as reached:
        return reached.args[:3]
    finally:
        trial_run.learn = learn


def endless(task, trial):
    """The batches that a trial trains on, without end."""
    return streams.batches(trial, task, trial.batch, sys.maxsize)


def study(case, given):
    result = trial_run.run(Trial(**given["trial"]))
    return {"sequences": result.sequences, "solved": result.solved, "correct": result.test.correct}


def chain(cell, H, seconds):
    """Seconds that one row waits for a step, forward and backward: the shortest of short runs that take `seconds` together."""
    run, steps, best = kernels.build("chain", "float32").run, 5000, np.inf
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        run(cell, H, steps, steps, **CHAIN)
        best = min(best, (time.perf_counter() - began) / steps)
    return float(best)


def peak(dtype, threads, seconds):
    """Floating-point operations a second of multiply-adds in registers: the best of short runs that take `seconds` together."""
    multiply_adds, rounds, best = kernels.build("peak", dtype).multiply_adds, 1000, 0.0
    multiply_adds(rounds, threads)  # starts the threads
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        done = multiply_adds(rounds, threads)
        took = time.perf_counter() - began
        best = max(best, done / took)
        if took < seconds / 20:
            rounds *= 2
    return best


class Counted(Workspace):
    """A workspace that counts the requested bytes."""

    asked = 0

    def take(self, n):
        self.asked += n
        return super().take(n)


def tape(case):
    """Bytes that each step of a row adds to a tape."""
    layer = kernels.RNN(case.cell, case.I, case.H, dtype=case.dtype)
    theta, sizes = layer.init(0), []
    for T in (64, 128):
        layer._workspace = Counted()
        layer.forward(theta, np.zeros((T, case.B, case.I), case.dtype), threads=case.threads)
        sizes.append(layer._workspace.asked)
    return (sizes[1] - sizes[0]) / (64 * case.B)


def footprint(case, checkpoint):
    """{"before", "after": peak resident bytes, "seconds"} of one training step with checkpoints, in a new process."""
    layer = kernels.RNN(case.cell, case.I, case.H, dtype=case.dtype)
    theta = layer.init(0)
    before = _resident()
    x = kernels.Stream("bench", "footprint").uniform(case.T * case.B * case.I, -1, 1)
    x = x.reshape(case.T, case.B, case.I).astype(case.dtype)
    began = time.perf_counter()
    out = layer.forward(theta, x, threads=case.threads, checkpoint=checkpoint)
    layer.backward(out.tape, dy=np.ones_like(out.y), inputs=False)
    return {"before": before, "after": _resident(), "seconds": time.perf_counter() - began}


def _resident():
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
