"""Parity: whether the number of ones so far is odd.

Two symbols, 0 and 1, one-hot, each drawn with probability 1/2. The class is 1 where the number of ones up to a step is odd.

- `parity`: the class is read at every step.
- `parity/end`: it is read at the last step.

The length is uniform in 3..`length`, the axis: 40 is the published task. Tests at 2, 4 and 8 times the length tell whether what
is learned holds beyond it; the paper tests lengths of 40 to 256.

Pass rule: every class right by argmax in each of the last 2,000 sequences.

Chance: 1/2 for each class, a cross-entropy of ln 2; all classes of a sequence are right with the mean of 2^-n over its lengths
n.

Source: the set-up of Beck et al., xLSTM: Extended long short-term memory, 2024, after Deletang et al., Neural networks and the
Chomsky hierarchy, 2023. Parity has been a test of recurrent nets since the 1980s.

A drawn sample at length 12, and its classes:

>>> import kernels
>>> batch = TASKS[0].sample(kernels.Stream("a drawn sample"), batch=1, gap=12)
>>> batch.x[: batch.lengths[0], 0].argmax(axis=1).tolist(), batch.target.tolist()
([0, 0, 1, 0, 0, 1, 0, 1, 0], [0, 0, 1, 1, 1, 0, 0, 1, 1])
"""

from dataclasses import replace
from math import log

import numpy as np

from study.tasks._draws import between, bits, bits_for, one_hot
from study.tasks._rule import Rule
from study.tasks._task import Batch, Task

SHORTEST = 3


def build(words, length):
    symbols = bits(words[:, 1:].copy(), length)
    lengths = between(words[:, 0], SHORTEST, length)
    odd = np.bitwise_xor.accumulate(symbols, axis=1).astype(np.int64)
    mask = np.arange(length) < lengths[:, None]
    return Batch.masked(one_hot(symbols, lengths, 2), lengths, odd.T, mask.T)


TASKS = (
    Task(
        name="parity",
        title="parity at every step",
        source="Beck et al. 2024",
        axis="length",
        smallest_gap=SHORTEST,
        lag=0.0,
        inputs=2,
        outputs=2,
        kind="class",
        loss="cross_entropy",
        chance={"score": lambda length: (0.25 - 2.0**-length) / (length - 2), "loss": log(2)},
        rule=Rule(),
        words=lambda length: 1 + bits_for(length),
        build=build,
        symbols="01",
        answers=("even", "odd"),
    ),
)
TASKS += (
    replace(
        TASKS[0],
        name="parity/end",
        title="parity at the end",
        chance={"score": 1 / 2, "loss": log(2)},
        build=lambda words, length: build(words, length).last_answers(),
    ),
)
