"""The contract of every task that is found."""

import dataclasses
import doctest
import importlib
import pkgutil
import re

import numpy as np
import pytest
from study_hashes import first_batch, golden

import kernels
from study import tasks
from study.records.machine import PROJECT
from study.tasks import LEFT_OUT, TASKS, _symbols

ROWS = 4000
EVERY = pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)


def usual(task):
    """A gap that the task has."""
    return min(task.smallest_gap + 13, task.smallest_gap + 13 if task.largest_gap is None else task.largest_gap)


def draw(task, rows=None, gap=None, key="test"):
    gap = usual(task) if gap is None or task.largest_gap is not None else gap
    return task.sample(kernels.Stream(key), rows or (ROWS if task.at(gap).inputs < 100 else ROWS // 10), gap)


def arrays(batch):
    return [getattr(batch, field.name) for field in dataclasses.fields(batch)]


def same(one, other):
    return all(np.array_equal(a, b) for a, b in zip(arrays(one), arrays(other), strict=True))


def rows_of(batch):
    """The row of each answer."""
    return batch.places() % len(batch.lengths)


def past_length(batch):
    return np.arange(len(batch.x))[:, None] >= batch.lengths


@EVERY
def test_shapes_and_types(task):
    batch, task = draw(task), task.at(usual(task))
    assert batch.x.dtype == np.float32 and batch.x.shape[1:] == (len(batch.lengths), task.inputs) and batch.x.flags.c_contiguous
    assert batch.lengths.min() >= 1 and batch.lengths.max() <= len(batch.x)
    answers, rows = len(batch.read), rows_of(batch)
    assert (0 <= batch.read).all() and (batch.read < batch.lengths[rows]).all() and (np.diff(batch.places()[rows == 0]) > 0).all()
    if task.kind == "class":
        assert batch.target.shape == (answers,) and set(batch.target) <= set(range(task.outputs))
        assert len(set(batch.target)) == task.outputs or task.contrasts or task.data  # versions share a vocabulary; rare characters
    else:
        assert batch.target.shape == (answers, task.outputs) and batch.target.dtype == np.float32
        assert task.kind == "number" or set(np.unique(batch.target)) == {0, 1}
    assert task.segment is None or (answers == batch.lengths.sum() and len(set(batch.lengths)) == 1)
    assert batch.judged is None or set(rows[batch.judged]) == set(range(len(batch.lengths)))
    if batch.truth is not None:
        assert batch.truth.shape == (answers, task.outputs)
        assert task.kind == "number" or batch.truth[np.arange(answers), batch.target].all()
    padding = batch.x[past_length(batch)]
    assert not padding.any() and not np.signbit(padding).any()


@EVERY
def test_symbols_and_answers_name_all_inputs_and_outputs(task):
    here, batch = task.at(usual(task)), draw(task, 50)
    if here.symbols is not None:
        assert len(set(here.symbols)) == len(here.symbols) == here.inputs
        assert set(np.unique(batch.x)) == {0, 1} and (batch.x.sum(axis=2) == ~past_length(batch)).all()
    if here.answers is not None:
        assert here.kind == "class" and len(set(here.answers)) == len(here.answers) == here.outputs
    if here.writes and here.symbols is not None:
        assert here.answers == here.symbols
        for row in range(50):  # a text ends with its sequence, and not before it
            symbols = [*batch.x[: batch.lengths[row], row].argmax(axis=1), batch.target[batch.offsets[row + 1] - 1]]
            ends = [at for at in range(2, len(symbols) + 1) if _symbols.text(here.symbols, symbols[:at]).endswith(here.stop)]
            assert ends == [len(symbols)] * (here.stop != ())


@EVERY
def test_same_stream_same_sequences_another_stream_others(task):
    assert same(draw(task, 32), draw(task, 32))
    always = task.words(usual(task)) == 0  # nothing is drawn
    assert same(draw(task, 32), draw(task, 32, key="another")) == always
    stream = kernels.Stream("test")
    first, second = (task.sample(stream, 32, task.smallest_gap) for _ in range(2))
    assert same(first, second) == always


@EVERY
def test_a_sequence_does_not_depend_on_how_many_are_drawn(task):
    stream, drawn = kernels.Stream("test"), draw(task, 48)
    for start, rows in ((0, 16), (16, 1), (17, 31)):
        assert same(task.sample(stream, rows, usual(task)).part(0, rows), drawn.part(start, start + rows))


@EVERY
def test_until_read_cuts_what_comes_after(task):
    batch = draw(task, 32)
    cut = batch.until_read()
    last = batch.last_answers()
    assert len(cut.x) == batch.read.max() + 1 and (cut.lengths == last.read + 1).all() and (last.lengths == batch.lengths).all()
    assert np.array_equal(cut.x, batch.x[: len(cut.x)]) and np.array_equal(cut.target, batch.target)


@EVERY
def test_a_gap_below_the_smallest_is_refused(task):
    with pytest.raises(ValueError, match=f"at least {task.smallest_gap}, got {task.smallest_gap - 1}"):
        task.draw(kernels.Stream("test"), 1, task.smallest_gap - 1)
    for gap in (1.5, True, "9", None):
        with pytest.raises(TypeError, match="whole number"):
            task.check(gap)
    draw(task, 1, gap=task.smallest_gap)
    if task.largest_gap is not None:
        with pytest.raises(ValueError, match=f"at most {task.largest_gap}, got {task.largest_gap + 1}"):
            task.check(task.largest_gap + 1)


def asked_alike(batch):
    """Whether the answers of all rows are at the same steps, as far as a row goes, and are not the same in all rows."""
    if batch.offsets is None:
        return False
    steps, targets = (np.split(array, batch.offsets[1:-1]) for array in (batch.read, batch.target))
    most = max(steps, key=len)
    return all((row == most[: len(row)]).all() for row in steps) and len({target.tobytes() for target in targets}) > 1


def constants(task, batch):
    """(score, loss of each sequence) of the best constant, or one for each step where all rows are asked at the same steps.

    The constants are fitted to the even rows; scores and losses are those of the odd rows.
    """
    rows, group = rows_of(batch), batch.read
    if not asked_alike(batch):
        group = np.zeros_like(batch.read)
    truth = batch.target if batch.truth is None or task.kind == "class" else batch.truth
    losses, output = np.empty(len(group)), np.empty((len(group), task.outputs), np.float32)
    for one in np.unique(group):
        here = group == one
        fitted = batch.target[here & (rows % 2 == 0)]
        if task.kind == "class":
            counts = np.bincount(fitted, minlength=task.outputs) + 0.01
            output[here] = counts / counts.sum()
            losses[here] = -np.log(output[here, batch.target[here]])
        elif task.kind == "binary":
            output[here] = p = (fitted.sum(axis=0) + 0.01) / (len(fitted) + 0.02)
            losses[here] = -np.where(batch.target[here] == 1, np.log(p), np.log(1 - p)).sum(axis=1)
        else:
            losses[here] = ((batch.target[here] - fitted.mean(axis=0)) ** 2).mean(axis=1)
            candidates = np.unique(truth[here & (rows % 2 == 0)], axis=0)
            candidates = candidates[:: max(1, len(candidates) // 200)]
            output[here] = max(candidates, key=lambda value: task.rule.right(value, truth[here]).sum())
    return task.score(output, batch)[1::2].mean(), (np.bincount(rows, losses) / np.bincount(rows))[1::2]


@EVERY
def test_answers_that_are_constant_score_the_stated_chance(task):
    batch, task = task.draw(kernels.Stream("test"), ROWS, usual(task)), task.at(usual(task))
    score, losses = constants(task, batch)
    chance = task.chance["score"]
    assert score == pytest.approx(chance, abs=4.5 * (chance * (1 - chance) / len(losses)) ** 0.5 + 1e-3)
    expected = task.chance["loss"]
    assert losses.mean() == pytest.approx(expected, abs=0.04 * expected + 4.5 * losses.std() / len(losses) ** 0.5)
    if task.kind == "class" and batch.offsets is None:
        scores = [task.score(np.eye(task.outputs)[[answer] * len(batch.read)], batch).mean() for answer in range(task.outputs)]
        assert scores == pytest.approx([chance] * len(scores), abs=4.5 * (chance * (1 - chance) / len(batch.read)) ** 0.5)


@pytest.mark.parametrize("task", [task for task in TASKS.values() if task.lag], ids=[name for name in TASKS if TASKS[name].lag])
def test_the_steps_near_the_read_out_tell_nothing_of_the_answer(task):
    """Per class, the mean input at each of the last steps that the gap keeps free of cues, read-out included, is the same.

    The bound on the difference is Bernstein's, which holds for rare symbols too.
    """
    gap = 60
    free = int(task.lag * gap)
    batch = draw(task, gap=gap).last_judged()
    assert (batch.read >= free - 1).all()
    seen = batch.x[batch.read - np.arange(free)[:, None], np.arange(len(batch.read))]
    if task.kind == "class":
        group = batch.target
    else:
        group = (batch.target[:, 0] > 0.5).astype(int)
    for value in np.unique(group):
        inside = group == value
        difference = seen[:, inside].mean(1) - seen[:, ~inside].mean(1)
        error = np.sqrt(seen.var(1) * (1 / inside.sum() + 1 / (~inside).sum()))
        assert (np.abs(difference) <= 5.5 * error + 5 / inside.sum()).all()


@EVERY
def test_golden_first_batch(task):
    assert first_batch(task) == golden("tasks", task.name)


FILES = [module.name for module in pkgutil.iter_modules(tasks.__path__, "study.tasks.") if "._" not in module.name]


@pytest.mark.parametrize("name", ["study.tasks", *FILES])
def test_drawn_samples_of_the_docstrings(name):
    module = importlib.import_module(name)
    for task in getattr(module, "TASKS", ()) if name != "study.tasks" else ():
        if task.name in LEFT_OUT:
            pytest.skip(LEFT_OUT[task.name])
    outcome = doctest.testmod(module)
    assert outcome.attempted and not outcome.failed


def test_the_recipe_in_contributing_is_a_task(tmp_path, monkeypatch):
    recipe = re.search(r"^### A task$.*?^```python$(.*?)^```$", (PROJECT / "CONTRIBUTING.md").read_text(), re.S | re.M)[1]
    (tmp_path / "first.py").write_text(recipe)
    monkeypatch.syspath_prepend(tmp_path)
    first = importlib.import_module("first")
    outcome = doctest.testmod(first)
    assert outcome.attempted and not outcome.failed
    test_shapes_and_types(first.TASKS[0])
    test_answers_that_are_constant_score_the_stated_chance(first.TASKS[0])


def test_unknown_task_names_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'recall/past'"):
        tasks.get("recal/past")
