"""Words of a group: elements come one after another, and the product of all so far is the class at every step.

- `a5`: the alternating group A5, the even permutations of five things. It is the smallest group that is not solvable.
- `z60`: the numbers 0..59, added modulo 60.
- `a4z5`: A4 x Z5, the pairs of an even permutation of four things and a number modulo 5.

All three have 60 elements; the last two are solvable, and that contrast is the point: what constant depth can do with a
solvable group it is believed not to do with A5. An element is a symbol, one-hot, drawn, each alike; the class is one of 60.
Permutations are in lexicographic order, and pairs too; the product of permutations first does the later element: (a b)(i) =
a(b(i)).

The axis is `length`: all sequences have it. Tests at 2, 4 and 8 times the length tell whether what is learned holds beyond it.

Pass rule: every product right by argmax in each of the last 2,000 sequences.

Chance: 1/60 for each product, so 60^-length for a sequence, a cross-entropy of ln 60.

Source: Liu et al., Transformers learn shortcuts to automata, 2023; Merrill, Petty & Sabharwal, The illusion of state in
state-space models, 2024.

A drawn sample of `z60`, and its classes:

>>> import kernels
>>> batch = TASKS[1].sample(kernels.Stream("a drawn sample"), batch=1, gap=5)
>>> batch.x[:, 0].argmax(axis=1).tolist(), batch.target.tolist()
([6, 40, 38, 45, 31], [6, 46, 24, 9, 40])
"""

from functools import cache
from itertools import product
from math import log

import numpy as np

from study.tasks._draws import all_below, halves_for, one_hot
from study.tasks._rule import Rule
from study.tasks._task import Batch, Task

ORDER = 60


def even_permutations(n):
    permutations = [p for p in product(range(n), repeat=n) if len(set(p)) == n]
    return [p for p in permutations if len([0 for j in range(n) for i in range(j) if p[i] > p[j]]) % 2 == 0]


def after(a, b):
    """The permutation that does b, then a."""
    return tuple(a[i] for i in b)


GROUPS = {  # name: (title, elements, product)
    "a5": ("A5", even_permutations(5), after),
    "z60": ("Z60", range(ORDER), lambda a, b: (a + b) % ORDER),
    "a4z5": (
        "A4 x Z5",
        list(product(even_permutations(4), range(5))),
        lambda a, b: (after(a[0], b[0]), (a[1] + b[1]) % 5),
    ),
}


@cache
def table(name):
    """(60, 60) the index of the product of each two elements."""
    _, elements, times = GROUPS[name]
    index = {element: n for n, element in enumerate(elements)}
    return np.array([[index[times(a, b)] for b in elements] for a in elements])


def build(words, length, name):
    symbols = all_below(words, length, ORDER)
    products = symbols.T.copy()
    for t in range(1, length):
        products[t] = table(name)[products[t - 1], products[t]]
    lengths = np.full(len(words), length)
    return Batch.masked(one_hot(symbols, lengths, ORDER), lengths, products, np.ones(products.shape, bool))


def task(name, title):
    names = tuple(str(element).replace(" ", "") for element in GROUPS[name][1])
    return Task(
        name=name,
        title=f"words of {title}",
        source="Liu et al. 2023; Merrill, Petty & Sabharwal 2024",
        axis="length",
        smallest_gap=1,
        lag=0.0,
        inputs=ORDER,
        outputs=ORDER,
        kind="class",
        loss="cross_entropy",
        chance={"score": lambda length: float(ORDER) ** -length, "loss": log(ORDER)},
        rule=Rule(),
        words=halves_for,
        build=lambda words, length: build(words, length, name),
        symbols=names,
        answers=names,
    )


TASKS = tuple(task(name, title) for name, (title, _, _) in GROUPS.items())
