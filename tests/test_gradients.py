"""Every gradient against central differences in float64: each parameter block, x and the initial state."""
import central
import numpy as np
import pytest
from cases import ARMS, CELLS, by_block, case, float64, real, run, twin


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """With a few rows per pass, several threads would mostly wait for each other."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


# How a cell's gradient is computed does not depend on the layer's arm, nor how an arm's halves are merged on the cell.
CASES = [(cell, ("both", "learned")) for cell in CELLS] + [("peephole", arm) for arm in ARMS[:-1]]


def problem(make, cell, arm, size):
    """A case and [(name, array, its claimed gradient)], with the loss <dy, y> + <dstate, final state> as a function."""
    (direction, merge), (T, B, I, H) = arm, size
    layer = make(cell, I, H, direction, merge)
    given = case(cell, (T, B, I, H), direction, merge)
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
@pytest.mark.parametrize("cell, arm", CASES)
def test_every_entry(make, cell, arm):
    loss, parts = problem(make, cell, arm, size=(4, 2, 2, 3))
    for name, array, claimed in parts:
        central.check_entries(loss, array, claimed, name)


@pytest.mark.parametrize("cell, arm", CASES)
def test_directions_of_odd_sizes(cell, arm):
    """In the kernels alone: the twin's code does not depend on sizes."""
    loss, parts = problem(float64, cell, arm, size=(9, 7, 5, 19))
    rng = np.random.default_rng(1)
    for name, array, claimed in parts:
        central.check_directions(loss, array, claimed, name, rng)


def test_a_chunk_and_more():
    """Weight gradients are summed in chunks of 32 steps; 70 steps are more than two chunks in each direction."""
    loss, parts = problem(float64, "peephole", ("both", "learned"), size=(70, 3, 3, 5))
    rng = np.random.default_rng(2)
    for name, array, claimed in parts:
        central.check_directions(loss, array, claimed, name, rng)


@pytest.mark.parametrize("cell", ["rnn", "peephole", "mut1"])
def test_the_check_fails_on_a_wrong_gradient(cell):
    """The check catches an entry that is off by 1e-5 of its block's norm, and a block that is scaled by 1.001."""
    loss, parts = problem(twin, cell, ("both", "learned"), size=(4, 2, 2, 3))
    rng = np.random.default_rng(3)
    for name, array, claimed in parts:
        wrong = claimed.copy()
        wrong.flat[-1] += 1e-5 * np.linalg.norm(claimed)
        with pytest.raises(AssertionError, match="off by"):
            central.check_entries(loss, array, wrong, name)
        with pytest.raises(AssertionError, match="off by"):
            central.check_directions(loss, array, 1.001 * claimed, name, rng, directions=8)
