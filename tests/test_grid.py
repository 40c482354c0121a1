"""Grids of LSTMs: against the equations of the paper, central differences and single steps."""

from types import SimpleNamespace

import central
import numpy as np
import pytest
from test_training import OPTIMIZERS, check, drawn

import kernels
from study.nets.architecture import Architecture
from study.nets.initialisation import Initialisation
from study.nets.net import Net
from study.probes import norms
from study.tasks import TASKS
from study.trial.knobs import Trial
from study.trial.run import run

CLASSES, NUMBERS = TASKS["temporal_order/6a"], TASKS["adding/hs97"]
CELLS = [name for name, cell in kernels.CELLS.items() if cell.states == ("h", "c")]
TINY = 1e-100  # a complex step: the slope is exact to rounding


def grid(cell="lstm", units=5, layers=2, tied=False, dtype="float64", task=CLASSES):
    return Net(task, Architecture(cell, units, layers=layers, stack="grid", tied=tied), dtype)


def lstm(W, U, b, x, h, c):
    """Kalchbrenner, Danihelka, Graves 2015, section 2, with blocks in the order i, f, g, o; complex numbers too."""
    i, f, g, o = (x @ W[k] + h @ U[k] + b[k] for k in range(4))
    sigmoid = lambda a: 1 / (1 + np.exp(-a))  # noqa: E731
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def by_paper(net, theta, batch, moved=None):
    """(P, K) logits: section 3.2's two-dimensional grid, step by step and layer by layer.

    moved : (layer, step of each row, unit), whose h takes a complex step
    """
    made_of, H, I = net.made_of, net.made_of.units, net.inputs
    weights = {name: theta[part] for name, part in net.slices.items()}
    E, V = weights["embedding"].reshape(I + 1, H), weights["head"].reshape(H + 1, -1)
    one = 4 * (2 * H * H + H)
    layers = [weights["recurrent"][2 * one * (0 if made_of.tied else n) :] for n in range(made_of.layers)]

    def cut(flat):
        return flat[: 4 * H * H].reshape(4, H, H), flat[4 * H * H : 8 * H * H].reshape(4, H, H), flat[8 * H * H : one].reshape(4, H)

    h, c = (np.zeros((made_of.layers, len(batch.lengths), H), theta.dtype) for _ in range(2))
    out = np.zeros((*batch.x.shape[:2], H), theta.dtype)
    for t, x in enumerate(np.asarray(batch.x, float)):
        deep, memory = x @ E[:I] + E[I], 0
        for n, flat in enumerate(layers):
            h[n], c[n] = lstm(*cut(flat), deep, h[n], c[n])
            if moved and n == moved[0]:
                h[n][t == moved[1], moved[2]] += 1j * TINY
            deep, memory = lstm(*cut(flat[one:]), h[n], deep, memory)
        out[t] = deep
    return out[batch.read, np.arange(len(batch.read))] @ V[:H] + V[H]


@pytest.mark.parametrize("layers, tied", [(1, False), (2, False), (3, True), (6, False)])
def test_a_grid_is_that_of_the_paper(layers, tied):
    net, batch = grid(layers=layers, tied=tied, units=3), CLASSES.sample(kernels.Stream("grid"), 4, 36)
    assert len(set(batch.lengths)) > 1 and min(batch.lengths) > 32
    theta = net.init(3)
    passed = net.forward(theta, batch)
    o, rows = by_paper(net, theta, batch), np.arange(4)
    loss = lambda theta: (lambda o: (np.log(np.exp(o).sum(1)) - o[rows, batch.target]).mean())(by_paper(net, theta, batch))  # noqa: E731
    assert np.abs(passed.output - np.exp(o) / np.exp(o).sum(1, keepdims=True)).max() < 1e-12
    grad = net.backward(theta, passed).theta
    some = np.concatenate([np.arange(part.start, part.stop, max(1, (part.stop - part.start) // 12)) for part in net.slices.values()])
    for k in some:
        moved = theta.astype(complex)
        moved[k] += 1j * TINY
        assert abs(loss(moved).imag / TINY - grad[k]) < 1e-12


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("tied", [False, True])
def test_the_gradient_of_a_grid(cell, tied):
    net, batch = grid(cell, 3, 2, tied, task=NUMBERS), NUMBERS.sample(kernels.Stream("gradient"), 4, 40)
    theta = net.init(1)
    grad = net.backward(theta, net.forward(theta, batch)).theta
    central.check_entries(lambda: net.forward(theta, batch, tape=False).loss.mean(), theta, grad, "theta")


@pytest.mark.parametrize("number, cell", list(enumerate(CELLS)))
def test_grids_train_to_the_bits_of_single_steps(number, cell):
    for n in range(number, number + 4):
        task, knobs = (CLASSES, NUMBERS)[n % 2], {"units": 4 + n % 15, "layers": 1 + n % 3, "tied": n % 4 < 2}
        check(task, drawn(task, 7, 40 + n), (1, 3)[n % 2], n // 2 % len(OPTIMIZERS), cell=cell, stack="grid",
              dtype=("float32", "float64")[n // 2 % 2], **knobs)
    check(CLASSES, drawn(CLASSES, 5, 40), 2, cell=cell, stack="grid", layers=2, truncated=True)


@pytest.mark.parametrize("cell", CELLS)
def test_a_grid_step_by_step_has_the_bits_of_its_forward_pass(cell):
    net, x = grid(cell, 7, 3, dtype="float32"), kernels.Stream("x").normal(40 * 5 * 7).reshape(40, 5, 7).astype(np.float32)
    module, theta = net.modules["recurrent"], net.init(0)[net.slices["recurrent"]]
    step, batch = module.stepper(theta, 5), SimpleNamespace(lengths=np.full(5, 40))
    assert np.array_equal(np.stack([step(x_t) for x_t in x]), module.forward(theta, x, batch, tape=False)[0])


def test_a_long_batch_is_cut_between_steps(monkeypatch):
    monkeypatch.setattr("kernels.tape.PACE", 1)
    check(CLASSES, drawn(CLASSES, 5, 150), 2, stack="grid", layers=6)


def test_weights_are_named_by_layer_and_way_and_drawn_from_streams_of_their_own():
    net, layer = grid(units=8, layers=2, dtype="float32"), kernels.RNN("lstm", 8, 8)
    shapes, theta = net.modules["recurrent"].shapes, net.init(4)[net.slices["recurrent"]]
    assert list(shapes) == [f"{prefix}forward/{key}" for prefix in ("", "depth/", "layer1/", "layer1/depth/") for key in "WUb"]
    parts = [layer.init(4, prefix=prefix) for prefix in ("", "depth/", "layer1/", "layer1/depth/")]
    assert np.array_equal(theta, np.concatenate(parts))
    tied = grid(units=8, layers=2, tied=True, dtype="float32")
    assert np.array_equal(tied.init(4)[tied.slices["recurrent"]], np.concatenate(parts[:2]))
    long = net.init(4, Initialisation("long", horizon=50))[net.slices["recurrent"]]
    assert np.array_equal(long, np.concatenate([layer.init(4, prefix=prefix, **({} if "depth" in prefix else {"chrono": 50}))
                                                for prefix in ("", "depth/", "layer1/", "layer1/depth/")]))


def test_parts_that_do_not_fit_into_a_grid_are_refused():
    layer = kernels.RNN("lstm", 4, 4)
    training = kernels.Training(4, layer.size, "cross_entropy", (6, 3, 4))
    for wrong in (kernels.RNN("gru", 4, 4), kernels.RNN("lstm", 4, 4, "reverse"), kernels.RNN("lstm", 3, 4), kernels.RNN("lstm", 4, 3),
                  kernels.RNN("lstm", 4, 4, block=2)):
        with pytest.raises(ValueError, match="layer: expected a forward one|x: expected a part of width|at: "):
            training.deep(0, 0, None, wrong, 0)


def test_norms_of_each_layer_are_those_of_the_paper():
    made_of, task = Architecture("lstm", 4, layers=2, stack="grid"), TASKS["recall/past"]
    net, batch = Net(task, made_of, "float64"), task.sample(kernels.Stream("norms"), norms.ROWS, 6)
    theta = net.init(2)
    found, rows = norms.norms_by_lag(task, made_of, theta, batch), np.arange(norms.ROWS)
    for n, layer in enumerate([found, *found["layers"]]):
        for lag in (0, 2, 6):
            slopes = []
            for unit in range(4):
                o = by_paper(net, theta.astype(complex), batch, (n, batch.read - lag, unit))
                slopes.append((np.log(np.exp(o).sum(1)) - o[rows, batch.target]).imag / TINY)
            assert layer["h"][found["lag"].index(lag)] == pytest.approx(np.median(np.linalg.norm(slopes, axis=0)), rel=1e-4)


def test_a_trial_with_a_grid_is_trained_guessed_and_probed():
    knobs = {"cell": "lstm", "units": 6, "gap": 8, "layers": 2, "stack": "grid"}
    trained = run(Trial(**knobs, lr=0.01, budget=320))
    assert np.isfinite(trained.final_loss) and len(trained.norms["end"]["layers"]) == 1
    assert trained.parameters == 9 * 6 + 6 + 4 * 4 * (2 * 36 + 6) + 6 * 4 + 4
    tied = run(Trial(**knobs, tied=True, lr=0.01, budget=320))
    assert tied.parameters == trained.parameters - 2 * 4 * (2 * 36 + 6)
    assert run(Trial(**knobs, method="guess", budget=64)).guesses > 0
    probed = run(Trial(**knobs, method="probe")).probe
    assert probed["norms"]["h"] == pytest.approx(trained.norms["start"]["h"], rel=1e-4)
    assert probed["layers"][0]["U"] != probed["U"]
