"""What a trial will cost: a model of its time, by which trials are ordered and the time left is told, and of its memory.

Seconds on one core when the trial runs to its budget: a constant for each batch, and for each step of each row a constant and
something for each multiply-add; a guesser also draws all weights again for each sequence or so. The constants are fitted to a
few trials; the engine learns by how much a machine, and solutions before the budget is spent, differ.

Bytes at the highest of three peaks: a training step's tape; the fresh sequences of the test, many of which are drawn at once,
and what the net says to them; the tapes of the probes, in float64. Fitted to the resident memory of processes that each ran
one of 16 trials: it told between 0.8 and 1.4 of what they took.
"""

from functools import lru_cache
from operator import attrgetter

import numpy as np

from kernels import CELLS
from study.tasks import TASKS
from study.tasks._draws import OneHot
from study.trial.evaluate import TEST_ROWS
from study.trial.knobs import KNOBS
from study.trial.streams import AHEAD

BATCH, STEP, MULTIPLY_ADD, DRAW = 120e-6, 3e-10, 1.45e-11, 16e-9  # seconds
PROBE_STEP, PROBE_PRODUCT = 1e-4, 2e-8  # seconds
LOOKS = 64  # rows that a probe takes through time
FORWARD, TRAINING = 1, 3  # passes
WIDER = 2  # float64 against float32
PROCESS, FIXED_TEST = 50 << 20, 150 << 20  # bytes of a worker that has nothing to do, and of the package with the digits
DRAWN, SYMBOL = 80, 10  # bytes of a step of a drawn row; where it is one of some symbols, whose inputs are made late
PROBED = 4 * 32  # rows whose tapes the probes hold at once, about


@lru_cache(maxsize=None)
def _steps(task, gap):
    """(steps of a sequence, steps until it is read, bytes of a step while it is drawn), of one sequence."""
    task = TASKS[task]
    batch = task.build(np.zeros((1, task.words(gap)), np.uint64), gap)
    return int(batch.lengths[0]), int(batch.read[0]) + 1, SYMBOL if isinstance(batch.x, OneHot) else DRAWN


def cost(trial):
    """Seconds on one core that the trial takes at most, about."""
    task, cell, units = TASKS[trial.task], CELLS[trial.cell], trial.units
    length, read, _ = _steps(trial.task, trial.gap)
    steps = read if trial.direction == "forward" else length * (2 if trial.direction == "both" else 1)
    weights = len(cell.inputs) * task.inputs * units + (len(cell.recurrent) + len(cell.feedback)) * units * units
    step = STEP + MULTIPLY_ADD * weights
    if trial.method == "probe":
        n = len(cell.states) * units
        learning = trial.after * (TRAINING * steps * step + BATCH / trial.batch)
        return learning + steps * (PROBE_STEP + WIDER * TRAINING * step * (LOOKS + n) + PROBE_PRODUCT * n * n)
    passes = FORWARD if trial.method == "guess" else TRAINING
    draws = DRAW * weights if trial.method == "guess" else 0.0
    width = WIDER if trial.dtype == "float64" else 1
    return trial.budget * (passes * width * steps * step + draws + BATCH / trial.batch)


def learned(timed):
    """`cost` as the machine at hand has it: a function of a trial, from what trials took.

    `timed` : pairs (Trial, seconds). The trials of the same arm say how much it is off, where there are any, else all do.
    """
    arms = {}
    for trial, seconds in timed:
        arm = _arm(trial)
        if arm not in arms:
            arms[arm] = (cost(trial), [])
        arms[arm][1].append(seconds)
    if not arms:
        return cost
    paces = {arm: sum(spent) / (told * len(spent)) for arm, (told, spent) in arms.items()}
    usual = sum(sum(spent) for _, spent in arms.values()) / sum(told * len(spent) for told, spent in arms.values())

    def corrected(trial):
        return cost(trial) * paces.get(_arm(trial), usual)

    return corrected


_arm = attrgetter(*(knob for knob in KNOBS if knob not in ("seed", "lr")))


def memory(trial):
    """Bytes of the process that runs the trial at its peak, about."""
    task, cell = TASKS[trial.task], CELLS[trial.cell]
    length, read, of_step = _steps(trial.task, trial.gap)
    directions = 2 if trial.direction == "both" else 1
    steps = read if trial.direction == "forward" else length
    row = steps * directions * trial.units  # numbers of one block or state
    tape = row * (len(cell.blocks) + len(cell.states))
    drawn = of_step * length * max(AHEAD * trial.batch, 0 if task.test else AHEAD * TEST_ROWS)
    number = 8 if trial.dtype == "float64" else 4
    peaks = [drawn + TEST_ROWS * row * number]
    if trial.method != "guess":
        peaks += [drawn + trial.batch * tape * number, PROBED * tape * 8]
    return PROCESS + (FIXED_TEST if task.test else 0) + max(peaks)
