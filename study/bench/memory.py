"""The memory of training: the tape of every cell, and the peak of one long training step with checkpoints."""

from dataclasses import asdict

import kernels
from study.bench.case import Case
from study.bench.peer_process import running

UNITS, LIMIT = 256, 2 * 2**30
CHECKPOINT = 128
LONG = Case("memory", "training", "lstm", T=10_000, B=32, I=2, H=UNITS)


def tapes(threads, units=UNITS):
    """For each cell, the bytes and the numbers per unit that each step of a row adds to a float32 tape."""
    with running(["ours"], threads) as peers:
        for cell in kernels.CELLS:
            inputs = units if kernels.CELLS[cell].direct else 2
            case = Case("memory", "training", cell, T=0, B=8, I=inputs, H=units, threads=threads)
            size, _ = peers["ours"].ask("once", "tape", case)
            yield {"cell": cell, "units": units, "bytes": size, "numbers": size / 4 / units}


def footprint(threads, case=LONG, checkpoint=CHECKPOINT):
    """Peak resident memory of one training step, in a process of its own, and the size of its tape without checkpoints."""
    with running(["ours"], threads) as peers:
        measured, _ = peers["ours"].ask("once", "footprint", case, checkpoint)
        growth, _ = peers["ours"].ask("once", "tape", case)
    return {**asdict(case), "threads": threads, "checkpoint": checkpoint, **measured, "whole_tape": growth * case.T * case.B}
