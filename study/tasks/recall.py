"""Recall: a cue on one side of a query or on both, for the question of direction.

k = 4 cue symbols A-D, 4 distractors w-z and one query symbol ?, one-hot: 9 inputs. The class is read at the query.

- `recall/past`: one cue, `gap` steps before the query.
- `recall/future`: one cue, `gap` steps after it.
- `recall/both`: a cue on each side; the class is the pair, first * 4 + second (16 classes). A net that sees one side is
  right at most one time in 4.

All other symbols are distractors, drawn, and all three have the same shape: 0..9 distractors, drawn, then the first cue
position, the query `gap` steps on, the second cue position `gap` steps on, and 0..9 distractors more. So neither direction starts
or ends next to a cue. (The pair and not, say, its sum mod k: with an affine merge and read-out no net can learn that.)

Source: this project. Read one query at a time, so that "how far back" and "from which side" are one number each.

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
    classes = CUES * CUES if past and future else CUES
    return Task(
        name=f"recall/{side}",
        title=f"recall, {'cues on both sides' if past and future else f'cue in the {side}'}",
        source="this project",
        axis="gap",
        smallest_gap=1,
        lag=1.0,
        inputs=len(SYMBOLS),
        outputs=classes,
        kind="class",
        loss="cross_entropy",
        chance={"score": 1 / classes, "loss": log(classes)},
        rule=Rule(),
        words=lambda gap: DRAWN + bytes_for(longest(gap)),
        build=lambda words, gap: build(words, gap, past, future),
    )


TASKS = (
    task("past", past=True, future=False),
    task("future", past=False, future=True),
    task("both", past=True, future=True),
)
