"""Temporal order (6a, 6b): the class is the order in which two or three symbols came.

8 symbols E, B, a, b, c, d, X, Y, one-hot. A sequence starts with E and ends with the trigger B. At positions t1 and t2 (6b: and t3),
counted from 1, stands X or Y, drawn; elsewhere one of a-d, drawn. The class is read at the end, with X = 0 and Y = 1: XX 0, XY 1,
YX 2, YY 3 (6b: XXX 0 .. YYY 7).

| | length | t1 | t2 | t3 |
|---|---|---|---|---|
| 6a | 100..110 | 10..20 | 50..60 | |
| 6b | 100..110 | 10..20 | 33..43 | 66..76 |

Lengths and positions are uniform, both ends included. The axis is `scale`: every window is multiplied by scale / 100 (integer
parts), so that 100 is the published task. The smallest lag from the last X or Y to the answer is 0.4 (6a) or 0.24 (6b) times scale.

Pass rule: every output within .3 of its target for the last 2,000 sequences, and their mean error below .1.

Source: Hochreiter & Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997, experiments 6a and 6b. Published,
LSTM: 6a 31,390 sequences (1 of 2,560 wrong), 6b 571,100 (2). Their outputs were sigmoids; ours are a softmax.

A drawn sample of 6a at scale 20; its class is YY: 1 * 2 + 1.

>>> import kernels
>>> batch = TASKS[0].sample(kernels.Stream("a drawn sample"), batch=1, gap=20)
>>> "".join(SYMBOLS[symbol] for symbol in batch.x[: batch.lengths[0], 0].argmax(axis=1))
'EacYbddbcaaYcbbcaadacB'
>>> int(batch.lengths[0]), int(batch.read[0]), int(batch.target[0])
(22, 21, 3)
"""

from itertools import product
from math import log

import numpy as np

from study.tasks._draws import below, between, bytes_for, one_hot, quarters
from study.tasks._rule import Rule
from study.tasks._task import Batch, Task

SYMBOLS = "EBabcdXY"
START, TRIGGER, FIRST_DISTRACTOR, X = 0, 1, 2, 6
LENGTH = (100, 110)


def scaled(window, scale):
    return tuple(end * scale // 100 for end in window)


def build(words, scale, windows):
    rows = np.arange(len(words))
    lengths = between(words[:, 0], *scaled(LENGTH, scale))
    first_byte = 1 + 2 * len(windows)
    symbols = FIRST_DISTRACTOR + quarters(words[:, first_byte:].copy(), scaled(LENGTH, scale)[1])
    symbols[:, 0] = START
    symbols[rows, lengths - 1] = TRIGGER
    target = np.zeros(len(words), np.int64)
    for n, window in enumerate(windows):
        position = between(words[:, 1 + 2 * n], *scaled(window, scale))
        is_y = below(words[:, 2 + 2 * n], 2)
        symbols[rows, position - 1] = X + is_y
        target = 2 * target + is_y
    return Batch(one_hot(symbols, lengths, len(SYMBOLS)), lengths, lengths - 1, target)


def task(version, lag, *windows):
    answers = tuple(map("".join, product(SYMBOLS[X:], repeat=len(windows))))
    return Task(
        name=f"temporal_order/{version}",
        title=f"temporal order {version}",
        source="Hochreiter & Schmidhuber 1997, experiment 6",
        axis="scale",
        smallest_gap=20,
        lag=lag,
        inputs=len(SYMBOLS),
        outputs=len(answers),
        kind="class",
        loss="cross_entropy",
        chance={"score": 1 / len(answers), "loss": log(len(answers))},
        rule=Rule(within=0.3, mean=0.1),
        words=lambda scale: 1 + 2 * len(windows) + bytes_for(scaled(LENGTH, scale)[1]),
        build=lambda words, scale: build(words, scale, windows),
        symbols=SYMBOLS,
        answers=answers,
    )


TASKS = (
    task("6a", 0.4, (10, 20), (50, 60)),
    task("6b", 0.24, (10, 20), (33, 43), (66, 76)),
)
