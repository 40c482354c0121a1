"""Flip-flop: write a bit, ignore others, and give back the last written one.

Five symbols: the instructions w (write), r (read) and i (ignore), and the bits 0 and 1, one-hot. A sequence is a row of
instructions, each followed by a bit. The bit after w and after i is drawn; the bit after r is the one after the last w. It is
asked for at each r. The first instruction is w, the last one r, and a sequence ends with that r. The others are drawn:

| | w | i | r |
|---|---|---|---|
| `flip_flop` | .1 | .8 | .1 |
| `flip_flop/sparse` | .01 | .98 | .01 |
| `flip_flop/dense` | .45 | .1 | .45 |

The axis is `length`: there are length / 2 instructions (integer part), so 512 is the published task, which learns from the
first version and is tested on all three; here a net is tested on the version that it learns.

Pass rule: every bit right by argmax in each of the last 2,000 sequences.

Chance: 1/2 for each bit, a cross-entropy of ln 2. All bits of a sequence are right with the mean of 2^-n, where n is the number
of written bits that are asked for at all.

Source: Liu et al., Exposing attention glitches with flip-flop language modeling, 2023.

A drawn sample at length 16, and its classes:

>>> import kernels
>>> batch = TASKS[2].sample(kernels.Stream("a drawn sample"), batch=1, gap=16)
>>> "".join(SYMBOLS[symbol] for symbol in batch.x[:, 0].argmax(axis=1)), batch.target.tolist()
('w0r0r0r0w0r0r0r', [0, 0, 0, 0, 0, 0])
"""

from math import log

import numpy as np

from study.tasks._draws import all_below, bits, bits_for, halves_for, one_hot
from study.tasks._rule import Rule
from study.tasks._task import Batch, Task

SYMBOLS = "wri01"
WRITE, READ, IGNORE, ZERO = 0, 1, 2, 3


def build(words, length, ignored):
    """`ignored`: per cent of i among the instructions that are drawn."""
    n, rows = length // 2, len(words)
    drawn = all_below(words[:, : halves_for(n)].copy(), n, 100)
    instruction = np.where(drawn < ignored, IGNORE, np.where(2 * drawn < 100 + ignored, WRITE, READ))
    instruction[:, 0], instruction[:, -1] = WRITE, READ
    bit = bits(words[:, halves_for(n) :].copy(), n).astype(np.int64)
    written = np.maximum.accumulate(np.where(instruction == WRITE, np.arange(n), 0), axis=1)
    bit = np.where(instruction == READ, np.take_along_axis(bit, written, axis=1), bit)
    symbols, target = np.zeros((2, rows, 2 * n), np.int64)
    symbols[:, ::2], symbols[:, 1::2] = instruction, ZERO + bit
    target[:, ::2] = bit
    symbols, target, lengths = symbols[:, :-1], target[:, :-1], np.full(rows, 2 * n - 1)
    return Batch.masked(one_hot(symbols, lengths, len(SYMBOLS)), lengths, target.T, (symbols == READ).T)


def all_right(length, ignored):
    """The chance that a constant is right at every r: `new` if the last written bit was not asked for yet, `old` if it was."""
    change, new, old = (100 - ignored) / 200, 1.0, 0.0
    for _ in range(length // 2 - 2):
        new, old = new * (1 - change) + old * change, new * change / 2 + old * (1 - change)
    return new / 2 + old


def task(version, ignored):
    name = "/".join(["flip_flop", *version])
    return Task(
        name=name,
        title=name.replace("_", "-").replace("/", ", "),
        source="Liu et al. 2023",
        axis="length",
        smallest_gap=4,
        lag=0.0,
        inputs=len(SYMBOLS),
        outputs=2,
        kind="class",
        loss="cross_entropy",
        chance={"score": lambda length: all_right(length, ignored), "loss": log(2)},
        rule=Rule(),
        words=lambda length: halves_for(length // 2) + bits_for(length // 2),
        build=lambda words, length: build(words, length, ignored),
        symbols=SYMBOLS,
        answers=SYMBOLS[ZERO:],
    )


TASKS = (task((), 80), task(("sparse",), 98), task(("dense",), 10))
