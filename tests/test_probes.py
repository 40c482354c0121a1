"""The probe's figures against the twin's, and the lags at which they are taken."""

import numpy as np
import pytest

import kernels
from kernels import reference
from study.nets.architecture import Architecture
from study.nets.net import Net
from study.probes import norms as probe
from study.tasks import TASKS



def drawn(task, gap):
    return task.sample(kernels.Stream("probe test"), probe.ROWS, gap)


def net_of(cell, direction="forward", units=7):
    return Architecture(cell, units, direction)


def by_twin(task, net, theta, gap):
    """Median norms by lag of the forward direction, from the twin's float64 pass and a softmax written out."""
    batch = drawn(task, gap)
    layer = reference.RNN(net.cell, task.inputs, net.units, net.direction, net.merge)
    width = net.units * (2 if net.direction == "both" else 1)
    weights, V, v = np.split(theta.astype(float), [layer.size, layer.size + width * task.outputs])
    V = V.reshape(width, task.outputs)
    out = layer.forward(weights, batch.x, batch.lengths)
    rows = np.arange(probe.ROWS)
    o = out.y[batch.read, rows] @ V + v
    softmax = np.exp(o) / np.exp(o).sum(1, keepdims=True)
    dy = np.zeros_like(out.y)
    dy[batch.read, rows] = (softmax - np.eye(task.outputs)[batch.target]) @ V.T
    gates = layer.gates(out.tape)
    norms = layer.backward(out.tape, dy, norms=True).norms
    lags = range(int(batch.read.min()) + 1)
    medians = {state: [np.median(norm[0][batch.read - lag, rows]) for lag in lags] for state, norm in norms.items()}
    kept = {"lstm": lambda: gates["f"][0], "gru": lambda: 1 - gates["z"][0], "gru_after": lambda: gates["z"][0]}.get(net.cell)
    if kept:
        products = [[kept()[read - lag + 1 : read + 1, row].prod(0) for row, read in enumerate(batch.read)] for lag in lags]
        medians["f"] = [np.median(np.linalg.norm(product, axis=1)) for product in products]
    if "c" in medians:
        tanh_c = np.tanh(layer.forward(weights, batch.x, batch.read + 1).state["c"][0])
        dc = dy[batch.read, rows, : net.units] * gates["o"][0][batch.read, rows] * (1 - tanh_c**2)
        medians["direct"] = [np.median(np.linalg.norm(product * dc, axis=1)) for product in products]
    return medians


@pytest.mark.parametrize("direction", ["forward", "both"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "gru_after"])
def test_norms_are_the_twins(cell, direction):
    task, net, gap = TASKS["recall/both"], net_of(cell, direction), 12
    theta = Net(task, net).init(3)
    norms = probe.norms_by_lag(task, net, theta, drawn(task, gap))
    expected = by_twin(task, net, theta, gap)
    assert set(norms) == {"lag"} | set(expected)
    assert set(expected) == {"rnn": {"h"}, "lstm": {"h", "c", "direct", "f"}, "gru": {"h", "f"}, "gru_after": {"h", "f"}}[cell]
    assert norms["lag"] == list(range(norms["lag"][-1] + 1)) and norms["lag"][-1] >= gap
    for state in expected:
        assert norms[state] == pytest.approx(expected[state], rel=1e-4)


def test_nothing_reaches_the_states_of_a_net_that_does_not_look_at_them():
    task, net = TASKS["recall/past"], net_of("lstm")
    built = Net(task, net)
    theta = built.init(0)
    theta[built.slices["head"]] = 0
    norms = probe.norms_by_lag(task, net, theta, drawn(task, 5))
    assert set(norms["h"]) == set(norms["c"]) == {None}


@pytest.mark.parametrize("longest", [0, 1, 30, 31, 32, 33, 63, 109, 200, 255, 419, 1009, 10_000, 1_000_000])
def test_lags_cover_the_range_within_their_number(longest):
    lags = probe.spaced(longest)
    assert lags[0] == 0 and lags[-1] == longest and len(lags) <= probe.LAGS
    steps = np.diff(lags)
    assert (steps >= 1).all()
    assert (np.diff(steps[:-1]) >= 0).all()
    if longest < probe.LAGS:
        assert lags == list(range(longest + 1))
    elif longest < 10_000:
        assert len(lags) > probe.LAGS // 2


def test_what_a_long_product_lets_through_does_not_underflow():
    kept = np.full((1001, 2, 3), 0.5)
    kept[:, 1, 0] = 1
    norms = probe.retained_over(kept, np.array([1000, 1000]), 1000)
    assert norms[:, 0] == pytest.approx(3**0.5 * 0.5 ** np.arange(1001.0), rel=1e-12) and norms[-1, 1] == 1


def test_the_median_of_an_even_number_is_exact():
    assert probe._median(np.array([4.0, 1.0, 3.0, 100.0])) == 3.5
    assert probe._median(np.zeros(4)) is None and probe._median(np.full(4, np.inf)) is None and probe._median(np.full(4, np.nan)) is None
