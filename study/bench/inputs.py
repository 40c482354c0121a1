"""What goes into a case: the same weights and sequences for all peers."""

import numpy as np

import kernels
from study import tasks
from study.nets.architecture import Architecture
from study.nets.net import Net

# The clipping of sgd is computed but does not act in the first iterations: torch divides by the norm + 1e-6, which would differ.
OPTIMIZERS = {"adam": {"lr": 0.003, "clip": 1.0}, "sgd": {"lr": 0.05, "momentum": 0.9, "clip": 10.0}}


def inputs(case):
    """Arrays and knobs that all peers get, the same numbers in either dtype.

    weights : {"W": (blocks W feeds, I, H), "U": ..., "b": ...[, "p": ...]}, uniform as layer.init makes them
    x (T, B, I) and dy (T, B, H), uniform in (-1, 1), where the work is a pass of the layer; otherwise
    theta : all weights of the net, above : as weights, of each further layer, head : {"V": (H, K), "v": (K,)} or more,
    trial : the knobs of a trial, longest : its most steps
    """
    if case.task is None:
        layer = kernels.RNN(case.cell, case.I, case.H, dtype="float64")
        words = kernels.Stream("bench", case.T, case.B, case.I, case.H)
        arrays = {name: words.uniform(case.T * case.B * n, -1, 1).reshape(case.T, case.B, n).astype(case.dtype)
                  for name, n in (("x", case.I), ("dy", case.H))}
        return {"weights": _weights(layer, layer.init(0), case.dtype), **arrays}
    task = tasks.get(case.task)
    net = Net(task.at(case.gap), Architecture(case.cell, case.H, **dict(case.net)), "float64")
    theta = net.init(case.seed)
    modules = {}
    for name, part in net.view(theta).items():
        module, parameter = name.split("/", 1)
        modules.setdefault(module, {})[parameter.removeprefix("forward/")] = part.astype(case.dtype)
    above = [weights for module, weights in modules.items() if module.startswith("layer")]
    return {"weights": modules["recurrent"], "above": above, "head": modules["head"], "theta": theta.astype(case.dtype),
            "trial": trial_knobs(case), "longest": _longest(task, case.gap)}


def trial_knobs(case):
    """The knobs of the trial that a case belongs to."""
    knobs = {"cell": case.cell, "units": case.H, "task": case.task, "gap": case.gap, "seed": case.seed,
             "batch": case.B, "dtype": case.dtype, "optimizer": case.optimizer, **OPTIMIZERS[case.optimizer], **dict(case.net)}
    return knobs | ({} if case.budget is None else {"budget": case.budget})


def _longest(task, gap):
    """The most steps that a forward net needs for any of many sequences."""
    return int(task.draw(kernels.Stream("bench", "longest"), 1000, gap).usable("forward").lengths.max())


def _weights(layer, theta, dtype):
    return {name.removeprefix("forward/"): np.array(part, dtype) for name, part in layer.view(theta).items()}
