"""The cost model of a trial: its seconds on one core of a reference machine, and its memory.

Seconds: a constant for each batch (of streams: for each segment); for each step of each row a constant, and one for each
multiply-add; a guesser also draws all weights again for about each sequence. The test and the gradient norms before and after
training count as FIXED forward sequences. The constants are fitted to a few trials. study.run.estimate scales them to the machine
at hand.

Bytes: the highest of three peaks. These are the tape of a training step; the fresh sequences of the test, which are drawn many
at a time, with the outputs of the net; and the tapes of the probes, in float64. Fitted to the resident memory of processes that
each ran one of 16 trials: the model gave between 0.8 and 1.4 of what they took.
"""

from functools import lru_cache

import numpy as np

from kernels import CELLS
from study.probes import words
from study.probes.norms import LAGS
from study.tasks import TASKS
from study.tasks._draws import OneHot
from study.trial.evaluate import TEST, TEST_ROWS
from study.trial.streams import batches_drawn

BATCH, STEP, MULTIPLY_ADD, DRAW = 4e-6, 3e-10, 1.45e-11, 16e-9  # seconds
SEGMENT = 300e-6  # seconds of a segment of a stream, which is learned from outside of the native call
FIXED = 2 * TEST  # forward sequences
SCORED = {"additive": 50, "general": 25, "dot": 25}  # multiply-adds that a unit of a step costs an answer that looks at it
PROBE_STEP, PROBE_PRODUCT = 1e-4, 2e-8  # seconds
PROBE_ROWS = 64  # rows that a probe runs through time
FORWARD, TRAINING = 1, 3  # passes
WIDER = 2  # seconds of float64 against float32
PROCESS, FIXED_TEST = 50 << 20, 150 << 20  # bytes of an idle worker, and of a fixed test part: scikit-learn with the digits, or files of data
DRAWN, SYMBOL = 80, 10  # bytes of one step of a drawn row; of one step that is a symbol, whose inputs are made per batch
PROBED = 4 * 32  # rows whose tapes the probes hold at once


@lru_cache(maxsize=None)
def _steps(task, gap):
    """(steps of a sequence, steps up to its last answer, bytes of a step while it is drawn, answers)."""
    task = TASKS[task]
    batch = task.build(np.zeros((1, task.words(gap)), np.uint64), gap)
    read = int(batch.last_answers().read[0]) + 1
    return int(batch.lengths[0]), read, SYMBOL if isinstance(batch.x, OneHot) else DRAWN, len(batch.read)


def cost(trial, share=1.0):
    """Seconds on one core of the reference machine, if the trial uses this share of its budget."""
    task, cell, units = TASKS[trial.task].at(trial.gap), CELLS[trial.cell], trial.units
    length, read, *_ = _steps(trial.task, trial.gap)
    steps = read if trial.direction == "forward" else length * (2 if trial.direction == "both" else 1)
    weights = _weights(trial, task.inputs)
    width = WIDER if trial.dtype == "float64" else 1
    step = _passes_of_cells(trial) * STEP + MULTIPLY_ADD * weights
    if trial.method == "probe":
        n = len(cell.states) * units
        learning = trial.after * (TRAINING * steps * step + _call(task, steps) / trial.batch)
        of_layers = trial.layers * (PROBE_STEP + PROBE_PRODUCT * n * n)
        return learning + steps * (of_layers + WIDER * TRAINING * step * (PROBE_ROWS + n))
    passes = FORWARD if trial.method == "guess" else TRAINING
    draws = DRAW * weights if trial.method == "guess" else 0.0
    net = steps * step + MULTIPLY_ADD * _head(trial, task.outputs)
    sequence = passes * width * net + draws + _call(task, steps) / trial.batch
    longer = TEST * (2 * trial.test_gap - 2)  # 2 + 4 + 8 times the test, as far as they go
    return trial.budget * share * sequence + (FIXED + longer + _explained(trial, task)) * FORWARD * width * net


def _explained(trial, task):
    """Forward sequences by which a trained net is explained."""
    if task.contrasts is None or trial.method != "bptt" or trial.purpose != "train" or not words.explained(trial):
        return 0
    return 2 * words.SENTENCES + max(words.READ, words.FEWEST * trial.units) + len(words.TOGETHER) * words.ROWS


def _call(task, steps):
    """Seconds of a batch besides those of its steps."""
    return SEGMENT * steps / task.segment if task.segment else BATCH


def _width(trial):
    """Numbers that a layer gives for each step."""
    return 2 * trial.units if trial.direction == "both" and trial.merge == "concat" else trial.units


def _head(trial, outputs):
    """Multiply-adds of the head for a sequence."""
    length, read, _, answers = _steps(trial.task, trial.gap)
    width, steps = _width(trial), read if trial.direction == "forward" else length
    if trial.head == "last":
        return answers * width * outputs
    keys = steps * width * width if trial.attention == "additive" else 0
    return keys + answers * width * (SCORED[trial.attention] * steps + 3 * width + outputs)


def _passes_of_cells(trial):
    """How often a row's step goes through the cell, in one direction."""
    return trial.layers * (2 if trial.stack == "grid" else 1)


def _weights(trial, inputs):
    """Multiply-adds of a row's step in one direction, over all layers, without the head."""
    cell, units = CELLS[trial.cell], trial.units
    recurrent = (len(cell.recurrent) + len(cell.feedback)) * units
    if trial.stack == "grid":
        return units * (inputs + _passes_of_cells(trial) * (len(cell.inputs) * units + recurrent))
    below = inputs + (trial.layers - 1) * _width(trial)
    return units * (len(cell.inputs) * below + trial.layers * recurrent)


def memory(trial):
    """Bytes that the process of the trial takes at its peak."""
    task, cell = TASKS[trial.task].at(trial.gap), CELLS[trial.cell]
    length, read, of_step, answers = _steps(trial.task, trial.gap)
    directions = 2 if trial.direction == "both" else 1
    steps = read if trial.direction == "forward" else length
    row = steps * directions * trial.units  # numbers of one block or state
    tape = _passes_of_cells(trial) * row * (len(cell.blocks) + len(cell.states))
    looked = 4 * row if trial.head == "attention" else 0  # gathered states and keys, and their gradients
    test_rows = 1 if task.segment else TEST_ROWS
    drawn_rows = [rows * batches_drawn(rows, length, answers * task.outputs) for rows in (trial.batch, *([] if task.test else [test_rows]))]
    drawn = of_step * length * max(drawn_rows)
    number = 8 if trial.dtype == "float64" else 4
    inputs, outputs = steps * task.inputs, answers * task.outputs  # numbers of a row
    answered = 6 * outputs + 2 * answers * _width(trial)  # of a row, with losses, gradients and the states that are read
    peaks = [drawn + trial.test_gap * test_rows * (row + looked + inputs + answered) * number]
    if trial.method != "guess":
        whole = 0 if task.segment else 1  # of a stream, only a segment at a time has a tape
        peaks.append(drawn + (whole * trial.batch * (tape + looked) + drawn_rows[0] * outputs) * number)
        peaks.append(whole * PROBED * (tape + looked + inputs) * 8)
    if _explained(trial, task):
        peaks.append(words.ROWS * (tape + inputs) * number + 3 * words.SENTENCES * LAGS * len(cell.states) * trial.units * 8)
    return PROCESS + (FIXED_TEST if task.test else 0) + max(peaks)
