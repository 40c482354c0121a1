"""Continual embedded Reber strings: one string after another, and nothing says where one ends but the grammar.

A sequence is `length` symbols of embedded Reber strings (`_reber.py` has the grammar), one after another from the start of the
first one, without reset or mark between them; 7 symbols, one-hot. At each step the target is 1 for each symbol that may come
next, else 0. That it is 1 for both symbols that may come is our reading: with 1 for the one that does come, no output could be
within .49 where two may.

- `reber_continual`: streams, as in the paper. A net learns after each segment of 20 steps, from errors within it; its state
  goes on, and a stream ends with the first segment that has a wrong answer. (In the paper a segment is one step, and gradients
  are carried forward.)
- `reber_continual/reset`: a variant whose sequences are learned from as a whole and never stop early.

The axis is `length`. In the paper streams go on to 1e6 symbols (notes on the paper differ: some have 1e5 for streams, and 1e6
for a perfect solution), and there are at most 30,000 of them. 10 test streams are perfect if all are right to the end, good if
the mean is above 1,000 symbols before the first error, else bad: the record has 10 test streams of `length` symbols, how many
are right to the end, and how many symbols came before the first errors of all.

Pass rule: every output within .49 of its target at every step of 10 streams or sequences in a row, each answered before the net
learned from it, segment by segment.

Chance: no sequence is right by constants, one for each step; at most steps their mean squared error is .169.

Source: Gers, Schmidhuber & Cummins, Learning to forget: continual prediction with LSTM, Neural Computation 12(10), 2000.
Published, perfect: forget gates 18 %, with a learning rate that decays 62 %; the cell of 1997 without reset about 0.

A drawn sample at length 24: its symbols, and which may come after the last of them.

>>> import kernels
>>> batch = TASKS[0].sample(kernels.Stream("a drawn sample"), batch=1, gap=24)
>>> "".join(SYMBOLS[symbol] for symbol in batch.x[:, 0].argmax(axis=1))
'BPBTXSEPEBPBPTVVEPEBPBPT'
>>> [symbol for symbol, may in zip(SYMBOLS, batch.target[-1]) if may]
['T', 'V']
"""

from dataclasses import replace
from functools import cache

import numpy as np

from study.tasks._draws import bits_for, one_hot
from study.tasks._reber import LEGAL, NEXT, START, SYMBOLS, walk
from study.tasks._rule import Rule
from study.tasks._task import Batch, Task

SEGMENT = 20
SETTLED = 300  # steps after which every state has the same chance at each step, to five digits


def build(words, length):
    symbols, states = walk(words, length + 1)
    lengths, after = np.full(len(words), length), states[1:]
    batch = Batch.masked(one_hot(symbols[:-1].T, lengths, len(SYMBOLS)), lengths, after, np.ones(after.shape, bool))
    return replace(batch, target=LEGAL.astype(np.float32)[batch.target])


@cache
def chance_loss(length):
    """The mean over steps and outputs of p (1 - p), where p is the chance that a symbol may come."""
    chance, losses = {START: 1.0}, []
    for _ in range(min(length, SETTLED)):
        after = {}
        for state, p in chance.items():
            for following in NEXT[state]:
                after[int(following)] = after.get(int(following), 0.0) + p / 2
        chance = after
        may = [sum(p for state, p in chance.items() if LEGAL[state, n]) for n in range(len(SYMBOLS))]
        losses.append(sum(p * (1 - p) for p in may) / len(SYMBOLS))
    return (sum(losses) + (length - len(losses)) * losses[-1]) / length


TASKS = (
    Task(
        name="reber_continual",
        title="continual embedded Reber strings",
        source="Gers, Schmidhuber & Cummins 2000",
        axis="length",
        smallest_gap=9,
        lag=0.0,
        inputs=len(SYMBOLS),
        outputs=len(SYMBOLS),
        kind="number",
        loss="squared_error",
        chance={"score": 0.0, "loss": chance_loss},
        rule=Rule(within=0.49, window=10),
        words=lambda length: bits_for(length + 1),
        build=build,
        symbols=SYMBOLS,
        segment=SEGMENT,
    ),
)
TASKS += (replace(TASKS[0], name="reber_continual/reset", title="continual embedded Reber strings, reset", segment=None),)
