"""Cosine and sine of kernels/angles.pxd, which only the eigenvalues of an lru use, so they are read from one step of such a layer.

scripts/angles_error measures the errors over all float32 inputs up to 1,000; here a sample is held to the same bounds.
"""

import mpmath
import numpy as np
import pytest

import kernels

UNITS = 64
MOST = 0.75  # units in the last place of 1


def step(dtype, own, state):
    """(q_re, q_im) of units with these parameters (3, UNITS) of their own, after one step from `state` at x = 1 with B = 1."""
    layer = kernels.RNN("lru", 1, UNITS, dtype=dtype)
    theta = np.zeros(layer.size, dtype)
    parts = layer.view(theta)
    parts["forward/W"][0], parts["forward/p"][...] = 1, own
    states = {name: np.full((1, 1, UNITS), value, dtype) for name, value in state.items()}
    out = layer.forward(theta, np.ones((1, 1, 1), dtype), state=states, tape=False).state
    return out["q_re"].ravel(), out["q_im"].ravel()


def angles(dtype, logs):
    """exp(logs) as the layer has it, cos and sin of that: |l| = exp(-exp(-1000)) = 1 and exp(gamma) B = 0, or l is not used."""
    never, rows = np.full(UNITS, -1000), logs.reshape(-1, UNITS)
    x = np.concatenate([step(dtype, [never, never, row], {})[0] for row in rows])
    parts = [step(dtype, [never, row, never], {"q_re": 1}) for row in rows]
    return x, np.concatenate([re for re, _ in parts]), np.concatenate([im for _, im in parts])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_errors_of_angles(dtype):
    """Magnitudes from 2^-24 to 1,000, and both sides of multiples of pi / 4, where the formula changes and where cos or sin is 0."""
    random = np.random.default_rng(0)
    edges = np.arange(1, 1273)[:, None] * np.pi / 4 * (1 + np.finfo(dtype).eps * np.arange(-4, 5))
    logs = np.concatenate([random.uniform(np.log(2.0**-24), np.log(1000), 4096 - edges.size % UNITS), np.log(edges).ravel()])
    x, cos, sin = angles(dtype, logs.astype(dtype))
    assert x.min() < 1e-7 and 999 < x.max() < 1001 and len(x) == len(logs)
    with mpmath.workprec(120):
        off = [abs(mpmath.mpf(float(y)) - right(mpmath.mpf(float(a)))) for right, ys in ((mpmath.cos, cos), (mpmath.sin, sin))
               for y, a in zip(ys, x, strict=True)]
    assert max(off) <= MOST * np.finfo(dtype).eps
    assert max(off) >= 0.3 * np.finfo(dtype).eps  # the sample meets hard inputs
