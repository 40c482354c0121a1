"""Trials whose answers come from attention or through a sigmoid, or that have several answers a row: what they record and refuse."""

import dataclasses
import json

import numpy as np
import pytest
from pydantic import ValidationError
from test_nets import ECHO, LONGEST

import kernels
from study.nets.architecture import Architecture
from study.nets.net import Net
from study.probes.attention import looks
from study.run.cost import cost
from study.tasks import TASKS, Batch, Judge
from study.tasks._rule import Rule
from study.trial.knobs import Trial
from study.trial.result import Result
from study.trial.run import run

SMALL = {"cell": "rnn", "units": 12, "gap": 4, "lr": 0.01, "budget": 320}


@pytest.fixture
def echo(monkeypatch):
    monkeypatch.setitem(TASKS, "echo", ECHO)
    return {"task": "echo", "gap": 1}


def test_single_answers_are_counted_beside_sequences(echo):
    result = run(Trial(**SMALL | echo, method="guess"))
    batch = ECHO.sample(kernels.Stream("counted"), 2560, 1)
    assert result.test.n == 2560 and result.test.answers == pytest.approx(len(batch.target), rel=0.05)
    assert result.test.correct < result.test.answers_correct < result.test.answers
    trained = run(Trial(**SMALL | echo | {"budget": 6400}))
    assert len(trained.curve["answers"]) == len(trained.curve["score"])
    assert all(single > whole for single, whole in zip(trained.curve["answers"][:5], trained.curve["score"]))
    assert trained.test.correct <= trained.test.answers_correct <= trained.test.answers
    assert Result.of(json.loads(json.dumps(trained.as_dict(), allow_nan=False))) == trained
    one = run(Trial(**SMALL))
    assert "answers" not in one.curve and list(one.as_dict()["test"]) == ["n", "correct", "loss"] and "alpha" not in one.as_dict()


def test_counts_of_rows_leave_out_what_does_not_count():
    batch = Batch(None, None, np.arange(5), None, np.array([0, 2, 5]), np.array([True, False, True, True, False]))
    right = np.array([True, True, False, True, True])
    assert batch.counted(right).tolist() == [[1, 1], [1, 2]]
    assert dataclasses.replace(batch, judged=None).counted(right).tolist() == [[2, 2], [2, 3]]
    assert Batch(None, None, None, None).counted(right).tolist() == [right.tolist(), [True] * 5]


@pytest.mark.parametrize("direction", ["forward", "reverse", "both"])
def test_where_a_net_looks_is_recorded(direction, echo):
    result = run(Trial(**SMALL | echo, head="attention", direction=direction))
    seen = result.alpha
    assert len(seen["weights"]) == len(seen["sequence"]) == len(seen["read"]) == len(seen["length"]) == 8
    assert seen["steps"] == list(range(len(seen["weights"][0]))) and len(set(seen["sequence"])) < 8 and len(seen["steps"]) <= LONGEST + 1
    for read, length, alpha in zip(seen["read"], seen["length"], np.array(seen["weights"])):
        steps = np.arange(len(alpha))
        sees = {"forward": steps < read, "reverse": (steps > read) & (steps < length), "both": steps < length}[direction]
        assert not alpha[~sees].any() and (not sees.any() or alpha.sum() == pytest.approx(1, abs=0.01))
    assert Result.of(json.loads(json.dumps(result.as_dict()))) == result


def test_weights_of_long_sequences_are_added_up():
    task, made_of = TASKS["recall/past"].at(100), Architecture("gru", 4, head="attention", attention="dot")
    batch = task.sample(kernels.Stream("long"), 32, 100)
    seen = looks(task, made_of, Net(task, made_of).init(0), batch)
    assert len(seen["steps"]) <= 32 and seen["steps"][1] == 4 and seen["sequence"] == list(range(8))
    assert seen["read"] == batch.read[:8].tolist() and np.allclose(np.sum(seen["weights"], axis=1), 1, atol=0.02)
    assert looks(task, Architecture("gru", 4), None, batch) is None


def test_attention_learns_what_it_could_not_remember():
    """A tanh RNN, at a gap at which without attention it stays at chance."""
    knobs = {"cell": "rnn", "units": 16, "task": "temporal_order/6a", "gap": 100, "lr": 0.003, "budget": 6400}
    last, seen = (run(Trial(**knobs, head=head)).final_loss for head in ("last", "attention"))
    assert seen < 0.8 * last


def test_the_rule_of_6a_is_met_by_sigmoids_as_it_was_published():
    """Hochreiter & Schmidhuber 1997: every output within 0.3 of its target, and a mean error below 0.1."""
    task = dataclasses.replace(TASKS["temporal_order/6a"].at(50), rule=dataclasses.replace(TASKS["temporal_order/6a"].rule, window=32))
    net, batch = Net(task, Architecture("lstm", 4, output="sigmoid")), task.sample(kernels.Stream("6a"), 32, 50)
    theta = np.zeros(net.size, np.float32)
    output = net.forward(theta, batch).output
    assert (output == 0.5).all() and not task.right(output, batch).any() and Judge(task)(output, batch) is None
    output = np.where(np.eye(4)[batch.target] > 0, 0.8, 0.05).astype(np.float32)
    assert task.right(output, batch).all() and Judge(task)(output, batch) == 32
    output[3, (batch.target[3] + 1) % 4] = 0.31
    assert np.flatnonzero(~task.right(output, batch)).tolist() == [3] and task.score(output, batch).all()


@pytest.mark.parametrize("task, gap", [("temporal_order/6a", 20), ("adding/hs97", 40)])
def test_a_trial_with_a_sigmoid(task, gap):
    result = run(Trial(**SMALL | {"task": task, "gap": gap}, output="sigmoid", head="attention", attention="general"))
    assert 0 < result.test.loss < 0.5 and np.isfinite(result.final_loss)


def refused(task, **knobs):
    with pytest.raises(ValidationError) as caught:
        Trial.model_validate(SMALL | {"task": "made up"} | knobs, context={"tasks": {"made up": task}})
    return str(caught.value)


def alone(words, gap):
    """One step, one answer."""
    return Batch(np.zeros((1, len(words), 9), np.float32), np.ones(len(words), int), np.zeros(len(words), int), np.zeros(len(words), int))


def test_what_a_task_cannot_have_is_refused_by_name():
    lonely = dataclasses.replace(TASKS["recall/past"], name="made up", build=alone)
    signs = dataclasses.replace(TASKS["adding/hs97"], name="made up", rule=Rule(beyond=0.2))
    for direction in ("forward", "reverse", "both"):
        assert "head: attention needs a step besides the one that is read" in refused(lonely, head="attention", direction=direction)
    assert "output: made up has targets of both signs" in refused(signs, output="sigmoid", gap=40)
    assert Trial.model_validate(SMALL | {"task": "made up"}, context={"tasks": {"made up": lonely}})


def test_a_head_costs_what_it_looks_at(echo):
    several, one = Trial(**SMALL | echo), Trial(**SMALL | {"gap": 100})
    for trial in (several, one):
        heads = [cost(trial.model_copy(update={"head": "attention", "attention": score})) for score in ("additive", "dot")]
        assert heads[0] > heads[1] > cost(trial)
