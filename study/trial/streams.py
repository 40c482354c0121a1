"""The sequences of a trial: which random stream they come from, and how they come as batches.

A stream is keyed by task, gap, seed and purpose, never by the cell, the learning rate, the initialisation or the budget, so
that arms are paired.
"""

import kernels

AHEAD = 8  # batches drawn at a time


def stream(trial, part="learn"):
    """The trial's random stream of sequences to learn from, or of another part: "test", "probe", "lyapunov"."""
    return kernels.Stream("data", trial.task, trial.gap, trial.seed, f"{trial.purpose}/{part}")


def batches(trial, task, rows, total, part="learn"):
    """Yield `total` sequences of a part as Batches of `rows`; the last one has what is left."""
    words = stream(trial, part)
    for start in range(0, total, AHEAD * rows):
        drawn = task.draw(words, min(AHEAD * rows, total - start), trial.gap).usable(trial.direction)
        for first in range(0, len(drawn.lengths), rows):
            yield drawn.part(first, first + rows)
