"""Multiplication: remember two marked numbers out of many and multiply them at the end.

As adding/hs97 (the same lengths, windows and markers), but values are from U[0, 1], the target is X1 X2, and X1 = 1 if the
first pair is itself drawn.

The axis is `scale`, which is T: 100 is the published task.

Pass rule: fewer than n of the last 2,000 sequences off by .04 or more; n = 140 for `multiplication/140`, 13 for
`multiplication/13`.

Chance: the constant .275 has a mean squared error of .0577. The constant .04 is within .04 for 26 % of the sequences: .9 times
.08 (1 - ln .08), of two numbers, and .1 times .08, of one.

Source: Hochreiter & Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997, experiment 5. Published, LSTM, T = 100:
482k sequences for n = 140 (139 of 2,560 wrong), 1.273M for n = 13 (14). Their output was a sigmoid; ours is linear.

A drawn sample at scale 40: its length, the positions and values of its markers, the marked values and the target.

>>> import kernels
>>> batch = TASKS[0].sample(kernels.Stream("a drawn sample"), batch=1, gap=40)
>>> value, marker = batch.x[: batch.lengths[0], 0].T
>>> len(marker), marker.nonzero()[0].tolist(), [int(mark) for mark in marker[marker != 0]]
(43, [0, 7, 16, 42], [-1, 1, 1, -1])
>>> value[marker == 1].tolist(), float(batch.target[0, 0])
([0.13296085596084595, 0.5441929697990417], 0.07235636562108994)
"""

import numpy as np

from study.tasks._draws import halves_for, units
from study.tasks._rule import Rule
from study.tasks._task import Task
from study.tasks.adding import DRAWN, build, longest


def task(fewer):
    return Task(
        name=f"multiplication/{fewer}",
        title=f"multiplication, fewer than {fewer} wrong",
        source="Hochreiter & Schmidhuber 1997, experiment 5",
        axis="scale",
        smallest_gap=40,
        lag=0.5,
        inputs=2,
        outputs=1,
        kind="number",
        loss="squared_error",
        chance={"score": 0.262, "loss": 0.0577},
        rule=Rule(within=0.04, wrong=fewer - 1),
        words=lambda scale: DRAWN + halves_for(longest(scale)),
        build=lambda words, scale: build(words, scale, units, 1, np.multiply),
    )


TASKS = (task(140), task(13))
