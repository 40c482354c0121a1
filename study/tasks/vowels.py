"""Japanese vowels: speech of nine men; after the utterance, and `gap` blank steps, it is asked who spoke.

The data are 640 utterances of the vowels a and e, one after the other, by nine speakers: 7 to 29 steps of 12 LPC cepstrum
coefficients, used as they are published, without standardisation (they lie between -1.9 and 2.3). The split is the published one: 270
utterances, 30 of each speaker, to learn from, drawn with replacement; 370 to test, 24 to 88 of each. Behind an utterance come
`gap` steps of 0, and the class (0..8) is read at the last step.

There is no pass rule: the result is the accuracy on the test part at the end of the budget. Chance: 1/9; on the test part a
constant answer reaches 88/370.

Source: Kudo, Toyama & Shimbo, Multidimensional curve classification using passing-through regions, Pattern Recognition Letters
20, 1999 (94 % with their method, 96 % with a hidden Markov model, quoted from memory); the files of the UEA archive, from the
package sktime.

A drawn sample, its first coefficient in tenths:

>>> import kernels
>>> batch = TASKS[0].sample(kernels.Stream("a drawn sample"), batch=1, gap=2)
>>> [int(10 * value) for value in batch.x[:, 0, 0]]
[11, 12, 11, 9, 9, 9, 8, 6, 6, 5, 5, 4, 3, 4, 3, 0, 0]
>>> int(batch.lengths[0]), int(batch.read[0]), int(batch.target[0])
(17, 16, 6)
"""

from functools import cache
from math import log

import numpy as np

from study.tasks import _data
from study.tasks._draws import below
from study.tasks._task import Batch, Task

DATA = "sktime/datasets/data/JapaneseVowels/"
COEFFICIENTS, SPEAKERS, LONGEST, LEARNED = 12, 9, 29, 270


@cache
def utterances():
    """x (29, 640, 12) float32, +0 past an utterance's length; lengths (640,); speakers (640,). The first 270 are to learn from."""
    test, train = (_utterances_of(content.decode()) for content in _data.read(DATA))
    rows = train + test
    x = np.zeros((LONGEST, len(rows), COEFFICIENTS), np.float32)
    for row, (values, _) in enumerate(rows):
        x[: values.shape[1], row] = values.T
    return x, np.array([values.shape[1] for values, _ in rows]), np.array([speaker for _, speaker in rows])


def _utterances_of(text):
    """[(values (12, steps), speaker)] of a .ts file: behind its head, a line an utterance, its coefficients, then the speaker, 1 to 9."""
    lines = text.partition("@data\n")[2].splitlines()
    rows = [line.split(":") for line in lines]
    return [(np.array([list(map(float, values.split(","))) for values in row]), int(speaker) - 1) for *row, speaker in rows]


def batch_of(chosen, gap):
    """The chosen utterances (indices) as a Batch."""
    x, lengths, speakers = utterances()
    steps = lengths[chosen].max()
    blank = np.zeros((gap, len(chosen), COEFFICIENTS), np.float32)
    lengths = lengths[chosen] + gap
    return Batch(np.concatenate([x[:steps].take(chosen, axis=1), blank]), lengths, lengths - 1, speakers[chosen])


TASKS = (
    Task(
        name="vowels",
        title="Japanese vowels",
        source="Kudo, Toyama & Shimbo 1999 (UEA archive), as in sktime",
        axis="gap",
        smallest_gap=0,
        lag=1.0,
        inputs=COEFFICIENTS,
        outputs=SPEAKERS,
        kind="class",
        loss="cross_entropy",
        chance={"score": 1 / SPEAKERS, "loss": log(SPEAKERS)},
        rule=None,
        words=lambda gap: 1,
        build=lambda words, gap: batch_of(below(words[:, 0], LEARNED), gap),
        test=lambda gap: batch_of(np.arange(LEARNED, len(utterances()[1])), gap),
        data=DATA,
    ),
)
