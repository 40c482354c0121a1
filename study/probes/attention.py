"""Where a net with an attention head looks: how a few answers weigh the steps of their sequences."""

import numpy as np

import kernels
from study.nets.net import Net

QUERIES, OF_SEQUENCE = 8, 4  # answers that are reported, and of one sequence
STRETCHES = 32  # of steps, at most, over which weights are added up


def looks(task, made_of, theta, batch):
    """The weights alpha of up to 8 answers of a study.tasks.Batch, each with three decimals.

    Returns
    -------
    {"steps": [the first step of each stretch], "sequence": [its number, of each answer], "read": [the step of each answer],
    "length": [the steps of its sequence], "weights": [[that of each stretch] for each answer]}
        A stretch is a 32nd of the longest sequence, or one step. None: the head does not look at other steps.
    """
    if made_of.head != "attention":
        return None
    net, batch = Net(task, made_of, "float64"), batch.usable(made_of.direction)
    alpha = net.modules["head"].alpha(net.part("head", theta), net.states(theta, batch), batch)
    borders = np.arange(len(batch.lengths) + 1) if batch.offsets is None else batch.offsets
    queries = [(row, answer) for row, (first, last) in enumerate(zip(borders[:-1], borders[1:])) for answer in _spread(first, last)]
    rows, answers = map(list, zip(*queries[:QUERIES]))
    steps = range(0, len(batch.x), -(-len(batch.x) // STRETCHES))
    return {
        "steps": list(steps),
        "sequence": rows,
        "read": batch.read[answers].tolist(),
        "length": batch.lengths[rows].tolist(),
        "weights": [[float(f"{kernels.total(row[step : step + steps.step]):.3f}") for step in steps] for row in alpha[answers]],
    }


def _spread(first, last):
    """Up to 4 of the numbers first..last - 1, the last one among them, evenly."""
    count = min(OF_SEQUENCE, int(last - first))
    return [int(first + (last - first) * (k + 1) // count - 1) for k in range(count)]
