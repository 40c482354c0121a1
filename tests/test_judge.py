"""When a pass rule is met, to the sequence."""

import dataclasses

import numpy as np
import pytest

from study.tasks import TASKS, Batch, Judge, _rule
from study.tasks._rule import Rule, largest


def answers(task, target, right, certainty):
    """Softmax-like outputs that give `certainty` to the right class, or to the next one where not `right`."""
    answer = np.where(right, target, (target + 1) % task.outputs)
    output = np.full((len(target), task.outputs), (1 - certainty) / (task.outputs - 1), np.float32)
    output[np.arange(len(target)), answer] = certainty
    return output


def targeted(target, offsets=None):
    """A Batch of which only the answers matter."""
    return Batch(None, None, None, target, offsets)


def judged(task, right, certainty, rows=32):
    """At which sequence a run of answers meets the rule, judged `rows` at a time."""
    judge, target = Judge(task), np.arange(len(right)) % task.outputs
    outputs = answers(task, target, right, certainty)
    for start in range(0, len(right), rows):
        met = judge(outputs[start : start + rows], targeted(target[start : start + rows]))
        if met:
            return met
    return None


@pytest.mark.parametrize("rows", [1, 7, 32, 5000])
@pytest.mark.parametrize("wrong, expected", [([], 2000), ([0], 2001), ([3, 1500], 3501), ([2000], 2000), ([1000, 2999], None)])
def test_recall_is_solved_at_the_exact_sequence(wrong, expected, rows):
    right = np.ones(4000, bool)
    right[wrong] = False
    assert judged(TASKS["recall/past"], right, 0.4, rows) == expected


def test_temporal_order_needs_every_output_close_and_a_small_mean_error():
    task, right = TASKS["temporal_order/6a"], np.ones(6000, bool)
    assert judged(task, right, 0.69) is None  # right by argmax, not within .3
    assert judged(task, right, 0.75) is None  # within .3, with a mean error of .125
    assert judged(task, right, 0.85) == 2000


@pytest.mark.parametrize("window", [None, 100])
@pytest.mark.parametrize("rows", [1, 32, 300])
def test_the_mean_error_is_the_windows(rows, window):
    """HS97's adding: .03 throughout is within .04 and never enough; then the mean falls below .01 row by row."""
    task, target = TASKS["adding/hs97"], np.zeros((6000, 1), np.float32)
    output = np.full_like(target, 0.03)
    output[2500:] = 0.005
    error = np.abs(output[:, 0].astype(float))
    sums = np.concatenate([[0], np.cumsum(error)])
    n = window or 2000
    expected = n + int(np.argmax(sums[n:] - sums[:-n] < 0.01 * n))
    judge = Judge(task, window)
    met = (judge(output[i : i + rows], targeted(target[i : i + rows])) for i in range(0, 6000, rows))
    assert next(m for m in met if m) == expected


def test_errors_are_cut_off_where_a_window_would_not_fit():
    task = TASKS["adding/hs97"]
    judge = Judge(task)
    assert judge(np.full((4000, 1), 1e30, np.float32), targeted(np.zeros((4000, 1), np.float32))) is None
    assert _rule.LARGEST * _rule.UNIT * (task.rule.window + 64) < 2**62
    assert all(value >= 0 for value in judge.recent)


@pytest.mark.parametrize("rows", [1, 7, 5000])
@pytest.mark.parametrize("wrong, expected", [
    ([], 20), ([0, 1], 20), ([0, 1, 2], 21), ([3, 10, 12, 24, 40], 24), ([*range(0, 60, 6)], None),
])
def test_so_many_of_the_window_may_be_wrong(wrong, expected, rows):
    task = dataclasses.replace(TASKS["recall/past"], rule=Rule(window=20, wrong=2))
    right = np.ones(60, bool)
    right[wrong] = False
    assert judged(task, right, 0.9, rows) == expected


def test_an_answer_beyond_a_bound_has_the_sign_of_its_target():
    target = np.array([[0.8], [0.8], [-0.8], [-0.8], [0.8]], np.float32)
    output = np.array([[0.5], [0.3], [-5.0], [0.9], [-0.9]], np.float32)
    assert Rule(beyond=0.4).right(output, target).tolist() == [True, False, True, False, False]


def test_the_symbols_that_may_come_are_the_largest():
    legal = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 1], [1, 1, 1]], bool)
    output = np.array([[0.4, 0.5, 0.1], [0.3, 0.3, 0.3], [0.2, 0.3, 0.5], [0.6, 0.0, 0.4], [0.1, 0.2, 0.7]], np.float32)
    assert largest(output, legal).tolist() == [True, False, True, False, True]


def test_only_answers_that_are_judged_count():
    task = dataclasses.replace(TASKS["recall/past"], rule=Rule(within=0.5, mean=0.2, window=2))
    target, offsets = np.zeros(6, np.int64), np.array([0, 3, 6])
    output = answers(task, target, np.array([False, True, False, False, False, True]), 1.0)
    counted = dataclasses.replace(targeted(target, offsets), judged=np.array([False, True, False, False, False, True]))
    assert Judge(task)(output, targeted(target, offsets)) is None and Judge(task)(output, counted) == 2
    assert task.score(output, counted).all() and not task.score(output, targeted(target, offsets)).any()


@pytest.mark.parametrize("rule, words", [
    (Rule(), "the last 2,000 are right"),
    (Rule(within=0.04, mean=0.01), "the last 2,000 are right within 0.04, mean error below 0.01"),
    (Rule(beyond=0.4, window=256, wrong=5), "fewer than 6 of the last 256 are not right beyond 0.4"),
])
def test_a_rule_in_words(rule, words):
    assert str(rule) == words
