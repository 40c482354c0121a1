"""The embedded Reber grammar (1): predict the next symbol at each step, and come back to the second one at the end.

A string is B, then T or P, then an inner string B .. E of the grammar, then the same T or P, then E; `_reber.py` has the
automaton. 7 symbols, one-hot. A net sees a string without its last symbol, and predicts at each step the next one. Its lag is
short, 5 steps or more from T or P to where the same is due, but all the symbols between look alike for both.

There are 256 random strings to learn from, drawn with repetition, and 256 others to test, none of which is among the first:
both from one stream of random strings, the same in all trials. The task has no gap: the knob `gap` is 0.

Pass rule: at each step of the last 256 strings, the symbols that may come have the largest outputs. The paper asks for this on
all training and test strings; the test part is in the record, and so says whether it holds there.

Chance: no string is right by constants, one for each step; their cross-entropy is 1.22.

Source: Hochreiter & Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997, experiment 1, after Cleeremans,
Servan-Schreiber & McClelland 1989 and Fahlman 1991. Published, LSTM: 8,440 sequences with 3 blocks of 2 cells, all runs. Their
outputs were sigmoids; ours are a softmax.

A drawn sample, and its targets:

>>> import kernels
>>> batch = TASKS[0].sample(kernels.Stream("a drawn sample"), batch=1, gap=0)
>>> "".join(SYMBOLS[symbol] for symbol in batch.x[: batch.lengths[0], 0].argmax(axis=1))
'BPBTSXXTVPSEP'
>>> "".join(SYMBOLS[symbol] for symbol in batch.target)
'PBTSXXTVPSEPE'
"""

from dataclasses import replace
from functools import cache

import numpy as np

import kernels
from study.tasks._draws import below, one_hot
from study.tasks._reber import END, LEGAL, SYMBOLS, walk
from study.tasks._rule import Rule
from study.tasks._task import Batch, Task

STRINGS = 256  # of either part
CANDIDATES, LONGEST = 2048, 64  # strings that the parts are taken from, and more symbols than any of them has


@cache
def strings():
    """symbols (512, LONGEST) uint8, the states before them, and lengths (512,)."""
    symbols, states = (array.T for array in walk(kernels.Stream("reber").words(CANDIDATES)[:, None], LONGEST))
    ends = states == END
    lengths = ends.argmax(axis=1) + 1
    texts = [row[:length].tobytes() for row, length in zip(symbols, lengths)]
    learned = set(texts[:STRINGS])
    others = [row for row, text in enumerate(texts) if text not in learned]
    chosen = np.array([*range(STRINGS), *others[:STRINGS]])
    return symbols[chosen], states[chosen], lengths[chosen]


def batch_of(chosen):
    symbols, states, lengths = (array[chosen] for array in strings())
    steps, lengths = lengths.max() - 1, lengths - 1
    mask, after = np.arange(steps) < lengths[:, None], slice(1, steps + 1)
    x = one_hot(symbols[:, :steps], lengths, len(SYMBOLS))
    batch = Batch.masked(x, lengths, symbols[:, after].T, mask.T, truth=states[:, after].T)
    return replace(batch, target=batch.target.astype(np.int64), truth=LEGAL[batch.truth])


def test(gap):
    batch = batch_of(np.arange(STRINGS, 2 * STRINGS))
    return batch.part(0, STRINGS)


TASKS = (
    Task(
        name="reber",
        title="embedded Reber grammar",
        source="Hochreiter & Schmidhuber 1997, experiment 1",
        axis="gap",
        smallest_gap=0,
        largest_gap=0,
        lag=0.0,
        inputs=len(SYMBOLS),
        outputs=len(SYMBOLS),
        kind="class",
        loss="cross_entropy",
        chance={"score": 0.0, "loss": 1.22},
        rule=Rule(window=STRINGS),
        words=lambda gap: 1,
        build=lambda words, gap: batch_of(below(words[:, 0], STRINGS)),
        test=test,
        symbols=SYMBOLS,
        answers=SYMBOLS,
        writes=True,
        stop=("TE", "PE"),
    ),
)
