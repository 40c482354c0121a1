"""Probes: why a net forgets. Each looks at a net as it is, fresh or trained, in float64, and trains nothing."""

import numpy as np

import kernels
from study import streams
from study.nets.net import Net
from study.probes import gates, jacobian, norms
from study.probes.norms import short

LIFT = 2.0**500  # gradients down to 1e-300 on their way back, and up to 1e+157


def look(trial, task, knobs, theta):
    """Everything that the probes see of a forward net.

    Parameters
    ----------
    trial : study.trial.Trial, for the streams and the gap
    task, knobs, theta : as in study.probes.norms.norms_by_lag

    Returns
    -------
    dict, numbers to five digits, None where one is 0 or not finite

    norms : as norms_by_lag, to 1e-300, and "x": |dL/dx_t|
    jacobian : {"lag": [k], "values": [[the largest singular value of d state_t / d state_{t-k}, and those at
        jacobian.SHARES of their number] for each k]}, along one sequence, from the step that is read
    lyapunov : the leading exponents, in nats a step, along the last steps of another sequence
    U : {block: the largest singular value of its U}
    gates : {gate: histogram}, as gates.histograms
    constants : time constants of the units, ascending; [] for a cell without a gate that retains
    trace : {"lag", "units", and gates and states as gates.traces} along the first sequence
    cosine : between the exact gradient of the layer's weights and the truncated one; None for a cell without a memory
    """
    net = Net(task, **knobs, dtype="float64")
    weights = theta.astype(np.float64)
    batch = task.sample(streams.stream(trial, "probe"), norms.ROWS, trial.gap).until_read()
    found = norms.passes(net, weights, batch, LIFT, inputs=True)
    lags = norms.spaced(int(batch.read.min()))
    alive = np.arange(len(batch.x))[:, None] < batch.lengths

    constants = gates.time_constants(net.cell, found.gates, alive)
    units = gates.traced(constants, net.layer.units)
    row = {block: values[:, 0] for block, values in found.gates.items()}
    layer, x = net.split(weights)[0], _sequence(net, weights, batch)
    last = min(jacobian.PRODUCT, lags[-1])
    ks = sorted({*(2**k for k in range(last.bit_length())), last})
    states = jacobian.trajectory(net.layer, layer, x, last)
    values = jacobian.singular_values(jacobian.backwards(net.layer, layer, x[-last:], states), ks)
    other = _sequence(net, weights, task.sample(streams.stream(trial, "lyapunov"), 1, trial.gap).until_read())
    exponents = jacobian.lyapunov(net.layer, layer, other, min(jacobian.EXPONENT, len(other)))
    largest = jacobian.largest_of_u(net.layer, layer)
    return {
        "norms": {"lag": lags} | norms.medians(net, batch, found, lags),
        "jacobian": {"lag": ks, "values": [[v and short(v) for v in jacobian.told(some)] for some in values]},
        "lyapunov": [_signed(exponent) for exponent in exponents],
        "U": {block: short(value) for block, value in largest.items()},
        "gates": gates.histograms(found.gates, alive),
        "constants": [] if constants is None else [short(value) for value in np.sort(constants)],
        "trace": {"lag": lags, "units": units} | gates.traces(net.layer, layer, x, row, units, batch.read[0] - np.array(lags)),
        "cosine": _cosine(found, net.layer.size),
    }


def _sequence(net, weights, batch):
    """What the layer sees of a batch's first row, (T, I)."""
    return net.embed(weights, batch.x[: batch.lengths[0], :1])[:, 0]


def _cosine(found, size):
    if found.truncated is None:
        return None
    exact, truncated = (np.ldexp(grad[:size], -500) for grad in (found.exact, found.truncated))
    lengths = [kernels.clip_by_norm(grad) for grad in (exact, truncated)]
    return _signed(kernels.total(exact * truncated) / lengths[0] / lengths[1])


def _signed(value):
    return float(f"{value:.{norms.DIGITS}g}") if abs(value) < float("inf") else None
