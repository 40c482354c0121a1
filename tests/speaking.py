"""A made-up task with a cue word and an effect word: "the cat <gap fillers> meows ." or "the dog <gap fillers> barks ."."""

import numpy as np

from study.tasks import Batch, Task
from study.tasks._draws import below, one_hot, quarters

FILLERS = ("softly", "here", "today", "and")
WORDS = ("the", "cat", "dog", *FILLERS, "meows", "barks", ".")
CAT, MEOWS, STOP = 1, 7, 9


def build(words, gap):
    kind = below(words[:, 0], 2)
    symbols = np.empty((len(words), gap + 4), np.int64)
    symbols[:, 0], symbols[:, 1], symbols[:, -2], symbols[:, -1] = 0, CAT + kind, MEOWS + kind, STOP
    symbols[:, 2:-2] = 3 + quarters(words[:, 1:].copy(), gap)
    lengths, targets = np.full(len(words), gap + 3), symbols[:, 1:].T
    judged = np.zeros(targets.shape, bool)
    judged[gap + 1] = True
    return Batch.masked(one_hot(symbols[:, :-1], lengths, len(WORDS)), lengths, targets, np.ones(targets.shape, bool), judged)


def contrasts(batch):
    answer = np.flatnonzero(batch.judged)
    return answer, 2 * MEOWS + 1 - batch.target[answer], np.zeros(len(answer), np.int64)


ANIMALS = Task(
    name="sounds/animal", title="the animal and its sound", source="made up", axis="gap", smallest_gap=1, lag=1.0, inputs=len(WORDS),
    outputs=len(WORDS), kind="class", loss="cross_entropy", chance={"score": 0.5, "loss": 1.0}, rule=None,
    words=lambda gap: 2 + gap // 8, build=build, symbols=WORDS, answers=WORDS, writes=True, stop=(".",), conditions=("all",),
    contrasts=contrasts)  # fmt: skip
