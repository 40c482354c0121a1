"""Initial weights and protocols as the papers had them."""

import numpy as np
import pytest
from pydantic import ValidationError

from kernels.parameters import kinds
from study import tasks
from study.claims import NAMES
from study.claims._protocols import AS_PUBLISHED, ASPECTS, PREDICTIONS, PROTOCOLS
from study.tasks.reber import STRINGS, strings
from study.trial.knobs import Trial
from study.trial.published import STARTS
from study.trial.run import initial, net_of
from study.trial.streams import stream
from study.trial.train import optimizer_of

KNOBS = {"init": "published", "lr": 0.1}
NETS = {"6a": {"task": "temporal_order/6a", "gap": 100, "cell": "lstm_hs97", "units": 4, "block": 2},
        "3a": {"task": "two_sequence/3a", "gap": 100, "cell": "lstm_hs97", "units": 3},
        "reber": {"task": "reber", "gap": 0, "cell": "lstm_hs97", "units": 6, "block": 2},
        "streams": {"task": "reber_continual", "gap": 50, "cell": "lstm_gers", "units": 8, "block": 2},
        "2c": {"task": "lag_long", "gap": 50, "cell": "lstm_hs97", "units": 2}}


def trial_of(knobs):
    return Trial.model_validate(KNOBS | knobs, context={"tasks": tasks.TASKS})


def started(knobs):
    """({parameter: initial values}, Trial, Net)"""
    trial = trial_of(knobs)
    net = net_of(trial, tasks.get(trial.task).at(trial.gap))
    return net.view(initial(trial, net)), trial, net


@pytest.mark.parametrize("name, biases", [
    ("6a", {"b_gates": {"i": [-2, -4]}}),
    ("3a", {"b": {"i": [-1, -3, -5], "o": [-2, -4, -6]}}),
    ("reber", {"b_gates": {"o": [-1, -2, -3]}}),
    ("streams", {"b_gates": {"i": [-0.5, -1, -1.5, -2], "f": [0.5, 1, 1.5, 2], "o": [-0.5, -1, -1.5, -2]}}),
    ("2c", {}),
])
def test_gates_have_the_published_biases_and_all_else_is_in_the_interval(name, biases):
    views, trial, net = started(NETS[name])
    drawn = []
    for key, view in views.items():
        kind = key.rpartition("/")[2]
        set_here = biases.get(kind, {})
        rows = kinds(net.cell, trial.block)[kind] if key.startswith("recurrent") else range(len(view))
        for row, values in zip(rows, view):
            if row in set_here:
                assert values.tolist() == set_here[row]
            else:
                drawn += np.ravel(values).tolist()
    assert 0.9 * trial.start.bound < np.abs(drawn).max() <= np.float32(trial.start.bound)
    assert min(drawn) < 0 < max(drawn) and len(set(drawn)) > 0.99 * len(drawn)
    assert len(drawn) == net.size - sum(len(values) for gates in biases.values() for values in gates.values())


def test_parameters_are_keyed_by_seed_and_name():
    (adding, *_), (product, *_) = (started({"task": task, "gap": 100, "cell": "lstm_hs97", "units": 4, "block": 2})
                                   for task in ("adding/hs97", "multiplication/13"))
    assert all(np.array_equal(adding[name], product[name]) for name in adding if not name.endswith("b_gates"))
    assert not np.array_equal(adding["recurrent/forward/b_gates"], product["recurrent/forward/b_gates"])
    other, *_ = started(NETS["6a"] | {"seed": 1})
    assert not any(np.array_equal(a, b) for a, b in zip(other.values(), started(NETS["6a"])[0].values()))
    assert len({view.tobytes() for view in other.values()}) == len(other)


@pytest.mark.parametrize("change, message", [
    ({"task": "digits"}, "init: digits has no published start; those that have one: reber "),
    ({"cell": "gru", "block": 1}, "init: temporal_order/6a has no published start with gru; expected lstm_hs97"),
    ({"units": 6}, "init: the published start of temporal_order/6a with lstm_hs97 has 2 memory cell blocks, got 3"),
    ({"task": "reber", "gap": 0}, "init: the published start of reber with lstm_hs97 has 3 or 4 memory cell blocks, got 2"),
    ({"direction": "both"}, "direction: the published nets of temporal_order/6a have one layer that reads forward; expected 'forward'"),
    ({"layers": 2}, "layers: the published nets"),
    ({"head": "attention"}, "head: the published nets"),
    ({"forget_bias": 2.0}, "forget_bias: init 'published' says it already"),
])
def test_what_has_no_published_start_is_refused(change, message):
    trial_of(NETS["6a"])
    with pytest.raises(ValidationError, match="Value error") as caught:
        trial_of(NETS["6a"] | change)
    assert message in str(caught.value)


def test_the_knob_is_in_the_hash_only_where_it_has_an_effect():
    plain = NETS["6a"] | {"init": "standard"}
    assert trial_of(NETS["6a"]).id != trial_of(plain).id and trial_of(NETS["6a"]).horizon is None
    assert trial_of(plain | {"lr_decay": 0.5}).id == trial_of(plain).id
    assert trial_of(NETS["streams"] | {"lr_decay": 0.5}).id != trial_of(NETS["streams"]).id
    guess = {"method": "guess", "cell": "lstm_hs97", "task": "temporal_order/6a", "gap": 100}
    assert trial_of(guess).id == trial_of(guess | {"init": "standard"}).id


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_protocol_is_a_trial(name):
    protocol = PROTOCOLS[name]
    trial = trial_of(protocol.knobs)
    assert {knob: getattr(trial, knob) for knob in protocol.knobs} == protocol.knobs
    assert tasks.TASKS[trial.task].rule is not None and (protocol.solved or 0) <= (protocol.runs or 0)
    assert set(protocol.differs) <= set(ASPECTS) and [aspect for aspect, _ in protocol.fidelity] == list(ASPECTS)
    exact = sum(how == AS_PUBLISHED for _, how in protocol.fidelity)
    assert protocol.score == f"{exact} of 10 as published" and exact < 10


def test_protocols_are_no_ablation():
    assert not any("protocols" in name for name in NAMES)


def test_all_published_starts_have_a_protocol():
    used = {(protocol.knobs["task"], protocol.knobs["cell"]) for protocol in PROTOCOLS.values()}
    assert used == set(STARTS)


@pytest.mark.parametrize("name, weights, published", [
    ("temporal_order/6a", 156, 156), ("temporal_order/6b", 308, 308), ("adding/hs97/100", 93, 93), ("multiplication/13/100", 93, 93),
    ("two_sequence/3a/100", 103, 102), ("reber/3x2/0.5", 289, 276), ("reber/4x1/0.5", 275, 264), ("lag_long/50/50", 372, 364),
    ("lag_long/1000/100", 672, 664)])
def test_nets_have_the_published_numbers_of_weights(name, weights, published):
    *_, net = started(PROTOCOLS[name].knobs)
    assert net.size == weights
    more = PROTOCOLS[name].differs.get("weights", "0").replace("one", "1")
    assert int(more.split()[0]) == weights - published


@pytest.mark.parametrize("name", ["temporal_order/6a", "adding/hs97/100", "lag_long/50/50", "lag_free"])
def test_a_step_is_the_papers(name):
    """The output's biases move by alpha (t - y) y (1 - y), summed over the steps with a target."""
    alpha = {"temporal_order/6a": 0.5, "adding/hs97/100": 0.5, "lag_long/50/50": 0.01, "lag_free": 1.0}[name]
    _, trial, net = started(PROTOCOLS[name].knobs | {"dtype": "float64"})
    theta, task = initial(trial, net), tasks.get(trial.task).at(trial.gap)
    batch = task.sample(stream(trial), 1, trial.gap)
    passed = net.forward(theta, batch)
    target = np.eye(task.outputs)[batch.target] if task.kind == "class" else batch.target
    y, before = passed.output, net.view(theta)["head/v"].copy()
    optimizer_of(trial, net.size).step(theta, net.backward(theta, passed).theta)
    moved = net.view(theta)["head/v"] - before
    np.testing.assert_allclose(moved, alpha * ((target - y) * y * (1 - y)).sum(axis=0), rtol=1e-6)


def test_strings_have_that_many_predictions():
    assert round(float((strings()[2][:STRINGS] - 1).mean()), 2) == PREDICTIONS
