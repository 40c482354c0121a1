"""Nets of modules: every head and every loss, several answers a row, and the gradient of the whole net."""

import dataclasses

import central
import numpy as np
import pytest

import kernels
from kernels.attention import SCORES
from study.nets.heads import HEADS
from study.nets.initialisation import Initialisation
from study.nets.losses import LOSSES
from study.nets.architecture import Architecture
from study.nets.net import Net
from study.nets.recurrent import Recurrent
from study.tasks import TASKS, Batch, Judge
from study.tasks._draws import bytes_for, quarters
from study.tasks._rule import Rule
from study.trial.knobs import Trial
from study.trial.run import run

LONGEST = 9
HEAD_KNOBS = [{"head": head} | score for head in HEADS for score in ([{"attention": name} for name in SCORES] if head == "attention" else [{}])]


def echo(words, gap):
    """A made-up task: at some steps of a sequence, the last one among them, answer which of 4 symbols came `gap` steps before."""
    steps = np.arange(LONGEST + gap)
    symbols = quarters(words[:, 1:].copy(), len(steps))
    lengths = 2 + gap + (words[:, 0] % np.uint64(LONGEST - 1)).astype(np.int64)
    mask = (steps >= gap) & (steps < lengths[:, None]) & ((symbols > 1) | (steps == lengths[:, None] - 1))
    x = np.eye(4, dtype=np.float32)[symbols] * (steps < lengths[:, None])[:, :, None]
    targets = np.roll(symbols, gap, axis=1).astype(np.int64)
    return Batch.masked(x.transpose(1, 0, 2).copy(), lengths, targets.T, mask.T)


ECHO = dataclasses.replace(
    TASKS["recall/past"], name="echo", inputs=4, outputs=4, rule=Rule(window=20), build=echo,
    words=lambda gap: 1 + bytes_for(LONGEST + gap),
)  # fmt: skip


LEARNED = [(loss, kind) for loss in LOSSES for kind in LOSSES[loss].KINDS]


def problem(loss, kind, rows=7):
    """(task, batch) with several answers a row of a kind that the loss takes."""
    batch = ECHO.sample(kernels.Stream("echo"), rows, 2)
    if kind != "class":
        target = kernels.Stream("numbers").normal(4 * len(batch.target)).reshape(-1, 4)
        batch = dataclasses.replace(batch, target=(target > 0 if kind == "binary" else target).astype(np.float32))
    return dataclasses.replace(ECHO, kind=kind, loss=loss), batch


def mean_loss(net, theta, batch):
    """Over all answers, from the mean of each row."""
    answers = np.ones(len(batch.lengths)) if batch.offsets is None else np.diff(batch.offsets)
    return (net.forward(theta, batch, tape=False).loss * answers).sum() / answers.sum()


def test_answers_lie_in_the_order_of_rows_and_steps():
    mask = np.array([[0, 1, 0], [1, 1, 0], [0, 1, 1]], bool)  # T = B = 3
    targets, x = np.arange(9).reshape(3, 3), np.zeros((3, 3, 1), np.float32)
    batch = Batch.masked(x, np.array([2, 3, 3]), targets, mask)
    assert batch.read.tolist() == [1, 0, 1, 2, 2] and batch.target.tolist() == [3, 1, 4, 7, 8] == batch.places().tolist()
    assert batch.offsets.tolist() == [0, 1, 4, 5]
    assert batch.all_of_row(np.array([True, True, False, True, True])).tolist() == [True, False, True]
    part, last = batch.part(1, 3), batch.last_answers()
    assert part.target.tolist() == [1, 4, 7, 8] and part.offsets.tolist() == [0, 3, 4] and part.x.shape == (3, 2, 1)
    assert last.offsets is None and last.target.tolist() == [3, 7, 8] and last.last_answers() is last
    assert batch.usable("forward").lengths.tolist() == [2, 3, 3] and batch.usable("both") is batch


@pytest.mark.parametrize("loss, kind", LEARNED)
def test_several_answers_a_row_are_those_of_numpy(loss, kind):
    task, batch = problem(loss, kind)
    assert len(set(batch.lengths)) > 1 and len(set(np.diff(batch.offsets))) > 1 and len(batch.target) < batch.lengths.sum()
    net = Net(task, Architecture("gru", 5), "float64")
    theta = net.init(0)
    layer, head = (theta[net.slices[name]] for name in ("recurrent", "head"))
    y = kernels.RNN("gru", 4, 5, dtype="float64").forward(layer, batch.x.astype(float), batch.lengths).y
    rows = np.repeat(np.arange(7), np.diff(batch.offsets))
    o = y[batch.read, rows] @ head[:20].reshape(5, 4) + head[20:]
    target = np.eye(4)[batch.target] if kind == "class" else batch.target
    log_softmax = o - np.log(np.exp(o).sum(axis=1, keepdims=True))
    sigmoid, squares = 1 / (1 + np.exp(-o)), lambda answers: ((answers - target) ** 2).mean(axis=1)
    answers, losses = {
        "cross_entropy": (np.exp(log_softmax), -(target * log_softmax).sum(axis=1)),
        "squared_error": (o, squares(o)),
        "sigmoid_error": (sigmoid, squares(sigmoid)),
        "binary_cross_entropy": (sigmoid, -(target * np.log(sigmoid) + (1 - target) * np.log(1 - sigmoid)).sum(axis=1)),
    }[loss]
    passed = net.forward(theta, batch)
    assert passed.output == pytest.approx(answers, rel=1e-12)
    assert passed.loss == pytest.approx([losses[rows == row].mean() for row in range(7)], rel=1e-12)


@pytest.mark.parametrize("cell, direction, merge", [
    ("lstm", "forward", "concat"), ("lstm", "both", "concat"), ("gru", "both", "learned"), ("mut1", "forward", "concat"), ("mut2", "both", "learned"),
])
@pytest.mark.parametrize("knobs", HEAD_KNOBS, ids=lambda knobs: "-".join(knobs.values()))
@pytest.mark.parametrize("loss, kind", LEARNED)
@pytest.mark.parametrize("several", [True, False])
def test_the_gradient_of_the_whole_net(loss, kind, knobs, cell, direction, merge, several):
    task, batch = problem(loss, kind)
    batch = batch if several else batch.last_answers()
    net = Net(task, Architecture(cell, 3, direction, merge, **knobs), "float64")
    theta = net.init(1)
    for _ in range(2):  # the second pass meets the buffers that the first one used
        grad = net.backward(theta, net.forward(theta, batch)).theta
    for name, part in net.slices.items():
        central.check_entries(lambda: mean_loss(net, theta, batch), theta[part], grad[part], name)
    grad[5] += 1e-3 * np.abs(grad).max()
    with pytest.raises(AssertionError, match="recurrent: off by"):
        central.check_entries(lambda: mean_loss(net, theta, batch), theta[net.slices["recurrent"]], grad[net.slices["recurrent"]], "recurrent")


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_one_answer_a_row_is_the_case_of_several_where_each_row_has_one(task):
    batch, task = task.sample(kernels.Stream("one"), 9, task.smallest_gap).last_answers(), task.at(task.smallest_gap)
    spelled = dataclasses.replace(batch, offsets=np.arange(10))
    net = Net(task, Architecture("lstm", 5))
    theta = net.init(0)
    one, other = (net.forward(theta, given) for given in (batch, spelled))
    assert np.array_equal(one.loss, other.loss) and one.loss.dtype == other.loss.dtype and np.array_equal(one.output, other.output)
    assert np.array_equal(*(net.backward(theta, passed).theta for passed in (one, other)))
    assert np.array_equal(*(task.right(one.output, given) for given in (batch, spelled)))
    assert np.array_equal(*(given.part(2, 5).places() for given in (batch, spelled)))


def test_a_sequence_counts_once_and_is_right_when_all_its_answers_are():
    batch = ECHO.sample(kernels.Stream("judge"), 50, 2)
    output = np.eye(4, dtype=np.float32)[batch.target]
    assert Judge(ECHO)(output, batch) == 20
    output[batch.offsets[15]] = output[batch.offsets[15]][[1, 2, 3, 0]]  # the first answer of the sixteenth sequence
    assert ECHO.score(output, batch).tolist() == [row != 15 for row in range(50)]
    assert Judge(ECHO)(output, batch) == 36 and Judge(ECHO)(output, batch, rows=35) is None


def test_the_error_of_a_sequence_is_the_mean_over_its_answers():
    task = dataclasses.replace(ECHO, kind="number", outputs=1, rule=Rule(within=0.9, mean=0.25, window=2))
    batch = Batch(None, None, None, np.zeros((5, 1), np.float32), np.array([0, 1, 4, 5]))
    for last, expected in ((0.125, 3), (0.375, None)):  # windows of two: (.5 + .25) / 2, then (.25 + last) / 2
        output = np.array([[0.5], [0.0], [0.75], [0.0], [last]], np.float32)
        assert Judge(task)(output, batch) == expected


@pytest.mark.parametrize("method", ["bptt", "guess", "probe"])
def test_a_task_with_several_answers_a_row_runs_as_a_trial(method, monkeypatch):
    monkeypatch.setitem(TASKS, "echo", ECHO)
    knobs = {"budget": 6400, "lr": 0.01} if method == "bptt" else {"budget": 50} if method == "guess" else {}
    result = run(Trial(cell="lstm", units=16, task="echo", gap=1, method=method, **knobs))
    if method == "bptt":
        assert result.solved and result.test.correct > 2000 and result.curve["loss"][0] > 1.2 and result.norms["end"]["lag"][-1] > 0
    elif method == "guess":
        assert result.guesses > 10 and result.test.n == 2560
    else:
        assert result.probe["norms"]["lag"][-1] > 0


def test_modules_of_one_kind_start_different_and_the_first_as_ever():
    one = Recurrent(Architecture("lstm", 4), 4, "float32")
    first, second, third = (one.init(3, prefix, Initialisation()) for prefix in ("", "layer1/", "layer2/"))
    assert np.array_equal(first, kernels.RNN("lstm", 4, 4).init(3))
    forget = first == 1  # the bias that the initialisation sets
    assert forget.sum() == 4 and all((a != b)[~forget].all() for a, b in ((first, second), (first, third), (second, third)))


def test_every_task_names_a_loss_that_takes_its_targets():
    assert {task.name for task in TASKS.values() if task.kind not in LOSSES[task.loss].KINDS} == set()
