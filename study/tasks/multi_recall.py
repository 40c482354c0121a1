"""Recall of many: k keys with a value each, a gap, and then the keys again, each of which asks for its value.

32 keys, 16 values and 4 distractors, one-hot: 52 inputs. A sequence is k pairs of a key and its value, `gap` distractors, and
the k keys in another order; the class at each of these is the key's value. Keys are drawn without repetition, values,
distractors and the second order are drawn. k is in the name: `multi_recall/4`, `/8`, `/16`.

The axis is `gap`: every value came more than gap steps before it is asked for.

Pass rule: every value right by argmax in each of the last 2,000 sequences.

Chance: 1/16 for each value, so 16^-k for a sequence, a cross-entropy of ln 16.

Source: Arora et al., Zoology: Measuring and improving recall in efficient language models, 2023 (MQAR). They have 8,192 symbols
and spread the queries among random ones; here the gap is one number and all keys are asked for once.

A drawn sample of `multi_recall/4` at gap 3: keys are 0..31, values 32..47, distractors 48..51.

>>> import kernels
>>> batch = TASKS[0].sample(kernels.Stream("a drawn sample"), batch=1, gap=3)
>>> batch.x[:, 0].argmax(axis=1).tolist(), batch.target.tolist()
([31, 44, 15, 42, 0, 43, 13, 39, 48, 51, 49, 13, 0, 15, 31], [7, 11, 10, 12])
"""

from math import log

import numpy as np

from study.tasks._draws import bytes_for, halves_for, one_hot, order, quarters
from study.tasks._rule import Rule
from study.tasks._task import Batch, Task

KEYS, VALUES, DISTRACTORS = 32, 16, 4
SYMBOLS = tuple(f"{kind}{n}" for kind, count in (("key", KEYS), ("value", VALUES), ("other", DISTRACTORS)) for n in range(count))


def build(words, gap, pairs):
    of_keys, of_order, of_values = np.split(words, np.array([KEYS // 2, (KEYS + pairs) // 2]), axis=1)
    keys, again = order(of_keys, KEYS)[:, :pairs], order(of_order, pairs)
    value = of_values.copy().view(np.uint8)[:, :pairs] & np.uint8(VALUES - 1)
    symbols = np.empty((len(words), 3 * pairs + gap), np.int64)
    symbols[:, : 2 * pairs : 2], symbols[:, 1 : 2 * pairs : 2] = keys, KEYS + value
    symbols[:, 2 * pairs : -pairs] = KEYS + VALUES + quarters(of_values[:, bytes_for(pairs) :].copy(), gap)
    symbols[:, -pairs:] = np.take_along_axis(keys, again, axis=1)
    target, mask = np.zeros_like(symbols), np.zeros(symbols.shape, bool)
    target[:, -pairs:], mask[:, -pairs:] = np.take_along_axis(value, again, axis=1), True
    lengths = np.full(len(words), symbols.shape[1])
    return Batch.masked(one_hot(symbols, lengths, KEYS + VALUES + DISTRACTORS), lengths, target.T, mask.T)


def task(pairs):
    return Task(
        name=f"multi_recall/{pairs}",
        title=f"recall of {pairs} pairs",
        source="Arora et al. 2023",
        axis="gap",
        smallest_gap=1,
        lag=1.0,
        inputs=KEYS + VALUES + DISTRACTORS,
        outputs=VALUES,
        kind="class",
        loss="cross_entropy",
        chance={"score": float(VALUES) ** -pairs, "loss": log(VALUES)},
        rule=Rule(),
        words=lambda gap: halves_for(KEYS + pairs) + bytes_for(pairs) + bytes_for(gap),
        build=lambda words, gap: build(words, gap, pairs),
        symbols=SYMBOLS,
        answers=SYMBOLS[KEYS : KEYS + VALUES],
    )


TASKS = tuple(map(task, (4, 8, 16)))
