"""The Jacobian of a net's states: what a small change of all states at one step is at another.

J_t = d state_t / d state_{t-1} (n, n) over all states stacked, n = states x units, is exact: a backward pass through one
step, one row for each unit of each state. Everything is float64 through `kernels`, singular values too, so the bits hold.
"""

import numpy as np

import kernels

ROWS = 4096  # of a backward pass through single steps
EXPONENTS = 4  # of the Lyapunov spectrum, the largest ones
TURN = 4  # steps between two re-orthonormalisations: few enough for the slowest and the fastest row to be told apart
SETTLING = 5  # a fifth of the steps, in which the vectors turn to their directions
PRODUCT, EXPONENT = 256, 512  # last steps of a sequence that products of Jacobians and the exponents span
SHARES = (0, 1 / 8, 1 / 4, 1 / 2, 1)  # which singular values are told: the largest, ..., the smallest
RESOLVED = 1e-13  # of the largest singular value of a product; smaller ones are rounding


def trajectory(layer, theta, x, steps):
    """{state: (steps + 1, H)} of a layer's last steps of a run from zero over what it sees, x (T, I)."""
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
    """Yield J_t (n, n) of a trajectory over x (T, I), the last first: row j is the gradient of the j-th number of state_t."""
    n = layer.units * len(states)
    span = max(1, ROWS // n)
    for stop in range(len(x), 0, -span):
        steps = np.repeat(np.arange(max(0, stop - span), stop), n)
        before = {name: state[steps][None] for name, state in states.items()}
        tape = layer.forward(theta, x[steps][None], state=before, threads=1).tape
        found = _back(layer, tape, np.tile(np.eye(n), (len(steps) // n, 1)))
        yield from found.reshape(-1, n, n)[::-1]


def _back(layer, tape, rows):
    """rows (m, n) J (m, n): row by row the gradient of a combination of the states at a tape's end, with respect to its first."""
    H = layer.units
    ends = {name: rows[None, :, k * H : (k + 1) * H] for k, name in enumerate(layer.cell.states)}
    found = layer.backward(tape, dstate=ends, inputs=False).state
    return np.concatenate([found[name][0] for name in layer.cell.states], axis=1)


def singular_values(jacobians, lags):
    """Of J_t J_{t-1} ... J_{t-k+1} for each k of `lags` (ascending, from 1): [(n,) largest first].

    The product is kept near 1 by powers of two; one that leaves float64 is 0 or infinite.
    """
    product, exponent, found = None, 0, []
    for k, jacobian in enumerate(jacobians, 1):
        product = jacobian if product is None else kernels.product(product, jacobian)
        size = int(np.frexp(np.abs(product).max())[1])
        product, exponent = np.ldexp(product, -size), exponent + size
        if k in lags:
            found.append(np.ldexp(kernels.singular_values(product), exponent))
    return found


def lyapunov(layer, theta, x, steps):
    """The leading Lyapunov exponents along the last steps of a run from zero over x (T, I), nats a step, largest first.

    Rows that the Jacobians are applied to from the right, the last one first, as BPTT does, re-orthonormalised every TURN
    steps; the mean log of their lengths after the first fifth of the steps (Benettin et al. 1980, on the transposed product,
    whose exponents are the same). -infinity where nothing is left; one that lies 9 or more below the first is rounding.
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
    """{block: the largest singular value of its U (H, H)}."""
    blocks = layer.view(theta)["forward/U"]
    return {block: kernels.singular_values(U)[0] for block, U in zip(layer.cell.recurrent, blocks, strict=True)}


def told(values):
    """The singular values at SHARES of their number, None where they are rounding of a product."""
    places = [int(share * (len(values) - 1)) for share in SHARES]
    return [values[place] if values[place] > RESOLVED * values[0] else None for place in places]
