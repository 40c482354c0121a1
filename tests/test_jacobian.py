"""Probes against the twin and a linear-algebra library: Jacobians, their spectra, gates, saliency, truncation."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cases import CELLS, case, float64, twin
from toy import environment

import kernels
from kernels import processor, reference
from study import probes
from study.nets.architecture import Architecture
from study.nets.net import Net
from study.probes import gates, jacobian, norms
from study.records import store
from study.run import engine
from study.tasks import TASKS
from study.trial.knobs import Trial
from study.trial.run import run

PROJECT = Path(__file__).resolve().parents[1]
TASK = TASKS["recall/past"]


def along(cell, T=9, H=6):
    """A layer, its weights, what it sees of one row, and the states (T + 1, H) that the twin finds."""
    layer, given = float64(cell, 3, H), case(cell, (T, 1, 3, H))
    theirs, now, states = twin(cell, 3, H), None, []
    for t in range(T):
        now = theirs.forward(given.theta, given.x[t : t + 1], state=now).state
        states.append({name: state[0, 0] for name, state in now.items()})
    zero = {name: np.zeros(H) for name in now}
    return layer, given.theta, given.x[:, 0], {name: np.array([s[name] for s in [zero, *states]]) for name in now}


@pytest.mark.parametrize("cell", CELLS)
def test_a_trajectory_is_the_twins(cell):
    layer, theta, x, states = along(cell)
    for steps in (9, 4):
        found = jacobian.trajectory(layer, theta, x, steps)
        assert set(found) == set(states)
        for name in states:
            assert found[name] == pytest.approx(states[name][-steps - 1 :], abs=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_jacobians_are_central_differences_of_the_twin(cell):
    layer, theta, x, states = along(cell)
    theirs, n, h = twin(cell, 3, 6), 6 * len(states), 1e-6

    def after(t, flat):
        state = {name: part[None, None] for name, part in zip(states, np.split(flat, len(states)))}
        ends = theirs.forward(theta, x[t][None, None], state=state).state
        return np.concatenate([ends[name][0, 0] for name in states])

    found = list(jacobian.backwards(layer, theta, x, states))
    assert len(found) == 9
    for t, J in zip(reversed(range(9)), found):
        before = np.concatenate([states[name][t] for name in states])
        columns = [(after(t, before + h * unit) - after(t, before - h * unit)) / (2 * h) for unit in np.eye(n)]
        assert J == pytest.approx(np.array(columns).T, abs=1e-7)


def test_jacobians_are_the_same_in_any_number_at_a_time(monkeypatch):
    whole = list(jacobian.backwards(*along("lstm")))
    monkeypatch.setattr(jacobian, "ROWS", 25)
    assert all(np.array_equal(a, b) for a, b in zip(whole, jacobian.backwards(*along("lstm")), strict=True))


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "fgr"])
def test_singular_values_are_those_of_the_product(cell):
    steps = list(jacobian.backwards(*along(cell)))
    found = jacobian.singular_values(iter(steps), [1, 3, 9])
    for k, values in zip([1, 3, 9], found, strict=True):
        expected = np.linalg.svd(np.linalg.multi_dot(steps[:k]) if k > 1 else steps[0], compute_uv=False)
        assert values == pytest.approx(expected, rel=1e-9, abs=1e-13 * expected[0])


def test_singular_values_of_a_product_that_leaves_float64():
    half = np.diag([0.5, 0.25])
    values = jacobian.singular_values(iter([half] * 1000), [1000])[0]
    assert values.tolist() == [2.0**-1000, 0]
    assert jacobian.shares(np.array([1.0, 0.5, 0.25, 1e-14, 1e-20]))[:2] == [1.0, 1.0] and jacobian.shares(values)[-1] is None


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_exponents_are_those_of_a_library(cell):
    layer, theta, x, states = along(cell, T=60)
    n = 6 * len(states)
    q = np.linalg.qr(kernels.Stream("lyapunov").normal(4 * n).reshape(4, n).T)[0].T
    logs = []
    for J in jacobian.backwards(layer, theta, x, states):
        rows, factor = np.linalg.qr((q @ J).T)
        q = rows.T
        logs.append(np.log(np.abs(np.diag(factor))))
    expected = np.sort(np.mean(logs[12:], axis=0))[::-1]
    assert jacobian.lyapunov(layer, theta, x, 60) == pytest.approx(expected, rel=1e-8)


def test_the_exponent_of_a_map_that_is_known():
    """A ReLU RNN with U = I / 2 whose units are all alive halves every change."""
    layer = float64("rnn_relu", 1, 5)
    theta = np.zeros(layer.size)
    layer.view(theta)["forward/U"][0] = np.eye(5) / 2
    layer.view(theta)["forward/b"][:] = 1
    x = np.zeros((40, 1))
    exponents = jacobian.lyapunov(layer, theta, x, 30)
    assert exponents == pytest.approx([np.log(0.5)] * 4, rel=1e-12)
    layer.view(theta)["forward/b"][:] = -1
    assert jacobian.lyapunov(layer, theta, x, 40) == [-np.inf] * 4


# Gates


def test_histograms_count_what_lies_where():
    values = np.array([0, 0.04, 0.05, 0.5, 0.999, 1.0]).reshape(3, 2, 1)
    alive = np.array([[True, True], [True, True], [True, False]])
    found = gates.histograms({"f": values, "g": values, "n": values}, alive)
    assert set(found) == {"f"} and found["f"] == np.histogram(values[alive], bins=20, range=(0, 1))[0].tolist()
    assert gates.histograms({"z": np.ones((1, 1, 3))}, np.ones((1, 1), bool))["z"][-1] == 3


@pytest.mark.parametrize("cell, gate", [("lstm", 0.9), ("gru", 0.1), ("gru_after", 0.9), ("mgu", 0.1)])
def test_a_time_constant_is_the_steps_to_one_in_e(cell, gate):
    name = kernels.CELLS[cell].retains[0][0]
    values = np.full((4, 3, 2), gate)
    values[3, 2] = 0.5
    alive = np.ones((4, 3), bool)
    alive[3, 2] = False
    tau = gates.time_constants(kernels.CELLS[cell], {name: values}, alive)
    assert tau == pytest.approx([-1 / np.log(0.9)] * 2) and 0.9 ** tau == pytest.approx([1 / np.e] * 2)
    assert gates.time_constants(kernels.CELLS["rnn"], {}, alive) is None
    assert np.isinf(gates.time_constants(kernels.CELLS["lstm"], {"f": np.ones((4, 3, 2))}, alive)).all()


def test_the_units_that_are_followed():
    assert gates.traced(np.array([3.0, 9, 1, 5]), 4) == [1, 0] and gates.traced(None, 6) == [0, 3] and gates.traced(None, 1) == [0]


def test_traces_are_the_twins():
    layer, theta, x, states = along("peephole")
    values = {name: value[0, :, 0] for name, value in layer.gates(layer.forward(theta, x[:, None]).tape).items()}
    theirs = twin("peephole", 3, 6)
    expected = theirs.gates(theirs.forward(theta, x[:, None]).tape)
    steps = np.array([8, 5, 0])
    found = gates.traces(layer, theta, x, values, [2, 4], steps)
    assert set(found) == {"i", "f", "o", "h", "c"}
    for name in found:
        wanted = states[name][1:] if name in "hc" else expected[name][0, :, 0]
        assert np.array(found[name]) == pytest.approx(wanted[steps][:, [2, 4]].T, rel=6e-3)


# The whole look


@pytest.mark.parametrize("cell", ["rnn", "lstm", "mut1"])
def test_saliency_is_the_twins(cell):
    net = Net(TASK, Architecture(cell, 8), "float64")
    theta = net.init(0).astype("float32").astype(float)
    drawn = TASK.sample(kernels.Stream("saliency"), 32, 12)
    batch = drawn.until_read()
    layer, readout, embedding = np.split(theta, [net.layer.size, net.slices["head"].stop])
    V, v = np.split(readout, [32])
    E, e = np.split(embedding, [9 * 8]) if embedding.size else (np.eye(9), 0)
    E = E.reshape(9, -1)
    theirs, rows = twin(cell, 9, 8), np.arange(32)
    out = theirs.forward(layer, batch.x @ E + e, batch.lengths)
    o = out.y[batch.read, rows] @ V.reshape(8, 4) + v
    p = np.exp(o) / np.exp(o).sum(1, keepdims=True)
    dy = np.zeros_like(out.y)
    dy[batch.read, rows] = (p - np.eye(4)[batch.target]) @ V.reshape(8, 4).T
    sizes = np.linalg.norm(theirs.backward(out.tape, dy).x @ E.T, axis=2)
    found = probes.measure(TASK, net.made_of, theta, drawn, drawn)["norms"]
    assert found["x"] == pytest.approx([np.median(sizes[batch.read - lag, rows]) for lag in found["lag"]], rel=1e-4)


def test_the_angle_to_the_truncated_gradient_is_the_twins():
    cell, net = "lstm", Net(TASK, Architecture("lstm", 8), "float64")
    theta = net.init(0)
    batch = TASK.sample(kernels.Stream("angle"), 32, 12).until_read()
    found = norms.passes(net, theta, batch, probes.LIFT)
    theirs, rows = reference.RNN(cell, 9, 8), np.arange(32)
    layer, readout = (theta[net.slices[name]] for name in ("recurrent", "head"))
    V = readout[:32].reshape(8, 4)
    grads = []
    for truncated in (False, True):
        out = theirs.forward(layer, batch.x, batch.lengths)
        o = out.y[batch.read, rows] @ V + readout[32:]
        p = np.exp(o) / np.exp(o).sum(1, keepdims=True)
        dy = np.zeros_like(out.y)
        dy[batch.read, rows] = (p - np.eye(4)[batch.target]) @ V.T
        grads.append(theirs.backward(out.tape, dy, truncated=truncated).theta)
    cosine = grads[0] @ grads[1] / np.linalg.norm(grads[0]) / np.linalg.norm(grads[1])
    assert probes._cosine(found, net.slices["recurrent"]) == pytest.approx(cosine, rel=1e-4) and 0 < cosine < 1


@pytest.mark.parametrize("cell", ["rnn", "lstm", "mingru"])
def test_the_gradient_of_the_weights_is_that_of_the_mean_loss(cell):
    made_of = Architecture(cell, 8, layers=2)
    net, batch = Net(TASK, made_of, "float64"), TASK.sample(kernels.Stream("weights"), norms.ROWS, 12)
    theta = net.init(0)
    found = probes.measure(TASK, made_of, theta, batch, TASK.sample(kernels.Stream("one"), 1, 12))
    grad = net.backward(theta, net.forward(theta, batch.until_read())).theta
    for layer, where in zip([found, *found["layers"]], [net.slices["recurrent"], net.slices["layer1"]], strict=True):
        assert layer["weights"] == pytest.approx(np.linalg.norm(grad[where]), rel=1e-4)


def test_a_lift_changes_no_number_that_needs_none_and_saves_those_that_do():
    net, batch = Net(TASK, Architecture("rnn", 8), "float64"), TASK.sample(kernels.Stream("lift"), 32, 12).until_read()
    theta = net.init(0)
    plain, lifted = (norms.passes(net, theta, batch, lift, inputs=True) for lift in (1.0, probes.LIFT))
    assert np.array_equal(*(found.layers[0].norms["h"] for found in (plain, lifted))) and np.array_equal(plain.x, lifted.x)
    theta[net.layer.size :] *= 2.0**-995
    low, saved = (norms.passes(net, theta, batch, lift).layers[0].norms["h"] for lift in (1.0, probes.LIFT))
    earlier = batch.read - 9, np.arange(32)
    assert not low[earlier].any() and (saved[earlier] > 0).all() and saved.max() < 1e-299


def test_the_gradient_is_followed_to_1e_300():
    """Where each step halves it, exactly, through a thousand steps; without a lift the last ones are flushed away."""
    net, batch = Net(TASK, Architecture("rnn_relu", 8), "float64"), TASK.sample(kernels.Stream("far"), 32, 1000).until_read()
    theta = net.init(0)
    views = net.layer.view(theta[net.slices["recurrent"]])
    views["forward/W"][:], views["forward/b"][:], views["forward/U"][0] = 0, 1, np.eye(8) / 2
    found, plain = (norms.passes(net, theta, batch, lift).layers[0].norms["h"] for lift in (probes.LIFT, 1.0))
    rows, lags = np.arange(32), np.arange(1001)[:, None]
    assert np.array_equal(found[batch.read - lags, rows], np.ldexp(found[batch.read, rows], -lags))
    last = batch.read - 1000, rows
    assert found[last].min() > 0 and found[last].max() < 1e-300 and np.median(plain[last]) == 0


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_can_be_looked_at(cell):
    trial = Trial(cell=cell, gap=300, method="probe")
    outcome = engine.attempt(run, trial)
    found = outcome["result"].probe
    assert len(store.encode(store.record(trial, outcome))) < store.LARGEST
    assert found["norms"]["lag"][-1] == 300 and found["jacobian"]["lag"] == [1, 2, 4, 8, 16, 32, 64, 128, 256]
    assert set(found["U"]) == set(kernels.CELLS[cell].recurrent) and len(found["lyapunov"]) == 4
    assert (found["cosine"] is None) == ("c" not in kernels.CELLS[cell].states)
    assert len(found["constants"]) == (32 if kernels.CELLS[cell].retains else 0)


def test_a_net_is_probed_as_training_left_it():
    knobs = {"cell": "lstm", "gap": 5, "units": 8, "lr": 0.01}
    trained = run(Trial(**knobs, budget=640))
    probed = run(Trial(**knobs, method="probe", after=640))
    assert probed.digest == trained.digest and probed.sequences == 640 and probed.solved is None
    end = trained.norms["end"]
    assert {name: probed.probe["norms"][name] for name in end} == end
    fresh = run(Trial(**knobs, method="probe")).probe["norms"]
    assert {name: fresh[name] for name in end} == trained.norms["start"]


def test_a_probe_of_weights_that_are_not_finite_says_so():
    result = run(Trial(cell="lstm", gap=3, units=8, lr=1e38, method="probe", after=640))
    assert result.status == "diverged" and result.probe is None and result.sequences == result.diverged_at < 640


@pytest.mark.parametrize("isa", processor.isas())
def test_a_probe_is_the_same_on_every_instruction_set(isa):
    program = ("import json; from study.trial.knobs import Trial; from study.trial.run import run\n"
               "print(json.dumps([run(Trial(cell=cell, gap=60, units=9, method='probe')).as_dict() for cell in ('rnn', 'lstm', 'gru', 'fgr', 'mut2')]))")
    done = subprocess.run([sys.executable, "-c", program], env=environment(LONGLAG_ISA=isa), cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    here = [run(Trial(cell=cell, gap=60, units=9, method="probe")).as_dict() for cell in ("rnn", "lstm", "gru", "fgr", "mut2")]
    assert json.loads(done.stdout) == json.loads(json.dumps(here))
