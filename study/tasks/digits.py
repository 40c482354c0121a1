"""Digits: handwritten digits, read pixel by pixel; after `gap` blank steps the class is read.

The data are the 1,797 images of 8 x 8 pixels of scikit-learn, in its order. The last 360 are the test part; training sequences are
drawn from the others with replacement. Input: the 64 pixels row by row, one a step, in sixteenths (0..1), then `gap` steps of 0.
The class (0..9) is read at the last step. `digits_permuted` reads the pixels in another order, drawn once and the same in all
sequences.

There is no pass rule: the result is the accuracy on the test part at the end of the budget.

Source: Alpaydin & Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998 (its test set);
pixel by pixel, and permuted, after Le, Jaitly & Hinton 2015.

A drawn sample with 2 blank steps after its 64 pixels:

>>> import kernels
>>> batch = TASKS[0].sample(kernels.Stream("a drawn sample"), batch=1, gap=2)
>>> for row in batch.x[:64, 0, 0].reshape(8, 8):
...     print("|" + "".join(" .:-=+*#%"[int(8 * pixel)] for pixel in row) + "|")
|  ++*-  |
|  #*:*: |
| :*: .= |
| =:  .= |
| =:  -: |
| --  +. |
|  *..*  |
|  -#%-  |
>>> int(batch.lengths[0]), int(batch.read[0]), int(batch.target[0])
(66, 65, 0)
"""

from functools import cache
from math import log

import numpy as np

import kernels
from study.tasks._draws import below, halves_for, order
from study.tasks._task import Batch, Task

PIXELS, CLASSES, TEST = 64, 10, 360


@cache
def images():
    """pixels (1797, 64) float32 in 0..1, classes (1797,)."""
    from sklearn.datasets import load_digits  # imported here because it takes a second

    digits = load_digits()
    return (digits.data / 16).astype(np.float32), digits.target.astype(np.int64)


@cache
def permutation():
    """(64,) the order of `digits_permuted`."""
    return order(kernels.Stream("digits_permuted").words(halves_for(PIXELS))[None], PIXELS)[0]


def batch_of(chosen, gap, permuted):
    """The chosen images (indices) as a Batch."""
    pixels, classes = images()
    x = np.zeros((PIXELS + gap, len(chosen), 1), np.float32)
    x[:PIXELS, :, 0] = pixels[chosen].T[permutation()] if permuted else pixels[chosen].T
    lengths = np.full(len(chosen), PIXELS + gap)
    return Batch(x, lengths, lengths - 1, classes[chosen])


def task(name, title, permuted):
    def build(words, gap):
        return batch_of(below(words[:, 0], len(images()[1]) - TEST), gap, permuted)

    def test(gap):
        return batch_of(np.arange(len(images()[1]) - TEST, len(images()[1])), gap, permuted)

    return Task(
        name=name,
        title=title,
        source="Alpaydin & Kaynak 1998 (UCI), as in scikit-learn",
        axis="gap",
        smallest_gap=0,
        lag=1.0,
        inputs=1,
        outputs=CLASSES,
        kind="class",
        loss="cross_entropy",
        chance={"score": 1 / CLASSES, "loss": log(CLASSES)},
        rule=None,
        words=lambda gap: 1,
        build=build,
        test=test,
    )


TASKS = (
    task("digits", "handwritten digits", permuted=False),
    task("digits_permuted", "handwritten digits, permuted", permuted=True),
)
