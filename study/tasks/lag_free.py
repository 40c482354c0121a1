"""Long lags without noise (2a): the last symbol is the first one, and all between them is the same in both sequences.

p + 1 symbols a1..a(p-1), x and y, one-hot. There are two sequences, equally likely: (x, a1, .., a(p-1), x) and
(y, a1, .., a(p-1), y). The next symbol is predicted at each step, so a net sees the first p symbols.

The axis is `gap`, which is p: the last symbol comes p steps after the first one.

Pass rule: 10,000 sequences in a row with the error of every output below .25 at every step.

Chance: the last symbol is right for half of the sequences; the others follow from the step, so the cross-entropy is ln 2 / p.

Source: Hochreiter & Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997, experiment 2a. Published, LSTM, p = 100:
5,040 sequences, 18 of 18 runs. Their outputs were sigmoids; ours are a softmax.

A drawn sample at p = 6, in which 5 is x and 6 is y, and its targets:

>>> import kernels
>>> batch = TASKS[0].sample(kernels.Stream("a drawn sample"), batch=1, gap=6)
>>> batch.x[:, 0].argmax(axis=1).tolist(), batch.target.tolist()
([6, 0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 6])
"""

from math import log

import numpy as np

from study.tasks._draws import below, one_hot
from study.tasks._rule import Rule
from study.tasks._task import Batch, Task


def symbols(gap):
    return (*(f"a{n}" for n in range(1, gap)), "x", "y")


def predicted(cue, between, gap):
    """(x, lengths, targets, mask) of sequences of a cue (B,), symbols (B, gap - 1) and the cue again, read step by step."""
    cue = gap - 1 + cue[:, None]
    whole = np.concatenate([cue, between, cue], axis=1)
    lengths = np.full(len(whole), gap)
    return one_hot(whole[:, :-1], lengths, gap + 1), lengths, whole[:, 1:].T, np.ones((gap, len(whole)), bool)


def build(words, gap):
    between = np.broadcast_to(np.arange(gap - 1), (len(words), gap - 1))
    return Batch.masked(*predicted(below(words[:, 0], 2), between, gap))


TASKS = (
    Task(
        name="lag_free",
        title="long lag without noise",
        source="Hochreiter & Schmidhuber 1997, experiment 2a",
        axis="gap",
        smallest_gap=4,
        lag=0.75,
        inputs=lambda gap: gap + 1,
        outputs=lambda gap: gap + 1,
        kind="class",
        loss="cross_entropy",
        chance={"score": 1 / 2, "loss": lambda gap: log(2) / gap},
        rule=Rule(within=0.25, window=10_000),
        words=lambda gap: 1,
        build=build,
        symbols=symbols,
        answers=symbols,
        writes=True,
        stop=("x", "y"),
    ),
)
