"""What goes into a case: the same weights and sequences for all peers."""

import numpy as np

import kernels
from study.bench.suites import TASK
from study.nets.architecture import Architecture
from study.nets.net import Net
from study.tasks import TASKS

LEARNING_RATE, CLIP = 0.003, 1.0


def inputs(case):
    """Arrays and knobs that all peers get, the same numbers in either dtype.

    weights : {"W": (blocks W feeds, I, H), "U": ..., "b": ...[, "p": ...]}, uniform as layer.init makes them
    x (T, B, I) and dy (T, B, H), uniform in (-1, 1), where the work is a pass of the layer; otherwise
    head : {"V": (H, K), "v": (K,)}, and trial : the knobs of a trial
    """
    if case.gap is None:
        layer = kernels.RNN(case.cell, case.I, case.H, dtype="float64")
        words = kernels.Stream("bench", case.T, case.B, case.I, case.H)
        arrays = {name: words.uniform(case.T * case.B * n, -1, 1).reshape(case.T, case.B, n).astype(case.dtype)
                  for name, n in (("x", case.I), ("dy", case.H))}
        return {"weights": _weights(layer, layer.init(0), case.dtype), **arrays}
    net = Net(TASKS[TASK], Architecture(case.cell, case.H), "float64")
    theta = net.init(case.seed)
    head = net.modules["head"].affine.view(theta[net.slices["head"]])
    return {"weights": _weights(net.layer, theta[net.slices["recurrent"]], case.dtype),
            "head": {name: part.astype(case.dtype) for name, part in head.items()}, "trial": trial_knobs(case)}


def trial_knobs(case):
    """The knobs of the trial that a case of recall belongs to."""
    knobs = {"cell": case.cell, "units": case.H, "gap": case.gap, "lr": LEARNING_RATE, "seed": case.seed, "clip": CLIP,
             "batch": case.B, "dtype": case.dtype}
    return knobs | ({} if case.budget is None else {"budget": case.budget})


def _weights(layer, theta, dtype):
    return {name.removeprefix("forward/"): np.array(part, dtype) for name, part in layer.view(theta).items()}
