"""A perfect program for each synthetic task: from the inputs of one sequence, step by step, to its answers."""

import numpy as np

from study.tasks import group_words, lag_long


def symbols_of(x):
    return x.argmax(axis=1)


def marked(x):
    return x[x[:, 1] == 1, 0]


def adding(x):
    return [0.5 + marked(x).sum(dtype=float) / 4]


def adding_uniform(x):
    return [marked(x).sum(dtype=float)]


def multiplication(x):
    return [marked(x).prod(dtype=float)]


def copy(x):
    symbols = symbols_of(x)
    return [8] * (len(x) - 10) + symbols[:10].tolist()


def temporal_order(x):
    symbols = symbols_of(x)
    bits = symbols[symbols >= 6] - 6
    return [int("".join(map(str, bits)), 2)]


def recall(x):
    cues = [symbol for symbol in symbols_of(x) if symbol < 4]
    return [cues[0] if len(cues) == 1 else cues[0] * 4 + cues[1]]


def latch(x):
    return [0.8 if x[0, 0] > 0 else -0.8]


def lag_free(x):
    first, *others = symbols_of(x)
    return [*range(len(others)), first]


def lag_random(x):
    first, *others = symbols_of(x)
    return [*others, first]


def lag_long_(x):
    return [int(symbols_of(x)[1] - (x.shape[1] - 4) == lag_long.X + 1)]


def two_sequence(x):
    return [1.0 if x[:3].sum() > 0 else 0.0]


def two_sequence_3c(x):
    return [0.8 if x[0, 0] > 0 else 0.2]


def parity(x):
    odd, answers = 0, []
    for symbol in symbols_of(x):
        odd ^= int(symbol)
        answers.append(odd)
    return answers


def word(name):
    _, elements, times = group_words.GROUPS[name]
    elements = list(elements)

    def program(x):
        first, *others = (elements[symbol] for symbol in symbols_of(x))
        products = [first]
        for element in others:
            products.append(times(products[-1], element))
        return [elements.index(element) for element in products]

    return program


def flip_flop(x):
    written, answers, instruction = None, [], None
    for symbol in symbols_of(x):
        if symbol >= 3 and instruction == 0:
            written = symbol - 3
        if symbol == 1:
            answers.append(written)
        instruction = symbol
    return answers


def multi_recall(x):
    value, answers, key = {}, [], None
    for symbol in symbols_of(x):
        if symbol < 32 and symbol in value:
            answers.append(value[symbol])
        elif 32 <= symbol < 48:
            value[key] = symbol - 32
        key = symbol
    return answers


ORACLES = {  # a task, or the first part of its name: the program
    "adding/hs97": adding, "adding/uniform": adding_uniform, "multiplication": multiplication, "copy": copy, "latch": latch,
    "temporal_order": temporal_order, "recall": recall, "lag_free": lag_free, "lag_random": lag_random, "lag_long": lag_long_,
    "two_sequence": two_sequence, "two_sequence/3c": two_sequence_3c, "parity": parity, "parity/end": lambda x: parity(x)[-1:],
    "a5": word("a5"), "z60": word("z60"), "a4z5": word("a4z5"), "flip_flop": flip_flop, "multi_recall": multi_recall,
}  # fmt: skip


def answered(task, batch, program):
    """The outputs (P, K) of a program for a Batch."""
    answers = np.concatenate([program(batch.x[:length, row]) for row, length in enumerate(batch.lengths)])
    if task.kind == "class":
        return np.eye(task.outputs, dtype=np.float32)[answers]
    return answers.reshape(len(batch.read), task.outputs).astype(np.float32)
