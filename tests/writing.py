"""A made-up task whose answers are the next symbols: B, a letter T or P, `gap` distractors x or y, the same letter, E."""

import re

import numpy as np

from study.tasks import Batch, Task
from study.tasks._draws import below, one_hot, quarters

SYMBOLS = "BTPxyE"


def build(words, gap):
    letter, length = 1 + below(words[:, 0], 2), gap + 4
    symbols = np.empty((len(words), length), np.int64)
    symbols[:, 0], symbols[:, -1] = 0, 5
    symbols[:, 1] = symbols[:, -2] = letter
    symbols[:, 2:-2] = 3 + (quarters(words[:, 1:].copy(), gap) & 1)
    lengths = np.full(len(words), length - 1)
    return Batch.masked(one_hot(symbols[:, :-1], lengths, 6), lengths, symbols[:, 1:].T, np.ones((length - 1, len(words)), bool))


PARROT = Task(
    name="parrot", title="parrot", source="made up", axis="gap", smallest_gap=1, lag=1.0, inputs=6, outputs=6, kind="class",
    loss="cross_entropy", chance={"score": 0.1, "loss": 1.0}, rule=None, words=lambda gap: 2 + gap // 8, build=build,
    symbols=SYMBOLS, answers=SYMBOLS, writes=True, stop=("TE", "PE"))  # fmt: skip


def right(text, gap):
    return re.fullmatch(rf"B([TP])[xy]{{{gap}}}\1E", text) is not None
