"""Long lags of unknown length (2c): after a number of distractors that is drawn, the symbol of the second step is due.

p + 4 symbols a1..ap, x, y, b and e, one-hot. A sequence is b, then x or y, then q + k distractors, each drawn from a1..ap, then e;
what is due after e is the x or y. It is read at e, from two outputs: the error is taken there only. k is drawn: it stops at 0, 1,
2, .. with probability 1/10 each time, so its mean is 9. (It stops at 210 at the latest, which has probability 2.5e-10.)

- `lag_long`: p = q.
- `lag_long/50`, `/100`, `/200`, `/500`: that p, with any q.

The axis is `gap`, which is q.

Pass rule: 10,000 sequences in a row with the error of both outputs below .2.

Chance: half of the sequences right, a cross-entropy of ln 2.

Source: Hochreiter & Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997, experiment 2c. Published, LSTM, sequences:
q = p = 50 30k, 100 31k, 200 33k, 500 38k, 1000 49k; q = 1000 with p = 500 49k, 200 75k, 100 135k, 50 203k. Their outputs were
sigmoids; ours are a softmax.

A drawn sample of `lag_long` at q = 4, in which 4 is x, 5 y, 6 b and 7 e:

>>> import kernels
>>> batch = TASKS[0].sample(kernels.Stream("a drawn sample"), batch=1, gap=4)
>>> batch.x[: batch.lengths[0], 0].argmax(axis=1).tolist(), int(batch.read[0]), int(batch.target[0])
([6, 5, 2, 3, 2, 3, 1, 3, 7], 8, 1)
"""

from math import log

import numpy as np

from study.tasks._draws import all_below, below, halves_for, one_hot
from study.tasks._rule import Rule
from study.tasks._task import Batch, Task

MOST = 210  # of k
DRAWN = 2  # words before the distractors: x or y, k
X, B, E = 0, 2, 3  # after a1..ap; y is X + 1


def chances():
    """2^64 times the probabilities that k is 1 or more, 2 or more, .., MOST or more, in ascending order."""
    most, chance = [], 2**64
    for _ in range(MOST):
        chance = chance * 9 // 10
        most.append(chance)
    return np.array(most[::-1], np.uint64)


CHANCES = chances()


def build(words, gap, size):
    rows, is_y = np.arange(len(words)), below(words[:, 0], 2)
    lengths = gap + 3 + MOST - np.searchsorted(CHANCES, words[:, 1], side="right")
    symbols = np.empty((len(words), lengths.max()), np.int64)
    symbols[:, 2:] = all_below(words[:, DRAWN:].copy(), symbols.shape[1] - 2, size)
    symbols[:, 0], symbols[:, 1], symbols[rows, lengths - 1] = size + B, size + X + is_y, size + E
    return Batch(one_hot(symbols, lengths, size + 4), lengths, lengths - 1, is_y)


def task(name, size):
    """`size`: gap -> p"""
    return Task(
        name=name,
        title=f"long lag of unknown length{name.removeprefix('lag_long').replace('/', ', p = ')}",
        source="Hochreiter & Schmidhuber 1997, experiment 2c",
        axis="gap",
        smallest_gap=1,
        lag=1.0,
        inputs=lambda gap: size(gap) + 4,
        outputs=2,
        kind="class",
        loss="cross_entropy",
        chance={"score": 1 / 2, "loss": log(2)},
        rule=Rule(within=0.2, window=10_000),
        words=lambda gap: DRAWN + halves_for(gap + MOST + 1),
        build=lambda words, gap: build(words, gap, size(gap)),
        symbols=lambda gap: (*(f"a{n + 1}" for n in range(size(gap))), *"xybe"),
        answers="xy",
    )


TASKS = (task("lag_long", lambda gap: gap), *(task(f"lag_long/{p}", lambda gap, p=p: p) for p in (50, 100, 200, 500)))
