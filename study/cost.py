"""What a trial will cost: a model of its time, by which trials are ordered and the time left is told.

Seconds on one core when the trial runs to its budget: sequences x steps x (what a step of one row costs: a constant, something for
each unit, something for each multiply-add), as fitted to recorded trials. The engine learns by how much this machine and early
solutions differ, so only ratios matter.
"""

from functools import lru_cache

import numpy as np

from kernels import CELLS
from study.tasks import TASKS

BATCH, ROW_STEP, UNIT, MULTIPLY_ADD = 60e-6, 8e-9, 1.5e-9, 1.2e-11  # seconds


@lru_cache(maxsize=None)
def _steps(task, gap):
    task = TASKS[task]
    batch = task.build(np.zeros((1, task.words(gap)), np.uint64), gap)
    return int(batch.lengths[0]), int(batch.read[0]) + 1


def cost(trial):
    """Seconds on one core that the trial takes at most, about."""
    task, cell, units = TASKS[trial.task], CELLS[trial.cell], trial.units
    length, read = _steps(trial.task, trial.gap)
    steps = read if trial.direction == "forward" else length * (2 if trial.direction == "both" else 1)
    passes = 1 if trial.method == "guess" else 3
    products = passes * (len(cell.inputs) * task.inputs * units + len(cell.recurrent) * units * units)
    pointwise = passes * len(cell.blocks) * units
    row_step = ROW_STEP + UNIT * pointwise + MULTIPLY_ADD * products * (2 if trial.dtype == "float64" else 1)
    return trial.budget * steps * row_step + trial.budget / trial.batch * BATCH
