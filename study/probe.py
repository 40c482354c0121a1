"""Probes: how the gradient of one row's loss falls with the distance to the step that is read, and along which path.

The weights are cast to float64 and run in a float64 net on one batch of the probe's own. L is a row's own loss, not the
batch's mean; the lag of step t is read - t; |dL/dstate_t| is the total derivative's norm over the units.
"""

import numpy as np

import kernels
from study.data import usable
from study.model import Net

ROWS = 32  # a power of two, so that undoing the mean over rows is exact
LAGS = 32  # at most
DIGITS = 5  # of a median


def norms_by_lag(task, knobs, theta, stream, gap):
    """Gradient norms by lag, each the median over the rows of a probe batch.

    Parameters
    ----------
    task : study.tasks.Task
    knobs : the net's {"cell", "units", "direction", "merge"}
    theta : (size,) weights of any dtype
    stream : kernels.Stream of the probe batch
    gap : the task's

    Returns
    -------
    {"lag": [...], "h": [...][, "c": [...], "direct": [...]][, "f": [...]]}
        "h", "c": |dL/dstate_t|, for each state that the cell has. "direct", where it has a memory c: |dL/dc_t| along the
        states' own paths only, nothing returning through U or the peepholes (Hochreiter & Schmidhuber 1997). "f", where the
        cell has a gate that retains: the norm over the units of its product over the steps between. Five digits; None where
        the median is 0 or not finite. For a net of both directions all are the forward layer's (direction 0).
    """
    net = Net(task, **knobs, dtype="float64")
    weights = theta.astype(np.float64)
    batch = usable(task.sample(stream, ROWS, gap), knobs["direction"])
    forward = _forward(net, weights, batch)
    gates = net.layer.gates(forward.tape)
    norms = net.backward(weights, forward, norms=True)[1]
    if "c" in norms:
        norms["direct"] = net.backward(weights, _forward(net, weights, batch), norms=True, truncated=True)[1]["c"]
    lags = spaced(int(batch.read.min()))
    at = batch.read - np.array(lags)[:, None], np.arange(ROWS)
    by_lag = {state: norm[0][at] for state, norm in norms.items()}
    if net.cell.retains:
        gate, sign = net.cell.retains[0]
        kept = gates[gate][0] if sign > 0 else 1 - gates[gate][0]
        by_lag["f"] = let_through(kept, batch.read, lags[-1])[lags]
    return {"lag": lags} | {name: [_median(row) for row in rows] for name, rows in by_lag.items()}


def _forward(net, weights, batch):
    """A Pass whose gradient is that of each row's own loss."""
    forward = net.forward(weights, batch)
    forward.do *= ROWS
    return forward


def let_through(kept, read, longest):
    """(longest + 1, B) norm over the units of the product of kept (T, B, H) over the steps read - lag + 1 .. read."""
    steps = read - np.arange(longest)[:, None]
    product = np.ones((longest + 1, *kept.shape[1:]))
    product[1:] = np.multiply.accumulate(kept[steps, np.arange(len(read))], axis=0)
    largest = product.max(axis=2)
    scaled = product / np.where(largest > 0, largest, 1)[:, :, None]
    return largest * np.sqrt(_sum_last(scaled * scaled))


def _sum_last(a):
    """The sum over the last axis, its upper half added to its lower half until one is left."""
    n = a.shape[-1]
    while n > 1:
        half = (n + 1) // 2
        a = np.concatenate([a[..., : n - half] + a[..., half:n], a[..., n - half : half]], axis=-1)
        n = half
    return a[..., 0]


def spaced(longest):
    """0..longest, both included: at most LAGS whole numbers, ever further apart."""
    for part in range(LAGS, 0, -1):
        lags = [0]
        while lags[-1] < longest and len(lags) <= LAGS:
            lags.append(min(longest, lags[-1] + max(1, lags[-1] // part)))
        if len(lags) <= LAGS:
            return lags
    raise ValueError(f"longest: expected at most 2^{LAGS - 2}, got {longest}")


def _median(row):
    ordered = np.sort(row)
    median = float((ordered[(len(row) - 1) // 2] + ordered[len(row) // 2]) / 2)
    return float(f"{median:.{DIGITS}g}") if 0 < median < float("inf") else None
