"""Probes: how the gradient of one row's loss falls with the distance to the step that is read.

The weights are cast to float64 and run in a float64 net on one batch of the probe's own. L is a row's own loss, not the
batch's mean; the lag of step t is read - t; |dL/dstate_t| is the total derivative's norm over the units.
"""

import numpy as np

import kernels
from study.model import Net

ROWS = 32  # a power of two, so that undoing the mean over rows is exact
LAGS = 32  # at most


def norms_by_lag(task, net, theta, stream, gap):
    """Gradient norms by lag, the median over the rows of a probe batch.

    Parameters
    ----------
    task : study.tasks.Task
    net : the net's knobs {"cell", "units", "direction", "merge"}, as in Net
    theta : (size,) weights of any dtype
    stream : kernels.Stream of the probe batch
    gap : the task's

    Returns
    -------
    {"lag": [...], "h": [...], "c": [...]}; "c" where the cell has that state; None where the median is 0 or not finite. For a
    net of both directions, the forward layer's states (direction 0).
    """
    batch = task.sample(stream, ROWS, gap)
    if net["direction"] == "forward":
        batch = batch.until_read()
    exact = Net(task, **net, dtype="float64")
    weights = theta.astype(np.float64)
    forward = exact.forward(weights, batch)
    forward.do *= ROWS
    norms = exact.backward(weights, forward, norms=True)[1]
    lags = spaced(int(batch.read.min()))
    steps = batch.read - np.array(lags)[:, None]
    by_state = {state: [_median(row) for row in norm[0][steps, np.arange(ROWS)]] for state, norm in norms.items()}
    return {"lag": lags, **by_state}


def spaced(longest):
    """0..longest, both included: at most LAGS whole numbers, each lag as many times the one before as the next one is."""
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
    return median if 0 < median < float("inf") else None
