"""Adding, the later version: one number is marked in each half of a sequence; the target is their sum.

A sequence has T pairs of a value from U[0, 1] and a marker. One pair of the first half (the first T/2, integer part) and one of the
second half are drawn and have the marker 1; all others have 0. The target X1 + X2 is read at the last pair. The second mark may
be there, so only the first number has to be kept.

The axis is `length`, which is T.

Pass rule, that of adding/hs97: each of the last 2,000 sequences within .04 of its target, and their mean error below .01.

Chance: the constant 1 has a mean squared error of 1/6, and is within .04 for 1 - .96^2 = 7.8 % of the sequences.

Source: Le, Jaitly & Hinton, A simple way to initialize recurrent networks of rectified linear units, 2015; Arjovsky, Shah & Bengio,
Unitary evolution recurrent neural networks, 2016.

A drawn sample: the positions of its markers, the marked values and the target.

>>> import kernels
>>> batch = TASKS[0].sample(kernels.Stream("a drawn sample"), batch=1, gap=20)
>>> value, marker = batch.x[:, 0].T
>>> marker.nonzero()[0].tolist(), value[marker == 1].tolist(), float(batch.target[0, 0])
([6, 17], [0.1583080291748047, 0.7566848993301392], 0.9149929285049438)
"""

import numpy as np

from study.tasks._draws import below, halves_for, units
from study.tasks._rule import Rule
from study.tasks._task import Batch, Task

DRAWN = 2  # words before the values: first mark, second mark


def build(words, length):
    rows, half = np.arange(len(words)), length // 2
    first, second = below(words[:, 0], half), half + below(words[:, 1], length - half)
    x = np.zeros((length, len(words), 2), np.float32)
    x[:, :, 0] = units(words[:, DRAWN:].copy(), length).T
    x[first, rows, 1] = x[second, rows, 1] = 1
    lengths = np.full(len(words), length)
    return Batch(x, lengths, lengths - 1, (x[first, rows, 0] + x[second, rows, 0])[:, None])


TASKS = (
    Task(
        name="adding/uniform",
        title="adding, uniform",
        source="Le, Jaitly & Hinton 2015; Arjovsky, Shah & Bengio 2016",
        axis="length",
        smallest_gap=2,
        lag=0.0,
        inputs=2,
        outputs=1,
        kind="number",
        loss="squared_error",
        chance={"score": 0.0784, "loss": 1 / 6},
        rule=Rule(within=0.04, mean=0.01),
        words=lambda length: DRAWN + halves_for(length),
        build=build,
    ),
)
