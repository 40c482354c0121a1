"""Gates: the distribution of their values, the time constants that follow, and traces of single units. Names as in kernels/cells."""

import numpy as np

import kernels
from study.probes.norms import retained

GATES = ("i", "f", "o", "z", "r")  # the blocks of all cells that are gates, with values in 0..1
BINS = 20
UNITS = 2  # traced


def histograms(gates, alive):
    """{gate: [how many of its values lie in each twentieth of 0..1]}, over all units, rows and steps.

    gates {block: (T, B, H)}, alive (T, B) bool: whether the row has that step.
    """
    counts = {}
    for gate in (name for name in GATES if name in gates):
        bins = (gates[gate][alive] * BINS).astype(np.int64).clip(0, BINS - 1)
        counts[gate] = np.bincount(bins.reshape(-1), minlength=BINS).tolist()
    return counts


def time_constants(cell, gates, alive):
    """(H,) steps after which each unit has kept 1/e of its memory: -1 / mean log of f, or of 1 - z; infinite if it keeps all.

    None for a cell without a gate that retains. gates and alive as above.
    """
    if not cell.retains:
        return None
    logs = kernels.log(retained(cell, gates)[alive].T.reshape(-1)).reshape(-1, int(alive.sum()))
    means = np.array([kernels.total(row) for row in logs]) / logs.shape[1]
    with np.errstate(divide="ignore"):
        return -1 / means


def traced(constants, units):
    """The units to trace: those with the longest and the median time constant; without constants the first and the middle unit."""
    order = np.arange(units) if constants is None else np.argsort(-constants, kind="stable")
    return [int(order[place]) for place in dict.fromkeys((0, units // 2))][:UNITS]


def traces(layer, theta, x, gates, units, steps):
    """{name: [[value at each of `steps`] for each unit]} of gates i, f, o, z, r and states h, c along one sequence.

    x (T, I) is the input of the layer, gates {block: (T, H)}.
    """
    rows = np.ascontiguousarray(np.broadcast_to(x[:, None], (len(x), len(steps), x.shape[1])))
    ends = layer.forward(theta, rows, lengths=steps + 1, threads=1, tape=False).state
    named = {name: gates[name][steps] for name in GATES if name in gates} | {s: ends[s][0] for s in ("h", "c") if s in ends}
    return {name: [[float(f"{value:.3g}") for value in values[:, unit]] for unit in units] for name, values in named.items()}
