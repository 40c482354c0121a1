"""The sequences of a trial: which random stream they come from, and how they come as batches.

A stream is keyed by task, gap, seed and purpose, never by the cell, the learning rate, the initialisation or the budget, so
that arms are paired.
"""

import kernels

DRAWN = 2**17  # steps of rows drawn at a time, at most, unless a batch has more
ANSWERED = 2**20  # numbers that a net answers to the sequences drawn at a time, in the same way


def stream(trial, part="learn"):
    """The trial's random stream of sequences to learn from, or of another part: "test", "probe", "lyapunov"."""
    return kernels.Stream("data", trial.task, trial.gap, trial.seed, f"{trial.purpose}/{part}")


def blocks(trial, task, rows, total, part="learn"):
    """Yield `total` sequences of a part as Batches, each of a whole number of batches of `rows`; the last one has what is left.

    Their x may still be a OneHot.
    """
    words, done, size = stream(trial, part), 0, rows
    while done < total:
        block = task.draw(words, min(size, total - done), trial.gap).usable(trial.direction)
        yield block
        done += len(block.lengths)
        size = rows * batches_drawn(rows, int(block.lengths.max()), task.outputs * -(-len(block.read) // len(block.lengths)))


def batches(trial, task, rows, total, part="learn"):
    """Yield the same as Batches of `rows`; the last one has what is left."""
    for block in blocks(trial, task, rows, total, part):
        for first in range(0, len(block.lengths), rows):
            yield block.part(first, first + rows)


def batches_drawn(rows, steps, outputs):
    """How many batches of `rows` sequences are drawn at a time.

    steps, outputs : steps of a sequence, and numbers that a net answers to it
    """
    return max(1, min(DRAWN // (rows * steps), ANSWERED // (rows * outputs)))
