"""Timing: measure the time between spikes, make spikes, and make periodic functions.

An interval between spikes has F + I steps, where I is 0 or 1, drawn; the first one ends F + I steps after the start.

- `timing/nmsd`: one interval. The input is 1 at the spike, else 0; the target at the spike is I.
- `timing/msd` (measuring spike delays): ten intervals, and so at each spike.
- `timing/gts` (generating timed spikes): the two change places. The input is I, in all steps of its interval; the target is 1
  at a spike, else 0, at every step.
- `timing/pfg_cos`, `/pfg_triangle`, `/pfg_rectangle` (generating a periodic function): ten periods of F steps. The input is
  always 0. The target at step t, from 0 on, is (1 - cos(2 pi t / F)) / 2; the triangle from 0 to 1 and back; 1 in the second
  half of the period, else 0.

The axis is `gap`, which is F.

Pass rule: every output within .49 (pfg: .3) of its target, for 1,000 spikes or periods in a row: 1,000 sequences of nmsd, 100
of the others.

Published are streams of up to 100 spikes or periods in training and 1,000 in tests, from a state of zero, that stop at the
first error. Here all sequences have ten and none stops early. Where the paper puts I in gts is from memory.

Chance: nmsd and msd 1/2 for each interval, a mean squared error of .25. gts and pfg: no sequence right; the mean squared error
of constants is 7.07 / (10 F + 5) (gts: one for each step), 1/8 (cosine), about 1/12 (triangle), 1/4 (rectangle).

Source: Gers, Schraudolph & Schmidhuber, Learning precise timing with LSTM recurrent networks, JMLR 3, 2002. Claim: peepholes
are needed for gts and most of pfg, not for msd. It was found with errors that flow back through the memory only.

A drawn sample of `timing/msd` at F = 10: the steps of its spikes, and its targets.

>>> import kernels
>>> batch = TASKS[1].sample(kernels.Stream("a drawn sample"), batch=1, gap=10)
>>> batch.x[:, 0, 0].nonzero()[0].tolist(), batch.target[:, 0].tolist()
([9, 20, 30, 40, 51, 62, 73, 83, 94, 104], [0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0])
"""

import numpy as np

from study.tasks._draws import bits
from study.tasks._rule import Rule
from study.tasks._task import Batch, Task

SPIKES = 10  # and periods, of a sequence
PI = 3.141592653589793
GTS = 7.0749  # the sum over steps of p (1 - p), where p is the chance of a spike there in a sequence that is not over


def intervals(words, gap, spikes):
    """(steps of the spikes (B, spikes), I (B, spikes))."""
    late = bits(words.copy(), spikes).astype(np.int64)
    return np.cumsum(gap + late, axis=1) - 1, late


def measure(words, gap, spikes):
    at, late = intervals(words, gap, spikes)
    rows, lengths = np.arange(len(words))[:, None], at[:, -1] + 1
    x = np.zeros((lengths.max(), len(words), 1), np.float32)
    x[at, rows] = 1
    targets = np.zeros_like(x)
    targets[at, rows, 0] = late
    return Batch.masked(x, lengths, targets, x[:, :, 0] > 0)


def generate(words, gap):
    at, late = intervals(words, gap, SPIKES)
    rows, lengths = np.arange(len(words)), at[:, -1] + 1
    spikes = np.zeros((lengths.max(), len(words)), np.int64)
    spikes[at, rows[:, None]] = 1
    interval = np.minimum(np.cumsum(spikes, axis=0) - spikes, SPIKES - 1)
    mask = np.arange(len(spikes))[:, None] < lengths
    x = (late[rows, interval] * mask).astype(np.float32)[:, :, None]
    return Batch.masked(x, lengths, spikes.astype(np.float32)[:, :, None], mask)


def cosine(t, period):
    """cos(2 pi t / period) by its series, each operation rounded once."""
    t = min(t % period, period - t % period)
    if 4 * t > period:
        return -cosine(period - 2 * t, 2 * period)
    x, term, total = 2 * PI * t / period, 1.0, 1.0
    for n in range(1, 12):
        term = -term * x * x / ((2 * n - 1) * 2 * n)
        total += term
    return total


def triangle(t, period):
    return 2 * min(t, period - t) / period


def rectangle(t, period):
    return float(2 * t >= period)


WAVES = {"cos": lambda t, period: (1 - cosine(t, period)) / 2, "triangle": triangle, "rectangle": rectangle}


def wave(shape, period):
    """One period of it, float32 numbers as floats."""
    return [float(np.float32(WAVES[shape](t, period))) for t in range(period)]


def repeat(rows, period, shape):
    lengths = np.full(rows, SPIKES * period)
    x = np.zeros((SPIKES * period, rows, 1), np.float32)
    one = np.array(wave(shape, period) * SPIKES, np.float32)
    return Batch.masked(x, lengths, np.broadcast_to(one[:, None, None], x.shape), x[:, :, 0] == 0)


def variance(shape, period):
    values = wave(shape, period)
    return sum(value * value for value in values) / period - (sum(values) / period) ** 2


def task(version, title, chance, **fields):
    return Task(
        name=f"timing/{version}",
        title=title,
        source="Gers, Schraudolph & Schmidhuber 2002",
        axis="gap",
        smallest_gap=10,
        inputs=1,
        outputs=1,
        kind="number",
        loss="squared_error",
        chance=chance,
        **fields,
    )


def measuring(version, spikes):
    return task(
        version,
        "time of a spike" if spikes == 1 else "times between spikes",
        {"score": 0.5**spikes, "loss": 0.25},
        lag=1.0,
        rule=Rule(within=0.49, window=1000 // spikes),
        words=lambda gap: 1,
        build=lambda words, gap: measure(words, gap, spikes),
    )


def generating(shape):
    return task(
        f"pfg_{shape}",
        f"periodic function, {shape}",
        {"score": 0.0, "loss": lambda gap: variance(shape, gap)},
        lag=0.0,
        rule=Rule(within=0.3, window=100),
        words=lambda gap: 0,
        build=lambda words, gap: repeat(len(words), gap, shape),
    )


TASKS = (
    measuring("nmsd", 1),
    measuring("msd", SPIKES),
    task(
        "gts",
        "timed spikes",
        {"score": 0.0, "loss": lambda gap: GTS / (SPIKES * gap + SPIKES / 2)},
        lag=0.0,
        rule=Rule(within=0.49, window=100),
        words=lambda gap: 1,
        build=generate,
    ),
    *map(generating, WAVES),
)
