"""Each synthetic task can be solved: the judge accepts a perfect program, and rejects it for one flaw too many."""

import numpy as np
import pytest
from oracles import ORACLES, answered

import kernels
from study.tasks import TASKS, Judge

REAL = {"characters", "chorales", "digits", "digits_permuted", "vowels"}


def oracle(name):
    return ORACLES.get(name) or ORACLES[name.split("/")[0]]


@pytest.mark.parametrize("name", [name for name in TASKS if name.split("/")[0] not in REAL])
def test_a_perfect_program_passes_and_one_flaw_too_many_is_seen(name):
    gap = TASKS[name].smallest_gap + 5 if TASKS[name].largest_gap is None else TASKS[name].largest_gap
    task, stream = TASKS[name].at(gap), kernels.Stream("oracle")
    judges, met, rows = [Judge(task), Judge(task)], [None, None], task.rule.window
    for start in range(0, rows, 500):
        batch = task.sample(stream, min(500, rows - start), gap)
        perfect = answered(task, batch, oracle(name))
        for flaws, judge in enumerate(judges):
            output = perfect.copy()
            for row in range(task.rule.wrong + flaws) if start == 0 else ():
                spoil(task, batch, output, row)
            met[flaws] = met[flaws] or judge(output, batch)
    assert met == [rows, None]


def spoil(task, batch, output, row):
    """Make the first answer of a row that counts a wrong one."""
    counts = np.ones(len(batch.read), bool) if batch.judged is None else batch.judged
    at = np.flatnonzero(counts & (batch.places() % len(batch.lengths) == row))[0]
    output[at] = np.roll(output[at], 1) if task.kind == "class" else -1 - output[at]
