"""The suites: their titles and defaults, the cases that each times, and the peers that it is for."""

import sys
from dataclasses import replace
from typing import NamedTuple

import kernels
from study.bench.case import Case
from study.tasks import TASKS

ROUNDS = 20
KERNEL_TITLES = {  # in the order of the page
    "table": "Training step, float32",
    "double": "Training step, float64",
    "forward": "Forward pass, float32",
    "units": "Training step as units grow",
    "threads": "Training step on several threads",
    "steps": "Training step as steps grow",
    "rows": "Training step as rows grow",
    "gap": "Training step of a recall trial as its gap grows",
    "cells": "Every cell at equal units and at equal parameters",
    "small": "Training step of 32 units",
    "row": "Forward and backward of one row, a step",
    "long": "Training step of long sequences, a step and row",
    "memory": "Memory",
}
TRIAL_TITLES = {
    "trial": "A whole training iteration of 32 sequences",
    "online": "A whole training iteration of 1 or 4 sequences",
    "nets": "A whole training iteration of nets with layers and heads",
}
MODULE_TITLES = {"modules": "Training step of a torch.nn.Module"}
TITLES = KERNEL_TITLES | TRIAL_TITLES | MODULE_TITLES | {"study": "A small study"}
FLOORS = ("online", "trial", "nets", "small", "row", "long", "modules")  # the suites that study.bench.floors needs

SHAPES = [(100, 32, 2, 32), (100, 32, 2, 64), (100, 32, 2, 128), (100, 64, 64, 128), (200, 32, 128, 256), (100, 64, 512, 512)]
CELLS = ("rnn", "lstm", "peephole", "coupled", "gru", "gru_after")  # that peers have, or that are short to write for them
SWEPT = ("rnn", "lstm", "gru_after")
UNITS = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512)
STEPS = (10, 30, 100, 300, 1000, 3000)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128)
GAPS = (12, 25, 50, 100, 200, 400, 700, 1000)
ONE_ROW = ("rnn", "lstm", "gru", "peephole", "lstm_1997")
TWO_LENGTHS = (105, 1005)  # the time between them is that of the steps, without what a call takes
LENGTHS, LONG_ROUNDS = (100, 1000, 10_000), 6
RECALL, ORDER, COPY = "recall/past", "temporal_order/6a", "copy"
LONGEST_LEAD = 9  # the most distractors before the cue of RECALL
MEAN_LENGTH = 105  # of ORDER as it was published
COPIED = 96  # steps of COPY, 20 more than its gap: the mean length of RECALL's sequences at the gap of NETS
FAST = ("torch", "jax")
TWO, GRID, ATTENTION = (("layers", 2),), (("layers", 2), ("stack", "grid")), (("head", "attention"),)
NETS = ((64, ()), (64, TWO), (64, GRID), (32, ()), (32, ATTENTION))  # H, and further knobs of the net
EQUAL = 32  # all cells are compared at this number of inputs and units, then with no more parameters than an lstm of that size


class Suite(NamedTuple):
    """Cases, the peers that time them beside the kernels (None: all peers), the most rounds of a case, and whether another
    clone of the project times them, too."""

    cases: list
    peers: tuple | None
    most: int = sys.maxsize
    earlier: bool = True


def of_kernels(threads, most):
    """{suite: Suite} of `bench kernels` on `threads` threads, without memory; the threads suite goes up to `most`."""
    counts = sorted({1, *(2**k for k in range(most.bit_length()) if 2**k <= most), most})
    suites = {
        "table": Suite(_crossed(CELLS, SHAPES), None),
        "double": Suite(_crossed(CELLS, SHAPES, dtype="float64"), None),
        "forward": Suite([replace(case, work="forward") for case in _crossed(CELLS, SHAPES)], None),
        "units": Suite([_training(cell, 100, 32, H if kernels.CELLS[cell].direct else 2, H)
                        for H in UNITS for cell in kernels.CELLS], ()),
        "threads": Suite([replace(case, threads=n) for case in _crossed(CELLS, SHAPES) for n in counts], FAST),
        "steps": Suite(_crossed(SWEPT, [(T, 32, 2, 128) for T in STEPS]), FAST),
        "rows": Suite(_crossed(SWEPT, [(100, B, 128, 128) for B in ROWS]), FAST),
        "cells": Suite([_training(cell, 100, 32, _inputs(cell, H), H)
                        for cell in kernels.CELLS for H in dict.fromkeys([EQUAL, equal_units(cell)])], ()),
        "gap": Suite(_crossed(CELLS, [(gap + 1 + LONGEST_LEAD, 32, 9, 32) for gap in GAPS]), ()),
        "small": Suite(_crossed(("rnn", "lstm"), SHAPES[:1]), ()),
        "row": Suite(_crossed(ONE_ROW, [(T, 1, 8, H) for H in (8, 16, 32) for T in TWO_LENGTHS]), ()),
        "long": Suite(_crossed(("rnn", "lstm"), [(T, 32, 2, H) for H in (32, 128, 256) for T in LENGTHS]), (), LONG_ROUNDS, False),
    }
    knobs = {name: {"suite": name} if name == "threads" else {"suite": name, "threads": threads} for name in suites}
    return {name: suite._replace(cases=[replace(case, **knobs[name]) for case in suite.cases]) for name, suite in suites.items()}


def of_trials(threads):
    """{suite: Suite} of `bench trial`: whole iterations, of recall in batches, and of the published temporal order online."""
    batches = [recall("trial", "iteration", cell, T - 1 - LONGEST_LEAD, H, threads=threads)
               for T in (100, 200) for H in (32, 64) for cell in CELLS]
    online = [order(cell, B, 8, threads=threads) for B, cells in ((1, kernels.CELLS), (4, CELLS)) for cell in cells]
    nets = [recall("nets", "iteration", "lstm", 90, H, net=net, threads=threads) for H, net in NETS]
    each_step = Case("nets", "iteration", "lstm", COPIED, 32, TASKS[COPY].inputs, 32, task=COPY, gap=COPIED - 20, threads=threads)
    return {"online": Suite(online, FAST), "trial": Suite(batches, FAST), "nets": Suite([*nets, each_step], FAST, earlier=False)}


def of_modules(threads):
    """{suite: Suite} of `bench modules`: every cell by torch's autograd, beside torch's own layers and a loop in Python."""
    cases = [Case("modules", "module", cell, 100, 32, 64 if kernels.CELLS[cell].direct else 2, 64, threads=threads) for cell in kernels.CELLS]
    return {"modules": Suite(cases, ("torch", "loop"), earlier=False)}


def of_studies(threads):
    """The Suite of `bench study`: a small grid of trials."""
    return Suite([recall("study", "study", cell, gap, 32, seed=seed, budget=16_000, threads=threads)
                  for cell in CELLS for gap in (12, 50) for seed in range(2)], ("torch",))


def _training(cell, T, B, I, H, **knobs):
    return Case("", "training", cell, T, B, I, H, **knobs)


def _crossed(cells, shapes, **knobs):
    return [_training(cell, *shape, **knobs) for shape in shapes for cell in cells]


def recall(suite, work, cell, gap, H, **knobs):
    """A case of a trial of RECALL, with the longest lead."""
    return Case(suite, work, cell, gap + 1 + LONGEST_LEAD, 32, TASKS[RECALL].inputs, H, task=RECALL, gap=gap, **knobs)


def order(cell, B, H, **knobs):
    """A case of a trial of ORDER as it was published, with plain steps down the gradient."""
    return Case("online", "iteration", cell, MEAN_LENGTH, B, TASKS[ORDER].inputs, H, task=ORDER, optimizer="sgd", gap=100, **knobs)


def _inputs(cell, H):
    return H if kernels.CELLS[cell].direct else EQUAL


def equal_units(cell):
    """The largest H with which a layer of EQUAL inputs has no more parameters than the lstm of EQUAL units."""
    most, H = kernels.RNN("lstm", EQUAL, EQUAL).size, 1
    while kernels.RNN(cell, _inputs(cell, H + 1), H + 1).size <= most:
        H += 1
    return H
