"""Two sequences (3a, 3b, 3c): the first three inputs say the class, and noise follows.

One input. The first 3 elements are +1 for class 1 and -1 for class 2; the others are Gaussian noise of mean 0 and variance .2.
The length is uniform in T..1.1 T (integer parts). The target is read at the last element: 1 for class 1, 0 for class 2.

- 3b: the first 3 elements have noise of mean 0 and variance .2 added.
- 3c: as 3a; the targets are .8 and .2, with noise of mean 0 and variance .1 added.

The axis is `gap`, which is T.

Pass rules, over the last 256 sequences, each answered before the net learned from it: 3a none off by .2 or more; 3b fewer than
6; 3c none off the target without its noise by .1 or more, and a mean error below .015. (The paper tests a fixed net on 256
sequences.)

Chance: half of the sequences right; a mean squared error of .25 (3a, 3b), .09 + .1 = .19 (3c).

Source: Hochreiter & Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997, experiment 3, after Bengio, Simard &
Frasconi 1994. Published, LSTM: 3a, T = 100, 27,380 sequences. Random weight guessing solves 3a faster than any training. Their
outputs were sigmoids; ours are linear.

A drawn sample of 3a at T = 10, where lengths are 10 or 11:

>>> import kernels
>>> batch = TASKS[0].sample(kernels.Stream("a drawn sample"), batch=1, gap=10)
>>> [round(float(x), 2) for x in batch.x[: batch.lengths[0], 0, 0]], float(batch.target[0, 0])
([1.0, 1.0, 1.0, -0.5, -0.58, 0.58, 0.24, 0.31, 0.23, -0.04, 0.3], 1.0)
"""

from dataclasses import replace

import numpy as np

from study.tasks._draws import below, between, normals
from study.tasks._rule import Rule
from study.tasks._task import Batch, Task

SAYING, NOISE, TARGET_NOISE = 3, 0.2, 0.1
DRAWN = 3  # words before the noise: class, length, noise of the target


def longest(gap):
    return 11 * gap // 10


def build(words, gap, noisy_start=False):
    sign = (2 * below(words[:, 0], 2) - 1).astype(np.float32)
    lengths = between(words[:, 1], gap, longest(gap))
    x = normals(words[:, DRAWN:], NOISE)
    x[:, :SAYING] = sign[:, None] + x[:, :SAYING] if noisy_start else sign[:, None]
    x[np.arange(longest(gap)) >= lengths[:, None]] = 0
    return Batch(np.ascontiguousarray(x.T)[:, :, None], lengths, lengths - 1, (sign[:, None] + np.float32(1)) * np.float32(0.5))


def build_3c(words, gap):
    batch = build(words, gap)
    clean = np.float32(0.2) + np.float32(0.6) * batch.target
    return replace(batch, target=clean + normals(words[:, 2:DRAWN], TARGET_NOISE), truth=clean)


def task(version, rule, build, loss=0.25):
    return Task(
        name=f"two_sequence/{version}",
        title=f"two sequences {version}",
        source="Hochreiter & Schmidhuber 1997, experiment 3",
        axis="gap",
        smallest_gap=10,
        lag=0.7,
        inputs=1,
        outputs=1,
        kind="number",
        loss="squared_error",
        chance={"score": 1 / 2, "loss": loss},
        rule=rule,
        words=lambda gap: DRAWN + longest(gap),
        build=build,
    )


TASKS = (
    task("3a", Rule(within=0.2, window=256), build),
    task("3b", Rule(within=0.2, window=256, wrong=5), lambda words, gap: build(words, gap, noisy_start=True)),
    task("3c", Rule(within=0.1, mean=0.015, window=256), build_3c, loss=0.09 + TARGET_NOISE),
)
