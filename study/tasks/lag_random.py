"""Long lags with a random string between (2b): the last symbol is the first one, and nothing else can be predicted.

As lag_free, but the symbols between the first and the last are drawn from a1..a(p-1), each alike. The next symbol is predicted at
each step.

The axis is `gap`, which is p: the last symbol comes p steps after the first one.

Pass rule: 10,000 sequences in a row with the error of every output below .25 at the last symbol.

Chance: the last symbol is right for half of the sequences; the cross-entropy is ((p - 1) ln(p - 1) + ln 2) / p.

Source: Hochreiter & Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997, experiment 2b. Published, LSTM, p = 100:
5,680 sequences, all runs. Their outputs were sigmoids; ours are a softmax.

A drawn sample at p = 6, in which 5 is x and 6 is y, and its targets:

>>> import kernels
>>> batch = TASKS[0].sample(kernels.Stream("a drawn sample"), batch=1, gap=6)
>>> batch.x[:, 0].argmax(axis=1).tolist(), batch.target.tolist()
([6, 3, 3, 2, 4, 3], [3, 3, 2, 4, 3, 6])
"""

from dataclasses import replace
from math import log

import numpy as np

from study.tasks import lag_free
from study.tasks._draws import all_below, below, halves_for
from study.tasks._task import Batch


def build(words, gap):
    between = all_below(words[:, 1:].copy(), gap - 1, gap - 1)
    x, lengths, targets, mask = lag_free.predicted(below(words[:, 0], 2), between, gap)
    judged = np.zeros_like(mask)
    judged[-1] = True
    return Batch.masked(x, lengths, targets, mask, judged)


TASKS = (
    replace(
        lag_free.TASKS[0],
        name="lag_random",
        title="long lag, random between",
        source="Hochreiter & Schmidhuber 1997, experiment 2b",
        chance={"score": 1 / 2, "loss": lambda gap: ((gap - 1) * log(gap - 1) + log(2)) / gap},
        words=lambda gap: 1 + halves_for(gap - 1),
        build=build,
    ),
)
