"""The Jacobian of a layer's states: how a small change of the states at one step changes the states at a later step.

J_t = d state_t / d state_{t-1} is (n, n) over all states stacked, n = states x units. It is exact: a backward pass through one
step, with one row for each unit of each state. All arithmetic is float64 in `kernels`, so the bits are the same anywhere.
"""

import numpy as np

import kernels

ROWS = 4096  # of a backward pass through single steps
EXPONENTS = 4  # of the Lyapunov spectrum, the largest ones
TURN = 4  # steps between two re-orthonormalisations: few enough for the slowest and the fastest row to stay independent
SETTLING = 5  # one fifth of the steps is left out, in which the vectors turn to their directions
PRODUCT, EXPONENT = 256, 512  # steps at the end of a sequence that products of Jacobians and the exponents span
SHARES = (0, 1 / 8, 1 / 4, 1 / 2, 1)  # which singular values are reported: 0 the largest, 1 the smallest
RESOLVED = 1e-13  # smaller singular values, relative to the largest, are rounding errors


def trajectory(layer, theta, x, steps):
    """{state: (steps + 1, H)} before and after each of the last steps of a run over x (T, I), which starts from zero."""
    states = {name: np.zeros((steps + 1, layer.units)) for name in layer.cell.states}
    first, now = len(x) - steps, None
    if first:
        now = layer.forward(theta, x[:first, None], threads=1, tape=False).state
        _keep(states, 0, now)
    for t in range(steps):
        now = layer.forward(theta, x[first + t][None, None], state=now, threads=1, tape=False).state
        _keep(states, t + 1, now)
    return states


def _keep(states, t, now):
    for name, state in states.items():
        state[t] = now[name][0, 0]


def backwards(layer, theta, x, states):
    """Yield J_t (n, n) along a trajectory over x (T, I), the last step first. Row j is the gradient of the j-th number of state_t."""
    n = layer.units * len(states)
    span = max(1, ROWS // n)
    for stop in range(len(x), 0, -span):
        steps = np.repeat(np.arange(max(0, stop - span), stop), n)
        before = {name: state[steps][None] for name, state in states.items()}
        tape = layer.forward(theta, x[steps][None], state=before, threads=1).tape
        jacobians = _back(layer, tape, np.tile(np.eye(n), (len(steps) // n, 1)))
        yield from jacobians.reshape(-1, n, n)[::-1]


def _back(layer, tape, rows):
    """rows (m, n) times J: each row the gradient of a combination of the final states with respect to the initial states."""
    H = layer.units
    ends = {name: rows[None, :, k * H : (k + 1) * H] for k, name in enumerate(layer.cell.states)}
    starts = layer.backward(tape, dstate=ends, inputs=False).state
    return np.concatenate([starts[name][0] for name in layer.cell.states], axis=1)


def singular_values(jacobians, lags):
    """Singular values of J_t J_{t-1} ... J_{t-k+1} for each k of `lags` (ascending, from 1): [(n,) largest first].

    Powers of two keep the product near 1. A singular value that float64 cannot hold is 0 or infinite.
    """
    product, exponent, values = None, 0, []
    for k, jacobian in enumerate(jacobians, 1):
        product = jacobian if product is None else kernels.product(product, jacobian)
        size = int(np.frexp(np.abs(product).max())[1])
        product, exponent = np.ldexp(product, -size), exponent + size
        if k in lags:
            values.append(np.ldexp(kernels.singular_values(product), exponent))
    return values


def lyapunov(layer, theta, x, steps):
    """The leading Lyapunov exponents along the last steps of a run over x (T, I) from zero, in nats a step, largest first.

    Rows are multiplied by the Jacobians from the right, the last step first, as BPTT does, and re-orthonormalised every TURN
    steps. The exponents are the mean logs of their lengths, without the first fifth of the steps (Benettin et al. 1980, on the
    transposed product, which has the same exponents). An exponent is -infinity where the product is 0; one that lies 9 or more
    below the first is a rounding error.
    """
    n = layer.units * len(layer.cell.states)
    rows, starts = min(EXPONENTS, n), range(len(x) - steps, len(x), TURN)
    wide = np.repeat(x[:, None], rows, axis=1)
    now = layer.forward(theta, wide[: starts[0]], threads=1, tape=False).state if starts[0] else None
    before = []
    for t in starts:
        before.append(now)
        now = layer.forward(theta, wide[t : t + TURN], state=now, threads=1, tape=False).state
    q = kernels.Stream("lyapunov").normal(rows * n).reshape(rows, n)
    kernels.orthonormalise(q)
    lengths = np.empty((rows, len(starts)))
    for k, t in enumerate(reversed(starts)):
        tape = layer.forward(theta, wide[t : t + TURN], state=before.pop(), threads=1).tape
        q = _back(layer, tape, q)
        lengths[:, k] = kernels.orthonormalise(q)
    settled = len(starts) // SETTLING
    span = min(len(x), starts[-1 - settled] + TURN) - starts[0]
    means = np.array([kernels.total(kernels.log(row)) for row in np.ascontiguousarray(lengths[:, settled:])]) / span
    return np.sort(means)[::-1].tolist()


def largest_of_u(layer, theta):
    """{block: the largest singular value of its U (H, H)}; empty for a cell without U.

    U of a gate that the cells of a memory cell block share has one column for each of them.
    """
    views, kinds = layer.view(theta), kernels.parameters.kinds(layer.cell, layer.block)
    found = {block: U for kind in ("U", "U_gates") for block, U in zip(kinds.get(kind, ()), views.get(f"forward/{kind}", ()), strict=True)}
    return {block: kernels.singular_values(np.repeat(found[block], layer.units // found[block].shape[1], axis=1))[0]
            for block in layer.cell.recurrent}


def shares(values):
    """The singular values at SHARES of their number, None where they are rounding errors of a product."""
    places = [int(share * (len(values) - 1)) for share in SHARES]
    return [values[place] if values[place] > RESOLVED * values[0] else None for place in places]
