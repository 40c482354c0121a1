"""Norms of gradients: how that of one row's loss falls with the distance to the step that is read, and along which path.

The weights are cast to float64 and run in a float64 net on one batch of the probe's own. L is a row's own loss, not the
batch's mean; the lag of step t is read - t; |dL/dstate_t| is the total derivative's norm over the units.
"""

from types import SimpleNamespace

import numpy as np

from study.nets.net import Net
from study.streams import usable

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
        "h", "c": |dL/dh_t|, |dL/dc_t|, as far as the cell has them. "direct", where it has a memory c: |dL/dc_t| along the
        states' own paths only, nothing returning through U or the peepholes (Hochreiter & Schmidhuber 1997). "f", where the
        cell has a gate that retains: the norm over the units of its product over the steps between. Five digits; None where
        the median is 0 or not finite. For a net of both directions all are the forward layer's (direction 0).
    """
    net = Net(task, **knobs, dtype="float64")
    batch = usable(task.sample(stream, ROWS, gap), knobs["direction"])
    found = passes(net, theta.astype(np.float64), batch)
    lags = spaced(int(batch.read.min()))
    return {"lag": lags} | medians(net, batch, found, lags)


def passes(net, weights, batch, lift=1.0, inputs=False):
    """What two passes backward give.

    Parameters
    ----------
    net, weights, batch : a float64 Net, its weights, `ROWS` sequences
    lift : a power of two that the loss is multiplied by and norms and inputs' gradients are divided by again: what would
        be too small for float64 on its way back is not, and no other bit changes
    inputs : grad.x, too

    Returns
    -------
    gates {block: (T, B, H)}; norms {"h": (T, B)[, "c", "direct"]}; exact, and for a cell with a memory truncated, gradients
    of the sum of the rows' losses, times lift; x (T, B) norms of grad.x, or None
    """
    forward = _forward(net, weights, batch, lift)
    gates = {block: values[0] for block, values in net.layer.gates(forward.tape).items()}
    exact = net.backward(weights, forward, inputs=inputs, norms=True)
    norms = {state: exact.norms[state][0] / lift for state in ("h", "c") if state in exact.norms}
    truncated = None
    if "c" in norms:
        truncated = net.backward(weights, _forward(net, weights, batch, lift), norms=True, truncated=True)
        norms["direct"] = truncated.norms["c"][0] / lift
    x = norm(exact.x) / lift if inputs else None
    return SimpleNamespace(gates=gates, norms=norms, exact=exact.theta, truncated=truncated and truncated.theta, x=x)


def _forward(net, weights, batch, lift):
    """A Pass whose gradient is `lift` times that of each row's own loss."""
    forward = net.forward(weights, batch)
    forward.do *= ROWS * lift
    return forward


def medians(net, batch, found, lags):
    """{name: [median over rows at each lag]} of what `passes` found."""
    at = batch.read - np.array(lags)[:, None], np.arange(ROWS)
    by_lag = {name: norms[at] for name, norms in found.norms.items()}
    if net.cell.retains:
        by_lag["f"] = let_through(retained(net.cell, found.gates), batch.read, lags[-1])[lags]
    if found.x is not None:
        by_lag["x"] = found.x[at]
    return {name: [_median(row) for row in rows] for name, rows in by_lag.items()}


def retained(cell, gates):
    """The part of its memory that a cell keeps at each step, shaped as its gates: f, or 1 - z."""
    gate, sign = cell.retains[0]
    return gates[gate] if sign > 0 else 1 - gates[gate]


def let_through(kept, read, longest):
    """(longest + 1, B) norm over the units of the product of kept (T, B, H) over the steps read - lag + 1 .. read."""
    steps = read - np.arange(longest)[:, None]
    product = np.ones((longest + 1, *kept.shape[1:]))
    product[1:] = np.multiply.accumulate(kept[steps, np.arange(len(read))], axis=0)
    return norm(product)


def norm(a):
    """The Euclidean norm over the last axis, scaled so that no square is too small."""
    largest = np.abs(a).max(axis=-1)
    scaled = a / np.where(largest > 0, largest, 1)[..., None]
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
    return short((ordered[(len(row) - 1) // 2] + ordered[len(row) // 2]) / 2)


def short(value, digits=DIGITS):
    """A positive number to so many digits; None where it is 0 or not finite."""
    return float(f"{value:.{digits}g}") if 0 < value < float("inf") else None
