"""Streams: the state goes on from segment to segment, and a stream ends with the first segment that has a wrong answer."""

import dataclasses
import operator
from functools import reduce
from itertools import product

import numpy as np
import pytest
from pydantic import ValidationError

import kernels
from study.nets.architecture import Architecture
from study.nets.net import Net
from study.tasks import TASKS
from study.tasks._rule import Rule
from study.trial import continual, run
from study.trial.curve import History
from study.trial.evaluate import evaluate
from study.trial.knobs import Trial
from study.trial.streams import batches

STREAM = TASKS["reber_continual"]
SMALL = {"cell": "lstm", "units": 6, "task": "reber_continual", "gap": 90, "lr": 0.03, "budget": 60, "batch": 4}


def always(right):
    """The task with a rule by which every answer is right, or none."""
    return dataclasses.replace(STREAM, rule=Rule(within=1e9 if right else 0.0, window=10))


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn", "mut1"])
def test_segments_with_the_state_carried_have_the_bits_of_the_whole(cell):
    net = Net(STREAM, Architecture(cell, 5))
    theta, batch = net.init(0), STREAM.sample(kernels.Stream("x"), 3, 50)
    streams, outputs = continual._Streams(always(True), batch), []
    while streams.left():
        part = streams.segment()
        passed, states = net.segment(theta, part, streams.states)
        outputs.append(passed.output.reshape(3, -1, 7))
        streams.hear(part, passed, states)
    assert [output.shape[1] for output in outputs] == [20, 20, 10]
    assert np.array_equal(np.concatenate(outputs, axis=1), net.forward(theta, batch).output.reshape(3, 50, 7))
    _, right, counts = streams.outcome()
    assert right.all() and counts.tolist() == [[50] * 3] * 2


def learned(knobs, task):
    trial = Trial(**SMALL | knobs)
    net = run.net_of(trial, task)
    theta, history = net.init(0), History(trial.budget, trial.batch)
    return (*continual.learn(trial, task, net, theta, history, trial.budget), net, theta, history)


@pytest.mark.parametrize("lr_decay", [1.0, 0.99])
def test_a_net_learns_from_a_segment_at_once_and_errors_stay_within_it(lr_decay):
    knobs = {"budget": 2, "batch": 1, "lr_decay": lr_decay}
    solved_at, diverged, net, theta, history = learned(knobs, always(True))
    assert (solved_at, diverged, history.seen) == (None, False, 2)
    trial = Trial(**SMALL | knobs)
    expected, optimizer = net.init(0), kernels.Adam(net.size, trial.lr)
    for whole, start in product(batches(trial, STREAM, 1, 2), range(0, 90, 20)):
        stop = min(start + 20, 90)
        optimizer.lr = reduce(operator.mul, [lr_decay] * start, trial.lr)
        states = states if start else None
        x, target = whole.x[start:stop], whole.target[start:stop]
        out = net.layer.forward(expected[net.slices["recurrent"]], x, state=states)
        head = net.modules["head"].affine
        o = head.forward(expected[net.slices["head"]], out.y[:, 0])
        _, do = kernels.squared_error(o, target)
        d_head, dy = head.backward(expected[net.slices["head"]], out.y[:, 0], do)
        d_layer = net.layer.backward(out.tape, dy[:, None]).theta
        grad, states = np.concatenate([d_layer, d_head]), out.state
        kernels.clip_by_norm(grad, 1.0)
        optimizer.step(expected, grad)
    assert np.array_equal(theta, expected)


def test_a_stream_ends_with_the_first_segment_that_has_a_wrong_answer():
    *_, history = learned({"budget": 8}, always(False))
    assert history.seen == 8 and not np.concatenate(history.score).any()
    batch = STREAM.sample(kernels.Stream("x"), 3, 60)
    net = Net(STREAM, Architecture("gru", 4))
    streams, theta = continual._Streams(STREAM, batch), net.init(0)
    steps = []
    while streams.left():
        part = streams.segment()
        passed, states = net.segment(theta, part, streams.states)
        output = part.target.copy()
        if len(steps) == 1:
            output.reshape(len(streams.rows), 20, 7)[1, 5] = 0.5  # row 1, in the second segment
        steps.append(streams.rows.tolist())
        streams.hear(part, dataclasses.replace(passed, output=output), states)
        assert all(len(state[0]) == len(streams.rows) for state in streams.states.values())
    assert steps == [[0, 1, 2], [0, 1, 2], [0, 2]]
    _, right, counts = streams.outcome()
    assert right.tolist() == [True, False, True] and counts.tolist() == [[60, 39, 60], [60, 40, 60]]


def test_ten_streams_without_an_error_solve_it():
    assert learned({"batch": 1}, always(True))[:2] == (10, False)
    assert learned({}, always(True))[:2] == (10, False)


def test_a_gradient_that_is_not_finite_ends_it():
    assert learned({"lr": 1e30, "optimizer": "sgd", "clipping": "off"}, always(True))[:2] == (None, True)


def test_a_test_counts_the_symbols_before_the_first_error(monkeypatch):
    trial, net = Trial(**SMALL), Net(STREAM, Architecture("lstm", 6))
    test = evaluate(trial, always(True), net, net.init(0))
    assert (test.n, test.correct, test.answers_correct, test.answers) == (10, 10, 900, 900)

    def passed(self, output, batch):
        right = np.ones(len(output), bool)
        right[[30, 31, 60]] = False
        return right

    monkeypatch.setattr(type(STREAM), "passed", passed)
    test = evaluate(trial, STREAM, net, net.init(0))
    assert (test.n, test.correct, test.answers_correct, test.answers) == (10, 0, 300, 900)


def test_a_trial_of_streams_runs():
    result = run.run(Trial(**SMALL))
    assert result.sequences == 60 and result.solved is False and result.test.answers == 900
    assert result == run.run(Trial(**SMALL))
    assert run.run(Trial(**{key: value for key, value in SMALL.items() if key != "budget"}, method="probe", after=5)).probe


@pytest.mark.parametrize("knobs", [{"direction": "both"}, {"layers": 2}, {"head": "attention"}])
def test_nets_that_cannot_carry_a_state_are_refused(knobs):
    knob = next(iter(knobs))
    with pytest.raises(ValidationError, match=f"{knob}: the streams of reber_continual go through one layer"):
        Trial.model_validate(SMALL | knobs, context={"tasks": TASKS})
