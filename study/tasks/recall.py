"""Recall: the class is a cue before a query, after it, or both. It separates the directions of a net.

4 cue symbols A-D, 4 distractors w-z and one query symbol ?, one-hot: 9 inputs. The class is read at the query.

- `recall/past`: one cue, `gap` steps before the query.
- `recall/future`: one cue, `gap` steps after the query.
- `recall/both`: a cue on each side; the class is the pair, first * 4 + second (16 classes). A net that sees one side answers at
  most one in 4 right. The class is not the sum of both cues mod 4: with an affine merge and head no net can learn that.

All three have the same shape: 0..9 distractors, the position of the first cue, the query `gap` steps later, the position of the
second cue `gap` steps later, and 0..9 distractors. So neither direction starts or ends next to a cue. All symbols but cues and query
are distractors. Distractors and their numbers are drawn.

Source: this project. There is one query a sequence, so that distance and side of the cue are one number each.

A drawn sample of `recall/both` at gap 3; the cues are C (2) and D (3), so its class is 2 * 4 + 3.

>>> import kernels
>>> batch = TASKS[2].sample(kernels.Stream("a drawn sample"), batch=1, gap=3)
>>> "".join(SYMBOLS[symbol] for symbol in batch.x[: batch.lengths[0], 0].argmax(axis=1))
'xzyxxyzyCwy?xzDxywwwyxx'
>>> int(batch.lengths[0]), int(batch.read[0]), int(batch.target[0])
(23, 11, 11)
"""

from math import log

import numpy as np

from study.tasks._draws import below, bytes_for, one_hot, quarters
from study.tasks._rule import Rule
from study.tasks._task import Batch, Task

SYMBOLS = "ABCDwxyz?"
CUES, FIRST_DISTRACTOR, QUERY = 4, 4, 8
EDGE = 10  # further distractors on either side: 0..EDGE - 1
DRAWN = 4  # words before the distractors: first cue, second cue, lead, tail


def longest(gap):
    return 2 * gap + 1 + 2 * (EDGE - 1)


def build(words, gap, past, future):
    first, second = below(words[:, 0], CUES), below(words[:, 1], CUES)
    lead, tail = below(words[:, 2], EDGE), below(words[:, 3], EDGE)
    rows = np.arange(len(words))
    symbols = FIRST_DISTRACTOR + quarters(words[:, DRAWN:].copy(), longest(gap))
    symbols[rows, lead + gap] = QUERY
    if past:
        symbols[rows, lead] = first
    if future:
        symbols[rows, lead + 2 * gap] = second
    lengths = lead + 2 * gap + 1 + tail
    target = first * CUES + second if past and future else first if past else second
    return Batch(one_hot(symbols, lengths, len(SYMBOLS)), lengths, lead + gap, target)


def task(side, past, future):
    cues = SYMBOLS[:CUES]
    answers = tuple(a + b for a in cues for b in cues) if past and future else cues
    return Task(
        name=f"recall/{side}",
        title=f"recall, {'cues on both sides' if past and future else f'cue in the {side}'}",
        source="this project",
        axis="gap",
        smallest_gap=1,
        lag=1.0,
        inputs=len(SYMBOLS),
        outputs=len(answers),
        kind="class",
        loss="cross_entropy",
        chance={"score": 1 / len(answers), "loss": log(len(answers))},
        rule=Rule(),
        words=lambda gap: DRAWN + bytes_for(longest(gap)),
        build=lambda words, gap: build(words, gap, past, future),
        symbols=SYMBOLS,
        answers=answers,
    )


TASKS = (
    task("past", past=True, future=False),
    task("future", past=False, future=True),
    task("both", past=True, future=True),
)
