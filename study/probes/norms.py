"""Norms of gradients: how the gradient of a row's loss falls with the distance to the step that is read, and along which path.

The weights are cast to float64 and run in a float64 net on a batch of the probe's own. L is the loss of a row at its last answer
that counts, not the mean over the batch. The lag of step t is read - t. |dL/dstate_t| is the norm over the units of the total
derivative.
"""

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from study.nets.module import Layer, Wanted
from study.nets.net import Net

ROWS = 32  # sequences; a power of two, so that undoing the mean over rows is exact
LAGS = 32  # at most
DIGITS = 5  # of a median


def norms_by_lag(task, made_of, theta, batch):
    """Gradient norms by lag, each the median over the rows of a probe batch.

    Parameters
    ----------
    task : study.tasks.Task
    made_of : the net's study.nets.architecture.Architecture
    theta : (size,) weights of any dtype
    batch : Batch of ROWS sequences

    Returns
    -------
    {"lag": [...], "h": [...][, "c": [...], "direct": [...]][, "f": [...]][, "layers": [...]]}
        "h", "c": |dL/dh_t|, |dL/dc_t|, if the cell has that state. "direct", if it has a memory c: |dL/dc_t| along the states'
        own paths only, without what returns through U or the peepholes (Hochreiter & Schmidhuber 1997). "f", if the cell has a
        gate that retains: the norm over the units of the product of its values over the steps between. Numbers have five
        digits; None stands for a median that is 0 or not finite. For a net of both directions all are those of its forward
        direction. For a net of several layers they are those of the first layer, which reads the sequence, and "layers" has
        the same of each layer above, the lowest first.
    """
    net = Net(task, made_of, "float64")
    batch = batch.last_judged().usable(made_of.direction)
    back = passes(net, theta.astype(np.float64), batch)
    lags = spaced(int(batch.read.min()))
    first, *above = (medians(layer, batch, lags) for layer in back.layers)
    return {"lag": lags} | first | ({"layers": above} if above else {})


class LayerPass(NamedTuple):
    """What the passes through a net give of a recurrent layer.

    Attributes
    ----------
    of : study.nets.module.Layer, its tape spent
    gates : {block: (T, B, H)}
    norms : {"h": (T, B)[, "c", "direct"]}
    """

    of: Layer
    gates: dict
    norms: dict


def passes(net, weights, batch, lift=1.0, inputs=False):
    """Gates and gradients of an exact backward pass and, for a cell with a memory, of a truncated one.

    Parameters
    ----------
    net, weights, batch : a float64 Net, its weights, ROWS sequences with one answer each
    lift : a power of two. The loss is multiplied by it, norms and input gradients are divided by it again. So gradients that
        float64 could not hold on the way back are not lost, and no other bit changes
    inputs : give norms of input gradients too

    Returns
    -------
    layers : [LayerPass], the lowest first
    exact, truncated : (size,) gradients of the sum of the rows' losses, times lift; truncated is None without a memory
    x : (T, B) norms of input gradients, or None
    """
    forward = _forward(net, weights, batch, lift)
    layers = net.layers(forward)
    gates = [{block: values[0] for block, values in layer.rnn.gates(layer.tape).items()} for layer in layers]
    exact = net.backward(weights, forward, Wanted(inputs, norms=True))
    norms = [{state: sizes[state][0] / lift for state in ("h", "c") if state in sizes} for sizes in exact.norms]
    truncated = None
    if "c" in norms[0]:
        back = net.backward(weights, _forward(net, weights, batch, lift), Wanted(False, norms=True, truncated=True))
        truncated = back.theta
        for of_layer, sizes in zip(norms, back.norms, strict=True):
            of_layer["direct"] = sizes["c"][0] / lift
    x = norm(exact.x) / lift if inputs else None
    return SimpleNamespace(layers=list(map(LayerPass, layers, gates, norms)), exact=exact.theta, truncated=truncated, x=x)


def _forward(net, weights, batch, lift):
    """A Pass whose gradient is `lift` times that of the sum, not the mean, of the rows' losses."""
    forward = net.forward(weights, batch)
    forward.do *= ROWS * lift
    return forward


def medians(layer, batch, lags, x=None):
    """{name: [median over rows at each lag]} of a LayerPass and, where given, of x (T, B), norms of input gradients."""
    at = batch.read - np.array(lags)[:, None], np.arange(ROWS)
    by_lag, cell = {name: norms[at] for name, norms in layer.norms.items()}, layer.of.rnn.cell
    if cell.retains:
        by_lag["f"] = retained_over(retained(cell, layer.gates), batch.read, lags[-1])[lags]
    if x is not None:
        by_lag["x"] = x[at]
    return {name: [_median(row) for row in rows] for name, rows in by_lag.items()}


def retained(cell, gates):
    """The fraction of its memory that a cell keeps at each step, in the shape of its gates: f, or 1 - z."""
    gate, sign = cell.retains[0]
    return gates[gate] if sign > 0 else 1 - gates[gate]


def retained_over(kept, read, longest):
    """(longest + 1, B), at each lag the norm over the units of the product of kept (T, B, H) over steps read - lag + 1..read."""
    steps = read - np.arange(longest)[:, None]
    product = np.ones((longest + 1, *kept.shape[1:]))
    product[1:] = np.multiply.accumulate(kept[steps, np.arange(len(read))], axis=0)
    return norm(product)


def norm(a):
    """The Euclidean norm over the last axis, scaled so that no square underflows."""
    largest = np.abs(a).max(axis=-1)
    scaled = a / np.where(largest > 0, largest, 1)[..., None]
    return largest * np.sqrt(_sum_last(scaled * scaled))


def _sum_last(a):
    """The sum over the last axis: add the upper half to the lower half until one number is left."""
    n = a.shape[-1]
    while n > 1:
        half = (n + 1) // 2
        a = np.concatenate([a[..., : n - half] + a[..., half:n], a[..., n - half : half]], axis=-1)
        n = half
    return a[..., 0]


def spaced(longest):
    """At most LAGS whole numbers from 0 to longest, both included, with growing distances."""
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
    """A positive number rounded to `digits` digits; None where it is 0 or not finite."""
    return float(f"{value:.{digits}g}") if 0 < value < float("inf") else None
