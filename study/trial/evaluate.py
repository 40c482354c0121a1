"""How a net answers test sequences."""

import math
from dataclasses import asdict

import numpy as np

from study.trial.curve import mean
from study.trial.result import Evaluation
from study.trial.streams import batches

TEST = 2560  # fresh sequences, as in Hochreiter & Schmidhuber 1997
TEST_ROWS = 256
STREAMS = 10  # of a task of streams, one by one


def longer(trial, task, net, theta):
    """{"gap": [..], and a list for each number of an Evaluation} at 2, 4, 8 times the trial's gap, up to its `test_gap`, or None.

    The sequences are those that a trial with that gap is tested on.
    """
    if trial.test_gap == 1:
        return None
    gaps = [trial.gap * times for times in (2, 4, 8) if times <= trial.test_gap]
    tests = [evaluate(trial.model_copy(update={"gap": gap}), task, net, theta) for gap in gaps]
    numbers = {name: [asdict(test)[name] for test in tests] for name in asdict(tests[0])}
    return {"gap": gaps} | {name: values for name, values in numbers.items() if name == "loss" or values[0] is not None}


def evaluate(trial, task, net, theta):
    """The Evaluation on the task's fixed test part; on fresh sequences, or streams, where it has none."""
    if task.test:
        parts = [task.test(trial.gap).usable(trial.direction)]
    else:
        rows, total = (1, STREAMS) if task.segment else (TEST_ROWS, TEST)
        parts = batches(trial, task, rows, total, "test")
    losses, counts, correct, several, tallies = [], [], 0, False, []
    for part in parts:
        passed = net.forward(theta, part, tape=False)
        right = task.passed(passed.output, part)
        if task.segment:
            right = np.logical_and.accumulate(right)  # before the first wrong answer
        losses.append(passed.loss)
        counts.append(part.counted(right))
        correct += int(np.count_nonzero(part.all_of_row(right)))
        several = part.offsets is not None
        if task.contrasts:
            tallies.append(_tally(task, passed.output, part))
    losses = np.concatenate(losses)
    loss = mean(losses)
    answers = [int(count.sum()) for count in np.concatenate(counts, axis=1)] if several else (None, None)
    conditions = {name: counts.tolist() for name, counts in zip(task.conditions, sum(tallies))} if tallies else None
    return Evaluation(len(losses), correct, loss if math.isfinite(loss) else None, *answers, conditions)


def _tally(task, output, batch):
    """(conditions, 3) of the minimal pairs of a batch: how many there are, with the right argmax, and with the wrong class below."""
    answer, foil, condition = task.contrasts(batch)
    target, places, output = batch.target[answer], np.arange(len(answer)), output[answer]
    right = output.argmax(axis=1) == target
    above = output[places, target] > output[places, foil]
    counted = (np.bincount(condition[kept], minlength=len(task.conditions)) for kept in (right | True, right, above))
    return np.stack(list(counted), axis=1)
