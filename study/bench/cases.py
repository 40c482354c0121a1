"""The suites: what is timed, for which table or figure, how much work it is, and what goes in."""

from dataclasses import replace

import numpy as np

import kernels
from study.bench.case import Case
from study.nets.net import Net
from study.tasks import TASKS

SHAPES = [(100, 32, 2, 32), (100, 32, 2, 64), (100, 32, 2, 128), (100, 64, 64, 128), (200, 32, 128, 256), (100, 64, 512, 512)]
CELLS = ("rnn", "lstm", "peephole", "coupled", "gru", "gru_after")  # those that peers have, or are easily written for
SWEPT = ("rnn", "lstm", "gru_after")
UNITS = (16, 32, 48, 64, 96, 128, 192, 256, 384, 512)
STEPS = (10, 30, 100, 300, 1000, 3000)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128)
GAPS = (12, 25, 50, 100, 200, 400, 700, 1000)
TASK = "recall/past"
LONGEST_LEAD = 9  # distractors before the cue of TASK, at most
RATE, CLIP = 0.003, 1.0
FAST = ("torch", "jax")
EQUAL = 32  # inputs and units at which all cells are compared, and whose lstm's parameters are not exceeded


def _training(suite, cells, shapes, work="training", **knobs):
    return [Case(suite, work, cell, *shape, **knobs) for shape in shapes for cell in cells]


def of_kernels(threads, most):
    """{suite: (cases, peers or None for all)} on `threads` threads; the threads suite goes up to `most`."""
    at = {"threads": threads}
    counts = sorted({1, *(2**k for k in range(most.bit_length()) if 2**k <= most), most})
    return {
        "table": (_training("table", CELLS, SHAPES, **at), None),
        "double": (_training("double", CELLS, SHAPES, dtype="float64", **at), None),
        "forward": (_training("forward", CELLS, SHAPES, work="forward", **at), None),
        "units": ([case for H in UNITS for cell in kernels.CELLS
                   for case in _training("units", (cell,), [(100, 32, H if kernels.CELLS[cell].direct else 2, H)], **at)], ()),
        "threads": ([replace(case, threads=n) for case in _training("threads", CELLS, SHAPES) for n in counts], FAST),
        "steps": (_training("steps", SWEPT, [(T, 32, 2, 128) for T in STEPS], **at), FAST),
        "rows": (_training("rows", SWEPT, [(100, B, 128, 128) for B in ROWS], **at), FAST),
        "cells": ([case for cell in kernels.CELLS for H in dict.fromkeys([EQUAL, equal_units(cell)])
                   for case in _training("cells", (cell,), [(100, 32, _inputs(cell, H), H)], **at)], ()),
        "gap": (_training("gap", CELLS, [(gap + 1 + LONGEST_LEAD, 32, 9, 32) for gap in GAPS], **at), ()),
    }


def _inputs(cell, H):
    return H if kernels.CELLS[cell].direct else EQUAL


def equal_units(cell):
    """The largest H with which a layer of EQUAL inputs has no more parameters than the lstm of EQUAL units."""
    most, H = kernels.RNN("lstm", EQUAL, EQUAL).size, 1
    while kernels.RNN(cell, _inputs(cell, H + 1), H + 1).size <= most:
        H += 1
    return H


def multiply_adds(cell, I, H):
    """Of the products with W, U and R in one step of one row, forward."""
    cell = kernels.CELLS[cell]
    return len(cell.inputs) * I * H + (len(cell.recurrent) + len(cell.feedback)) * H * H


def of_trials(threads):
    """(cases, peers): whole iterations, 100 and 200 steps, 32 and 64 units."""
    cases = [_recall("trial", "iteration", cell, T - 1 - LONGEST_LEAD, H, threads=threads)
             for T in (100, 200) for H in (32, 64) for cell in CELLS]
    return cases, FAST


def of_studies(threads):
    """(cases, peers): a small grid of trials."""
    cases = [_recall("study", "study", cell, gap, 32, seed=seed, budget=16_000, threads=threads)
             for cell in CELLS for gap in (12, 50) for seed in range(2)]
    return cases, ("torch",)


def _recall(suite, work, cell, gap, H, **knobs):
    return Case(suite, work, cell, gap + 1 + LONGEST_LEAD, 32, TASKS[TASK].inputs, H, gap=gap, **knobs)


def operations(case):
    """Floating-point operations of a training step or a forward pass: the products with W, U and R; None for other work.

    Forward, each is one product; backward, U and R have two more (dh and dU) and W one (dW). What the cell itself computes, biases
    and peepholes are not counted.
    """
    passes = {"training": (2, 3), "forward": (1, 1)}.get(case.work)
    if passes is None:
        return None
    of_w, of_u = passes
    with_w = len(kernels.CELLS[case.cell].inputs) * case.I * case.H
    with_u = multiply_adds(case.cell, case.I, case.H) - with_w
    return 2 * case.T * case.B * (of_w * with_w + of_u * with_u)


def trial(case):
    """The knobs of the trial that a case of recall belongs to."""
    knobs = {"cell": case.cell, "units": case.H, "gap": case.gap, "lr": RATE, "seed": case.seed, "clip": CLIP, "batch": case.B,
             "dtype": case.dtype}
    return knobs | ({} if case.budget is None else {"budget": case.budget})


def given(case):
    """What all peers are given, the same numbers in either dtype.

    weights : {"W": (blocks W feeds, I, H), "U": ..., "b": ...[, "p": ...]}, uniform as layer.init makes them
    x (T, B, I) and dy (T, B, H), uniform in (-1, 1), where the work is a pass of the layer
    readout : {"V": (H, K), "v": (K,)}, and trial: its knobs, where it is more
    """
    if case.gap is None:
        layer = kernels.RNN(case.cell, case.I, case.H, dtype="float64")
        words = kernels.Stream("bench", case.T, case.B, case.I, case.H)
        arrays = {name: words.uniform(case.T * case.B * n, -1, 1).reshape(case.T, case.B, n).astype(case.dtype)
                  for name, n in (("x", case.I), ("dy", case.H))}
        return {"weights": _weights(layer, layer.init(0), case.dtype), **arrays}
    net = Net(TASKS[TASK], case.cell, case.H, dtype="float64")
    theta = net.init(case.seed)
    layer, readout = theta[net.slices["recurrent"]], theta[net.slices["head"]]
    head = {name: part.astype(case.dtype) for name, part in net.modules["head"].affine.view(readout).items()}
    return {"weights": _weights(net.layer, layer, case.dtype), "readout": head, "trial": trial(case)}


def _weights(layer, theta, dtype):
    return {name.removeprefix("forward/"): np.array(part, dtype) for name, part in layer.view(theta).items()}
