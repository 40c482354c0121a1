"""Adding: remember two marked numbers out of many and add them at the end.

A sequence has T..1.1 T pairs (its length is uniform, T = scale, integer parts). A pair is a value from U[-1, 1] and a marker. One
of the first ten pairs is drawn and marked; its value is X1. Then one of the first T/2 - 1 pairs that are not marked yet is drawn;
its value is X2. Markers are 1 for these two, -1 for the first and the last pair, 0 elsewhere. The first pair has its marker -1 from
the start, so it is never the second pair drawn. If it is the first pair drawn, its marker stays -1 and X1 = 0. The target,
.5 + (X1 + X2) / 4, is read at the last pair, at least T/2 steps after the last mark.

The axis is `scale`, which is T: 100 is the published task. The first window has ten pairs at every scale.

Pass rule: each of the last 2,000 sequences within .04 of its target, and their mean error below .01.

Chance: the constant .5 has a mean squared error of .9 / 24 + .1 / 48 = .0396, and is within .04 for 15 % of the sequences.

Source: Hochreiter & Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997, experiment 4. Published, LSTM:
T = 100 74k sequences (1 of 2,560 wrong), 500 209k (0), 1000 853k (1). Their output was a sigmoid; ours is linear.

A drawn sample at scale 40: its length, the positions and values of its markers, the marked values and the target.

>>> import kernels
>>> batch = TASKS[0].sample(kernels.Stream("a drawn sample"), batch=1, gap=40)
>>> value, marker = batch.x[: batch.lengths[0], 0].T
>>> len(marker), [int(step) for step in marker.nonzero()[0]], [int(mark) for mark in marker[marker != 0]]
(43, [0, 7, 16, 42], [-1, 1, 1, -1])
>>> [float(x) for x in value[marker == 1]], float(batch.target[0, 0])
([-0.7340782880783081, 0.0883859395980835], 0.33857691287994385)
"""

import numpy as np

from study.tasks._draws import below, between, halves_for, signed_units
from study.tasks._rule import Rule
from study.tasks._task import Batch, Task

WINDOW = 10
DRAWN = 3  # words before the values: length, first mark, second mark


def longest(scale):
    return 11 * scale // 10


def build(words, scale, draw, unseen, combine):
    """A Batch of marked pairs.

    Parameters
    ----------
    draw : (words, n) -> (B, n) the values
    unseen : X1 where the first pair is drawn first
    combine : (X1, X2) -> the target
    """
    rows = np.arange(len(words))
    lengths = between(words[:, 0], scale, longest(scale))
    value = draw(words[:, DRAWN:].copy(), longest(scale))

    first = below(words[:, 1], WINDOW)
    # Draw from pairs 1..T/2 - 2 without `first`, which takes one of them away unless it is pair 0.
    second = 1 + below(words[:, 2], scale // 2 - 2 - (first > 0))
    second += (first > 0) & (second >= first)

    marker = np.zeros_like(value)
    marker[rows, first] = marker[rows, second] = 1
    marker[:, 0] = marker[rows, lengths - 1] = -1
    x1 = np.where(first > 0, value[rows, first], np.float32(unseen))
    target = combine(x1, value[rows, second])
    value[np.arange(longest(scale)) >= lengths[:, None]] = 0
    x = np.empty((longest(scale), len(words), 2), np.float32)
    x[:, :, 0], x[:, :, 1] = value.T, marker.T
    return Batch(x, lengths, lengths - 1, target[:, None])


def half_and_quarter_of_sum(x1, x2):
    return np.float32(0.5) + (x1 + x2) * np.float32(0.25)


TASKS = (
    Task(
        name="adding/hs97",
        title="adding",
        source="Hochreiter & Schmidhuber 1997, experiment 4",
        axis="scale",
        smallest_gap=40,
        lag=0.5,
        inputs=2,
        outputs=1,
        kind="number",
        loss="squared_error",
        chance={"score": 0.1542, "loss": 0.0396},
        rule=Rule(within=0.04, mean=0.01),
        words=lambda scale: DRAWN + halves_for(longest(scale)),
        build=lambda words, scale: build(words, scale, signed_units, 0, half_and_quarter_of_sum),
    ),
)
