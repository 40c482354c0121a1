"""The kernels; also the multiply-add peak, the size of a tape, and the part of an iteration in the time loop."""

import resource
import sys
import time
from types import SimpleNamespace

import numpy as np

import kernels
from kernels.workspace import Workspace
from study import tasks
from study.nets.architecture import Architecture
from study.nets.net import Net
from study.trial import streams
from study.trial.knobs import Trial
from study.trial.run import run

TITLE = "longlag"
CHECKED = 4  # iterations whose losses are compared


def can(case):
    return True


def training(case, given):
    layer, theta = _layer(case, given)
    x, dy = given["x"], given["dy"]

    def step():
        out = layer.forward(theta, x, threads=case.threads)
        return out.y, layer.backward(out.tape, dy=dy, inputs=False).theta

    return step, lambda: named(layer, *step())


def forward(case, given):
    layer, theta = _layer(case, given)

    def step():
        return layer.forward(theta, given["x"], threads=case.threads, tape=False).y

    return step, lambda: {"y": step()}


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
    net, step = _iteration(case, given)
    return step, lambda: {"loss": np.array([step() for _ in range(CHECKED)])}


def _iteration(case, given):
    """(net, step): step() draws a batch, trains on it and returns its mean loss."""
    trial = Trial(**given["trial"])
    task = tasks.get(trial.task)
    net = Net(task, Architecture(trial.cell, trial.units), trial.dtype)
    theta = np.zeros(net.size, trial.dtype)
    fill(net.layer, theta[net.slices["recurrent"]], given["weights"])
    for name, part in net.modules["head"].affine.view(theta[net.slices["head"]]).items():
        part[...] = given["head"][name]
    optimizer = kernels.Adam(net.size, trial.lr, dtype=trial.dtype)
    batches = endless(task, trial)

    def step():
        forward = net.forward(theta, next(batches))
        grad = net.backward(theta, forward).theta
        kernels.clip_by_norm(grad, trial.clip)
        optimizer.step(theta, grad)
        return forward.loss.mean()

    return net, step


def endless(task, trial):
    """The batches that a trial trains on, without end."""
    return streams.batches(trial, task, trial.batch, sys.maxsize)


def study(case, given):
    result = run(Trial(**given["trial"]))
    return {"sequences": result.sequences, "solved": result.solved, "correct": result.test.correct}


def inside(case, given, calls):
    """The share of an iteration's time that is spent in the compiled time loop and weight-gradient products."""
    net, step = _iteration(case, given)
    loop, spent = net.layer._loop, []
    timed = {name: _timed(getattr(loop, name), spent) for name in ("forward", "backward")}
    net.layer._loop = SimpleNamespace(Recurrence=loop.Recurrence, **timed)
    step()
    spent.clear()
    began = time.perf_counter()
    for _ in range(calls):
        step()
    return sum(spent) / (time.perf_counter() - began)


def _timed(function, spent):
    def timed(*arguments):
        began = time.perf_counter()
        function(*arguments)
        spent.append(time.perf_counter() - began)

    return timed


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
