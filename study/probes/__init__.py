"""Probes: why a net forgets. Each examines a net, fresh or trained, in float64, and trains nothing.

- `norms.py`: gradients of states and inputs by lag.
- `jacobian.py`: Jacobians of the states, their singular values and Lyapunov exponents.
- `gates.py`: gate values, time constants, traces of single units.
"""

import numpy as np

import kernels
from study.nets.net import Net
from study.probes import gates, jacobian, norms
from study.probes.norms import short

LIFT = 2.0**500  # the loss is scaled by this: float64 then holds gradients from 1e-300 to 1e+157


def measure(task, made_of, theta, batch, sequence):
    """All that the probes report of a forward net.

    Parameters
    ----------
    task, made_of, theta, batch : as in study.probes.norms.norms_by_lag
    sequence : Batch of one sequence, for the Lyapunov exponents

    Returns
    -------
    dict of numbers with five digits, None for a number that is 0 or not finite

    norms : as norms_by_lag, down to 1e-300, and "x": |dL/dx_t|
    jacobian : {"lag": [k], "values": [[singular values of d state_t / d state_{t-k}] for each k]}, where t is the step that is
        read of the first sequence, and the values are those at jacobian.SHARES of their number, the largest first
    lyapunov : the leading exponents, in nats a step, along the last steps of `sequence`
    U : {block: the largest singular value of its U}
    gates : {gate: histogram}, as gates.histograms
    constants : time constants of the units, ascending; [] for a cell without a gate that retains
    trace : {"lag", "units", and gates and states as gates.traces} along the first sequence
    cosine : between the exact gradient of the layer's weights and the truncated one; None for a cell without a memory
    """
    net = Net(task, made_of, "float64")
    weights = theta.astype(np.float64)
    batch, sequence = batch.last_answers().until_read(), sequence.until_read()
    back = norms.passes(net, weights, batch, LIFT, inputs=True)
    lags = norms.spaced(int(batch.read.min()))
    alive = np.arange(len(batch.x))[:, None] < batch.lengths

    constants = gates.time_constants(net.cell, back.gates, alive)
    units = gates.traced(constants, net.layer.units)
    steps = batch.read[0] - np.array(lags)
    row = {block: values[:, 0] for block, values in back.gates.items()}
    layer, x = weights[net.slices["recurrent"]], net.layer_input(weights, batch)[: batch.lengths[0], 0]
    last = min(jacobian.PRODUCT, lags[-1])
    ks = sorted({*(2**k for k in range(last.bit_length())), last})
    states = jacobian.trajectory(net.layer, layer, x, last)
    values = jacobian.singular_values(jacobian.backwards(net.layer, layer, x[-last:], states), ks)
    other = net.layer_input(weights, sequence)[:, 0]
    exponents = jacobian.lyapunov(net.layer, layer, other, min(jacobian.EXPONENT, len(other)))
    largest = jacobian.largest_of_u(net.layer, layer)
    return {
        "norms": {"lag": lags} | norms.medians(net, batch, back, lags),
        "jacobian": {"lag": ks, "values": [[v and short(v) for v in jacobian.shares(all_of_lag)] for all_of_lag in values]},
        "lyapunov": [_signed(exponent) for exponent in exponents],
        "U": {block: short(value) for block, value in largest.items()},
        "gates": gates.histograms(back.gates, alive),
        "constants": [] if constants is None else [short(value) for value in np.sort(constants)],
        "trace": {"lag": lags, "units": units} | gates.traces(net.layer, layer, x, row, units, steps),
        "cosine": _cosine(back, net.slices["recurrent"]),
    }


def _cosine(back, layer):
    if back.truncated is None:
        return None
    exact, truncated = (np.ldexp(grad[layer], -500) for grad in (back.exact, back.truncated))
    lengths = [kernels.clip_by_norm(grad) for grad in (exact, truncated)]
    return _signed(kernels.total(exact * truncated) / lengths[0] / lengths[1])


def _signed(value):
    return float(f"{value:.{norms.DIGITS}g}") if abs(value) < float("inf") else None
