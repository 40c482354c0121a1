"""The dependent chain that the bench compares one row with is that of a layer: it computes the same states and gradients."""

import numpy as np
import pytest

import kernels

UNITS, STEPS, WEIGHT, BIAS = 2, 2000, 0.05, 0.125


def layer_of_the_chain(name):
    """A layer whose weights are those of the chain, and its theta: x reaches it only where the equations contain x.

    No lru: its peepholes are l_re, -l_im, l_im and l_re of an eigenvalue, and those of the chain, all equal, are of none.
    """
    layer = kernels.RNN(name, UNITS, UNITS)
    theta = np.full(layer.size, WEIGHT, np.float32)
    parts = layer.view(theta)
    parts["forward/W"][...], parts["forward/b"][...] = 0, BIAS
    return layer, theta


@pytest.mark.parametrize("name", [name for name, cell in kernels.CELLS.items() if not cell.own])
def test_a_chain_computes_what_a_layer_does(name):
    states, carry = kernels.build("chain", "float32").run(name, UNITS, STEPS, STEPS, WEIGHT, BIAS)
    layer, theta = layer_of_the_chain(name)
    names, x = layer.cell.states, np.full((STEPS, 1, UNITS), WEIGHT, np.float32)
    out = layer.forward(theta, x, tape=False)
    assert [out.state[state][0, 0, 0] for state in names] == states[: len(names)]
    # Now every step has nearly the gates of the chain's backward steps.
    out = layer.forward(theta, x, state=out.state)
    grad = layer.backward(out.tape, dy=np.full_like(out.y, WEIGHT))
    assert [grad.state[state][0, 0, 0] for state in names] == pytest.approx(carry[: len(names)], rel=1e-5, abs=1e-8)
