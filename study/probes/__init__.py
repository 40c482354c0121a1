"""Probes: why a net forgets. Each examines a net, fresh or trained, in float64, and trains nothing.

- `norms.py`: gradients of states and inputs by lag.
- `jacobian.py`: Jacobians of the states, their singular values and Lyapunov exponents.
- `gates.py`: gate values, time constants, traces of single units.
- `attention.py`: where a head with attention looks.
- `words.py`: why a net knows a word of a sentence; `held.py` and `linear.py` serve it.
"""

import numpy as np

import kernels
from study.nets.net import Net
from study.probes import gates, jacobian, norms
from study.probes.norms import short

LIFT = 2.0**500  # the loss is scaled by this: float64 then holds gradients from 1e-300 to 1e+157


def measure(task, made_of, theta, batch, sequence):
    """All that the probes report of a forward net; of several layers, those of the first layer, which reads the sequence.

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
    weights : |dL/dtheta|, where L is the mean loss of the batch and theta are the layer's weights
    cosine : between the exact gradient of the layer's weights and the truncated one; None for a cell without a memory
    layers : only for a net of several layers: all of the above of each further one, the lowest first, without "x"
    """
    net = Net(task, made_of, "float64")
    weights = theta.astype(np.float64)
    batch, sequence = batch.last_judged().until_read(), sequence.until_read()
    back = norms.passes(net, weights, batch, LIFT, inputs=True)
    other = [layer.x[:, 0] for layer in net.layers(net.forward(weights, sequence))]
    first, *above = (_of_layer(n, back, weights, batch, other[n]) for n in range(len(other)))
    return first | ({"layers": above} if above else {})


def _of_layer(n, back, weights, batch, other):
    """What `measure` reports of the n-th layer of norms.passes, whose input of the single sequence is `other` (T, inputs)."""
    layer = back.layers[n]
    rnn, where, x, _ = layer.of
    theta, x = weights[where], x[: batch.lengths[0], 0]
    lags = norms.spaced(int(batch.read.min()))
    alive = np.arange(len(batch.x))[:, None] < batch.lengths

    constants = gates.time_constants(rnn.cell, layer.gates, alive)
    units = gates.traced(constants, rnn.units)
    steps = batch.read[0] - np.array(lags)
    row = {block: values[:, 0] for block, values in layer.gates.items()}
    last = min(jacobian.PRODUCT, lags[-1])
    ks = sorted({*(2**k for k in range(last.bit_length())), last})
    states = jacobian.trajectory(rnn, theta, x, last)
    values = jacobian.singular_values(jacobian.backwards(rnn, theta, x[-last:], states), ks)
    exponents = jacobian.lyapunov(rnn, theta, other, min(jacobian.EXPONENT, len(other)))
    largest = jacobian.largest_of_u(rnn, theta)
    return {
        "norms": {"lag": lags} | norms.medians(layer, batch, lags, None if n else back.x),
        "jacobian": {"lag": ks, "values": [[v and short(v) for v in jacobian.shares(all_of_lag)] for all_of_lag in values]},
        "lyapunov": [_signed(exponent) for exponent in exponents],
        "U": {block: short(value) for block, value in largest.items()},
        "gates": gates.histograms(layer.gates, alive),
        "constants": [] if constants is None else [short(value) for value in np.sort(constants)],
        "trace": {"lag": lags, "units": units} | gates.traces(rnn, theta, x, row, units, steps),
        "weights": short(_length(back.exact[where] / LIFT) / norms.ROWS),
        "cosine": _cosine(back, where),
    }


def _cosine(back, layer):
    if back.truncated is None:
        return None
    exact, truncated = (grad[layer] / LIFT for grad in (back.exact, back.truncated))
    return _signed(kernels.total(exact * truncated) / _length(exact) / _length(truncated))


def _length(gradient):
    """The Euclidean norm, with the same bits anywhere."""
    return kernels.clip_by_norm(gradient)


def _signed(value):
    return float(f"{value:.{norms.DIGITS}g}") if abs(value) < float("inf") else None
