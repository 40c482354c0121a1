"""Characters: an excerpt of a novel, of which each next character is predicted.

The text is Jane Austen's Lady Susan (written about 1794, in the public domain), without the head and the foot of Project
Gutenberg; each run of spaces and line ends is one space. It has 66 different characters, one-hot. The first nine tenths are to
learn from: an excerpt begins anywhere in them, has `length` characters, and a net predicts at each of them the next one. The
last tenth, cut into excerpts of `length` characters, is the test part. A net begins each excerpt without a memory of what was
before, so its first characters cost more; longer excerpts have fewer of them.

There is no pass rule: the result is the loss on the test part at the end of the budget. Divided by ln 2 it is in bits per
character. Chance: no excerpt is right as a whole; constant probabilities of the characters cost 3.05 nats, 4.40 bits.

Source: the training on excerpts as in Karpathy, Johnson & Fei-Fei, Visualizing and Understanding Recurrent Networks, 2015; the
text from the package music21.

A drawn sample:

>>> import kernels
>>> batch = TASKS[0].sample(kernels.Stream("a drawn sample"), batch=1, gap=40)
>>> "".join(ALPHABET[symbol] for symbol in batch.x[:, 0].argmax(axis=1))
'obligation to anyone who is the means of'
>>> ALPHABET[batch.target[-1]]
' '
"""

from functools import cache

import numpy as np

from study.tasks import _data
from study.tasks._draws import below, one_hot
from study.tasks._symbols import numbers
from study.tasks._task import Batch, Task

DATA = "music21/languageExcerpts/trainingData/en.txt"
ALPHABET = ' !"&\'()*,-.01:;?ABCDEFGHIJKLMNOPRSTUVWXYabcdefghijklmnopqrstuvwxyz'
BEGINS, ENDS = "LADY SUSAN", "End of The Project Gutenberg"


@cache
def text():
    """(characters to learn from, characters to test), uint8 numbers of ALPHABET."""
    (content,) = _data.read(DATA)
    novel = content.decode("ascii")
    novel = " ".join(novel[novel.index(BEGINS) : novel.index(ENDS)].split())
    symbols = np.array(numbers(ALPHABET, novel), np.uint8)
    border = len(symbols) * 9 // 10
    return symbols[:border], symbols[border:]


def batch_of(symbols, starts, length):
    """The excerpts of `symbols` that begin at `starts`, as a Batch."""
    drawn = symbols[starts[:, None] + np.arange(length + 1)]
    lengths = np.full(len(starts), length)
    x = one_hot(drawn[:, :-1], lengths, len(ALPHABET))
    return Batch.masked(x, lengths, drawn[:, 1:].T.astype(np.int64), np.ones((length, len(starts)), bool))


def build(words, length):
    symbols, _ = text()
    return batch_of(symbols, below(words[:, 0], len(symbols) - length), length)


def test(length):
    _, symbols = text()
    starts = np.arange(0, len(symbols) - length, length)
    return batch_of(symbols, starts, length).part(0, len(starts))


TASKS = (
    Task(
        name="characters",
        title="characters of a novel",
        source="Jane Austen, Lady Susan, as in music21",
        axis="length",
        smallest_gap=2,
        largest_gap=1000,
        lag=0.0,
        inputs=len(ALPHABET),
        outputs=len(ALPHABET),
        kind="class",
        loss="cross_entropy",
        chance={"score": 0.0, "loss": 3.05},
        rule=None,
        words=lambda length: 1,
        build=build,
        test=test,
        symbols=ALPHABET,
        answers=ALPHABET,
        writes=True,
        data=DATA,
    ),
)
