"""Latch: the first inputs say a class, which is to be held through noise.

One input. At the first 3 steps it is +1 or -1 by the class, drawn; at the `gap` steps after them it is Gaussian noise of mean 0 and
variance .2. The target is .8 or -.8 by the class, at the last step.

From memory of the paper, and of how Hochreiter & Schmidhuber retell it: the class depends only on the first L inputs, targets are
+-.8, the cost is taken at the last step, and the noise has variance .2. In the paper the inputs of the first L steps are learned
with the weights; here L = 3 and they are fixed, as in two_sequence.

Pass rule: the output on the right side of +-.4 for each of the last 2,000 sequences.

Chance: an output on one side is right for half of the sequences; the constant 0 has a mean squared error of .64.

Source: Bengio, Simard & Frasconi, Learning long-term dependencies with gradient descent is difficult, IEEE Transactions on Neural
Networks 5(2), 1994. Published: the share of runs that converge falls with the number of steps.

A drawn sample at gap 4:

>>> import kernels
>>> batch = TASKS[0].sample(kernels.Stream("a drawn sample"), batch=1, gap=4)
>>> [round(float(x), 2) for x in batch.x[:, 0, 0]], round(float(batch.target[0, 0]), 2)
([1.0, 1.0, 1.0, 0.31, 0.49, 0.56, 1.19], 0.8)
"""

import numpy as np

from study.tasks._draws import below, normals
from study.tasks._rule import Rule
from study.tasks._task import Batch, Task

SAYING, NOISE, HELD = 3, 0.2, 0.8


def build(words, gap):
    sign = (2 * below(words[:, 0], 2) - 1).astype(np.float32)
    x = np.empty((SAYING + gap, len(words), 1), np.float32)
    x[:SAYING, :, 0] = sign
    x[SAYING:, :, 0] = normals(words[:, 1:].T, NOISE)
    lengths = np.full(len(words), SAYING + gap)
    return Batch(x, lengths, lengths - 1, (sign * np.float32(HELD))[:, None])


TASKS = (
    Task(
        name="latch",
        title="latch",
        source="Bengio, Simard & Frasconi 1994",
        axis="gap",
        smallest_gap=1,
        lag=1.0,
        inputs=1,
        outputs=1,
        kind="number",
        loss="squared_error",
        chance={"score": 1 / 2, "loss": HELD * HELD},
        rule=Rule(beyond=0.4),
        words=lambda gap: 1 + gap,
        build=build,
    ),
)
