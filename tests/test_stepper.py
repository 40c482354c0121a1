"""A layer step by step: the bits of the whole sequence, from any state, and what it refuses."""

import copy

import numpy as np
import pytest
from cases import CELLS, case, fitting, same_bits

import kernels


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(5, 1, 3, 8), (4, 1, 20, 37), (5, 3, 2, 5), (3, 33, 6, 17)], ids=str)
@pytest.mark.parametrize("cell", CELLS)
def test_steps_have_the_bits_of_the_sequence(cell, shape, dtype):
    T, B, I, H = shape
    layer = kernels.RNN(cell, fitting(cell, I, H), H, dtype=dtype)
    given = case(cell, shape, dtype=dtype)
    whole = layer.forward(given.theta, given.x, state=given.state)
    theta = given.theta.copy()
    step = layer.stepper(theta, B, given.state)
    theta[:] = np.nan  # a stepper has a copy of its weights
    y = [step(x) for x in given.x[:2]]
    step = layer.stepper(given.theta, B, step.state)
    y += [step(x) for x in given.x[2:]]
    assert same_bits(np.stack(y), whole.y)
    assert step.state.keys() == whole.state.keys()
    assert all(same_bits(step.state[name], state) for name, state in whole.state.items())


def test_what_it_refuses():
    layer = kernels.RNN("gru", 2, 3)
    theta, x = layer.init(), np.zeros((1, 2), np.float32)
    with pytest.raises(ValueError, match="direction: expected 'forward'.*got 'both'"):
        kernels.RNN("gru", 2, 3, "both").stepper(theta)
    for wrong, words in [({"theta": theta[1:]}, "theta"), ({"rows": 0}, "rows"), ({"state": {"c": x}}, "state"),
                         ({"state": {"h": x}}, r"state\['h'\]: expected shape \(1, 1, 3\)")]:
        with pytest.raises(ValueError, match=words):
            layer.stepper(**{"theta": theta} | wrong)
    step = layer.stepper(theta)
    for wrong in (x[0], x[:, :1], np.zeros((2, 2), np.float32)):
        with pytest.raises(ValueError, match=r"x: expected shape \(1, 2\)"):
            step(wrong)
    with pytest.raises(TypeError, match="x: expected an array of float32"):
        step(x.astype(np.float64))
    with pytest.raises(TypeError, match="stepper: it cannot be copied"):
        copy.copy(step)
