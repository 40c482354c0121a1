"""Every gradient against central differences in float64: each parameter block, x and the initial state."""
import central
import numpy as np
import pytest
from cases import ARMS, CELLS, by_block, case, float64, real, run, twin


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """Thousands of passes over a few rows: several threads would mostly wait for each other."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def problem(make, cell, direction, merge, T, B, I, H):
    """A case and [(name, array, its claimed gradient)], with the loss <dy, y> + <dstate, final state> as a function."""
    layer = make(cell, I, H, direction, merge)
    given = case(cell, T, B, I, H, direction, merge)
    grad = run(layer, given).grad
    inside = real(T, given.lengths)[..., None]

    def loss():
        out = layer.forward(given.theta, given.x, given.lengths, given.state)
        return (given.dy * out.y * inside).sum() + sum((given.dstate[k] * out.state[k]).sum() for k in out.state)

    parts = [("x", given.x, grad.x)] + [(k, given.state[k], grad.state[k]) for k in given.state]
    theta, claimed = by_block(layer, given.theta), by_block(layer, grad.theta)
    parts += [(name, theta[name], claimed[name]) for name in theta]
    return loss, parts


@pytest.mark.parametrize("make", [twin, float64])
@pytest.mark.parametrize("direction, merge", ARMS)
@pytest.mark.parametrize("cell", CELLS)
def test_every_entry(make, cell, direction, merge):
    loss, parts = problem(make, cell, direction, merge, T=4, B=2, I=2, H=3)
    for name, array, claimed in parts:
        central.check_entries(loss, array, claimed, name)


@pytest.mark.parametrize("make", [twin, float64])
@pytest.mark.parametrize("direction, merge", ARMS)
@pytest.mark.parametrize("cell", CELLS)
def test_directions_of_odd_sizes(make, cell, direction, merge):
    loss, parts = problem(make, cell, direction, merge, T=9, B=7, I=5, H=19)
    rng = np.random.default_rng(1)
    for name, array, claimed in parts:
        central.check_directions(loss, array, claimed, name, rng)


def test_a_chunk_and_more():
    """Weight gradients are summed by chunks of 32 steps: past one chunk, in both directions."""
    loss, parts = problem(float64, "peephole", "both", "learned", T=70, B=3, I=3, H=5)
    rng = np.random.default_rng(2)
    for name, array, claimed in parts:
        central.check_directions(loss, array, claimed, name, rng)


@pytest.mark.parametrize("cell", CELLS)
def test_the_check_fails_on_a_wrong_gradient(cell):
    """An entry off by a hundred-thousandth of the block's norm is caught, and so is a block that is scaled."""
    loss, parts = problem(twin, cell, "both", "learned", T=4, B=2, I=2, H=3)
    rng = np.random.default_rng(3)
    for name, array, claimed in parts:
        wrong = claimed.copy()
        wrong.flat[-1] += 1e-5 * np.linalg.norm(claimed)
        with pytest.raises(AssertionError, match="off by"):
            central.check_entries(loss, array, wrong, name)
        with pytest.raises(AssertionError, match="off by"):
            central.check_directions(loss, array, 1.001 * claimed, name, rng, directions=8)
