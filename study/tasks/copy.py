"""Copy: ten symbols, a long blank, and then the ten symbols again.

Eight data symbols A-H, a blank (.) and a delimiter (!), one-hot. A sequence has 10 data symbols, drawn, then T - 1 blanks, the
delimiter, and 10 blanks: T + 20 steps. The output at each step is one of the data symbols or the blank: the blank for T + 10 steps,
then the ten data symbols in their order. The loss is the cross-entropy over all steps.

The axis is `gap`, which is T: each symbol is due T + 10 steps after it came.

Pass rule: all ten symbols recalled by argmax in each of the last 2,000 sequences.

Chance: blanks, then any of the 8 symbols: a mean cross-entropy of 10 ln 8 / (T + 20), and 8^-10 of the sequences right.

Source: Hochreiter & Schmidhuber 1997 have the idea; this is the version of Arjovsky, Shah & Bengio, Unitary evolution recurrent
neural networks, 2016.

A drawn sample at T = 5, and its targets:

>>> import kernels
>>> batch = TASKS[0].sample(kernels.Stream("a drawn sample"), batch=1, gap=5)
>>> "".join(SYMBOLS[symbol] for symbol in batch.x[:, 0].argmax(axis=1))
'GDGDAHHGFF....!..........'
>>> "".join(SYMBOLS[symbol] for symbol in batch.target)
'...............GDGDAHHGFF'
"""

from math import log

import numpy as np

from study.tasks._draws import bytes_for, one_hot
from study.tasks._rule import Rule
from study.tasks._task import Batch, Task

SYMBOLS = "ABCDEFGH.!"
DATA, BLANK, DELIMITER, RECALLED = 8, 8, 9, 10


def build(words, gap):
    steps, rows = gap + 2 * RECALLED, len(words)
    data = words.view(np.uint8)[:, :RECALLED] & np.uint8(DATA - 1)
    symbols, target = np.full((2, rows, steps), BLANK, np.uint8)
    symbols[:, :RECALLED] = target[:, -RECALLED:] = data
    symbols[:, -RECALLED - 1] = DELIMITER
    lengths, judged = np.full(rows, steps), np.zeros((steps, rows), bool)
    judged[-RECALLED:] = True
    return Batch.masked(one_hot(symbols, lengths, len(SYMBOLS)), lengths, target.T.astype(np.int64), np.ones_like(judged), judged)


TASKS = (
    Task(
        name="copy",
        title="copy",
        source="Arjovsky, Shah & Bengio 2016",
        axis="gap",
        smallest_gap=1,
        lag=1.0,
        inputs=len(SYMBOLS),
        outputs=DATA + 1,
        kind="class",
        loss="cross_entropy",
        chance={"score": 2.0**-30, "loss": lambda gap: RECALLED * log(DATA) / (gap + 2 * RECALLED)},
        rule=Rule(),
        words=lambda gap: bytes_for(RECALLED),
        build=build,
        symbols=SYMBOLS,
        answers=SYMBOLS[: DATA + 1],
    ),
)
