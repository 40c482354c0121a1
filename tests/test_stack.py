"""Nets of several layers: against the NumPy twin, central differences and single steps, and what probes see of each layer."""

import itertools

import central
import numpy as np
import pytest
from test_training import DIRECTIONS, check, drawn

import kernels
from kernels import reference
from study.nets.architecture import Architecture
from study.nets.net import Net
from study.probes import norms
from study.tasks import TASKS
from study.trial.knobs import Trial
from study.trial.run import run

CLASSES, NUMBERS = TASKS["temporal_order/6a"], TASKS["adding/hs97"]
STACKS = ("plain", "residual")


def by_twin(net, theta, batch):
    """(outputs of the head, gradient of the mean loss, [norms of each layer]) of a float64 net of classes by kernels.reference."""
    made_of, weights = net.made_of, {name: theta[part] for name, part in net.slices.items()}
    names, y = [name for name in net.slices if name == "recurrent" or name.startswith("layer")], batch.x.astype(float)
    grads, passes = {}, []
    if "embedding" in weights:
        embedded = batch.x.astype(float)
        V = weights["embedding"].reshape(-1, made_of.units)
        y = embedded @ V[:-1] + V[-1]
    for name in names:
        layer, below, E = reference.RNN(made_of.cell, y.shape[2], made_of.units, made_of.direction, made_of.merge), y, None
        if layer.cell.direct and y.shape[2] != made_of.units:
            layer = reference.RNN(made_of.cell, made_of.units, made_of.units, made_of.direction, made_of.merge)
            E = weights[name][layer.size :].reshape(-1, made_of.units)
        out = layer.forward(weights[name][: layer.size], y if E is None else y @ E[:-1] + E[-1], batch.lengths)
        passes.append((name, layer, out, below, E))
        y = out.y + (below if made_of.stack == "residual" and name != "recurrent" else 0)
    rows, V = np.arange(len(batch.read)), weights["head"].reshape(y.shape[2] + 1, -1)
    h = y[batch.read, rows]
    p = np.exp(h @ V[:-1] + V[-1])
    p /= p.sum(1, keepdims=True)
    do, dy, sizes = (p - np.eye(p.shape[1])[batch.target]) / len(p), np.zeros_like(y), []
    grads["head"] = np.concatenate([(h.T @ do).reshape(-1), do.sum(0)])
    dy[batch.read, rows] = do @ V[:-1].T
    for name, layer, out, below, E in reversed(passes):
        back = layer.backward(out.tape, dy, norms=True)
        sizes.insert(0, back.norms)
        parts, dx = [back.theta], back.x
        if E is not None:
            parts += [np.einsum("tbi,tbj->ij", below, dx).reshape(-1), dx.sum((0, 1))]
            dx = dx @ E[:-1].T
        grads[name] = np.concatenate(parts)
        dy = dx + (dy if made_of.stack == "residual" and name != "recurrent" else 0)
    if "embedding" in weights:
        grads["embedding"] = np.concatenate([np.einsum("tbi,tbj->ij", embedded, dy).reshape(-1), dy.sum((0, 1))])
    return p, np.concatenate([grads[name] for name in net.slices]), sizes


@pytest.mark.parametrize("number, cell", list(enumerate(kernels.CELLS)))
def test_layers_are_those_of_the_twin(number, cell):
    for n, (direction, merge) in enumerate(DIRECTIONS, number):
        net = Net(CLASSES, Architecture(cell, 5, direction, merge, layers=2 + n % 2, stack=STACKS[n % 2]), "float64")
        theta, batch = net.init(2), CLASSES.sample(kernels.Stream("stack"), 6, 30)
        assert len(set(batch.lengths)) > 1
        output, grad, _ = by_twin(net, theta, batch)
        passed = net.forward(theta, batch)
        assert np.abs(passed.output - output).max() < 1e-12
        assert np.abs(net.backward(theta, passed).theta - grad).max() < 1e-12


@pytest.mark.parametrize("cell, direction, merge, stack", [
    ("lstm", "forward", "concat", "plain"), ("gru", "both", "mean", "residual"), ("mut1", "both", "concat", "residual"),
])
def test_the_gradient_of_a_stack(cell, direction, merge, stack):
    net = Net(NUMBERS, Architecture(cell, 3, direction, merge, layers=3, stack=stack), "float64")
    theta, batch = net.init(1), NUMBERS.sample(kernels.Stream("gradient"), 4, 40)
    grad = net.backward(theta, net.forward(theta, batch)).theta
    central.check_entries(lambda: net.forward(theta, batch, tape=False).loss.mean(), theta, grad, "theta")


@pytest.mark.parametrize("number, cell", list(enumerate(kernels.CELLS)))
def test_stacks_train_to_the_bits_of_single_steps(number, cell):
    for n, (direction, merge) in enumerate(DIRECTIONS, number):
        net = {"cell": cell, "units": 3 + n % 15, "direction": direction, "merge": merge, "dtype": ("float32", "float64")[n % 2]}
        check(CLASSES, drawn(CLASSES, 7, 40), (1, 3)[n % 2], layers=2 + n % 2, stack=STACKS[n // 2 % 2], **net)
    if kernels.CELLS[cell].truncates:
        check(CLASSES, drawn(CLASSES, 5, 40), 2, cell=cell, truncated=True, layers=3, stack="residual")


def test_eight_layers_of_both_directions_fit_into_a_training():
    check(CLASSES, drawn(CLASSES, 7, 30), 3, cell="mut1", units=4, direction="both", merge="mean", layers=8, stack="residual")


def test_a_second_layer_at_identity_changes_no_answer():
    """relu(h 1) = h where h >= 0; tanh(0) + h = h."""
    batch = CLASSES.sample(kernels.Stream("identity"), 5, 30)
    for cell, stack in (("rnn_relu", "plain"), ("rnn", "residual")):
        one, two = (Net(CLASSES, Architecture(cell, 6, layers=n, stack=stack)) for n in (1, 2))
        first, theta = one.init(0), two.init(0)
        assert np.array_equal(theta[two.slices["recurrent"]], first[one.slices["recurrent"]])
        theta[two.slices["layer1"]] = 0
        if stack == "plain":
            two.modules["layer1"].recurrent.layer.view(theta[two.slices["layer1"]])["forward/W"][0] = np.eye(6)
        assert one.forward(first, batch).output.tobytes() == two.forward(theta, batch).output.tobytes()


def test_layers_start_different_and_from_streams_named_by_layer():
    net = Net(CLASSES, Architecture("lstm", 8, layers=3))
    theta, layer = net.init(4), kernels.RNN("lstm", 8, 8)
    assert list(net.slices) == ["recurrent", "head", "layer1", "layer2"]
    for n in (1, 2):
        assert np.array_equal(theta[net.slices[f"layer{n}"]], layer.init(4, prefix=f"layer{n}/"))
    assert not np.array_equal(theta[net.slices["layer1"]], theta[net.slices["layer2"]])


@pytest.mark.parametrize("cell, stack", list(itertools.product(["rnn", "lstm"], STACKS)))
def test_norms_of_each_layer_are_the_twins(cell, stack):
    task, made_of = TASKS["recall/past"], Architecture(cell, 7, layers=3, stack=stack)
    net, batch = Net(task, made_of, "float64"), task.sample(kernels.Stream("norms"), norms.ROWS, 9)
    theta, rows = net.init(3), np.arange(norms.ROWS)
    found = norms.norms_by_lag(task, made_of, theta, batch)
    until = batch.usable("forward")
    for layer, sizes in zip([found, *found["layers"]], by_twin(net, theta, until)[2], strict=True):
        for state, size in sizes.items():
            expected = [norms.ROWS * np.median(size[0][batch.read - lag, rows]) for lag in found["lag"]]
            assert layer[state] == pytest.approx(expected, rel=1e-4)


def test_a_trial_of_two_layers_records_what_it_finds_in_each():
    knobs = {"cell": "lstm", "units": 8, "gap": 12, "layers": 2}
    trained = run(Trial(**knobs, lr=0.01, budget=320))
    probed = run(Trial(**knobs, method="probe")).probe
    for when in ("start", "end"):
        (above,) = trained.norms[when]["layers"]
        assert set(above) == {"h", "c", "direct", "f"} and above["h"] != trained.norms[when]["h"]
        assert len(above["h"]) == len(trained.norms[when]["lag"])
    (above,) = probed["layers"]
    assert set(above) == set(probed) - {"layers"} and "x" in probed["norms"] and "x" not in above["norms"]
    assert probed["norms"]["h"] == pytest.approx(trained.norms["start"]["h"], rel=1e-4)
    assert above["U"] != probed["U"] and above["lyapunov"] != probed["lyapunov"]
