"""A trial's sequences: which stream they come from, and how they come as batches.

Streams are keyed by (task, gap, seed, purpose), never by the cell, the rate, the initialisation or the budget, so that
arms are paired.
"""

import kernels

AHEAD = 8  # batches drawn at a time


def stream(trial, part="learn"):
    """The trial's stream of sequences to learn from, or of another part: "test", "probe"."""
    return kernels.Stream("data", trial.task, trial.gap, trial.seed, f"{trial.purpose}/{part}")


def usable(batch, direction):
    """The part of a batch that a net of that direction can use: what comes after the read-out cannot matter to a forward one."""
    return batch.until_read() if direction == "forward" else batch


def batches(task, words, gap, rows, total, direction):
    """Yield `total` sequences of the stream `words`, `rows` at a time (the last time, what is left)."""
    for start in range(0, total, AHEAD * rows):
        drawn = usable(task.draw(words, min(AHEAD * rows, total - start), gap), direction)
        for first in range(0, len(drawn.read), rows):
            yield drawn.part(first, first + rows)
