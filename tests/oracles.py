"""A perfect program for each synthetic task: from the inputs of one sequence, step by step, to its answers."""

import numpy as np

from study.tasks import group_words, lag_long
from study.tasks._grammar import CLASSES, THING, VOCABULARY, WOMEN


PERIOD = 15  # of the timing tasks


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


def measured(x):
    """I of each interval of 15 or 16 steps."""
    return (np.diff(x[:, 0].nonzero()[0], prepend=-1) - PERIOD).tolist()


def generated(x):
    answers, left = [], None
    for late in x[:, 0]:
        left = (PERIOD + late if not left else left) - 1
        answers.append(float(left == 0))
    return answers


def wave(shape):
    t = np.arange(PERIOD) / PERIOD
    waves = {"cos": (1 - np.cos(2 * np.pi * t)) / 2, "triangle": np.interp(t, [0, 0.5, 1], [0, 1, 0]), "rectangle": t >= 0.5}
    return lambda x: np.tile(waves[shape], len(x) // PERIOD)


def reber_continual(x):
    text, begun, answers = "".join("BTPSXVE"[symbol] for symbol in symbols_of(x)), 0, []
    for n in range(1, len(text) + 1):
        may = may_come(text[begun:n]) or "B"
        begun = n if may == "B" and n > begun + 2 else begun
        answers.append([symbol in may for symbol in "BTPSXVE"])
    return answers


INNER = {"0T": 1, "0P": 2, "1S": 1, "1X": 3, "2T": 2, "2V": 4, "3X": 2, "3S": 5, "4P": 3, "4V": 5}


def may_come(text):
    """The symbols that may come after the beginning of an embedded Reber string."""
    if len(text) < 3:
        return ["B", "TP", "B"][len(text)]
    state, ends = 0, 0
    for symbol in text[3:]:
        state, ends = INNER.get(f"{state}{symbol}", 5), ends + (state == 5)
    return ["E", text[1], "E", ""][ends] if state == 5 else "".join(move[1] for move in INNER if move[0] == str(state))


def reber(x):
    text = "".join("BTPSXVE"[symbol] for symbol in symbols_of(x))
    return [[symbol in may_come(text[: n + 1]) for symbol in "BTPSXVE"] for n in range(len(text))]


def language(x):
    """The words that follow, with the effect in its place; the others are no matter."""
    words = [VOCABULARY[symbol] for symbol in symbols_of(x)]
    answers = [0] * len(words)
    if "fluent" in words:
        country = words[words.index("up") + 2]
        answers[words.index("fluent")] = VOCABULARY.index(CLASSES["TONGUE"][CLASSES["COUNTRY"].index(country)])
    elif "home" in words:
        name = words[words.index("home") - 2]
        answers[words.index("because")] = VOCABULARY.index("she" if name in WOMEN else "he")
    else:
        answers[-3] = VOCABULARY.index("is" if words[1] in THING else "are")
    return answers


ORACLES = {  # a task, or the first part of its name: the program
    "adding/hs97": adding, "adding/uniform": adding_uniform, "multiplication": multiplication, "copy": copy, "latch": latch,
    "temporal_order": temporal_order, "recall": recall, "lag_free": lag_free, "lag_random": lag_random, "lag_long": lag_long_,
    "two_sequence": two_sequence, "two_sequence/3c": two_sequence_3c, "parity": parity, "parity/end": lambda x: parity(x)[-1:],
    "a5": word("a5"), "z60": word("z60"), "a4z5": word("a4z5"), "flip_flop": flip_flop, "multi_recall": multi_recall,
    "reber": reber, "reber_continual": reber_continual, "timing": measured, "timing/gts": generated, "timing/pfg_cos": wave("cos"),
    "timing/pfg_triangle": wave("triangle"), "timing/pfg_rectangle": wave("rectangle"),
    "language": language,
}  # fmt: skip


def answered(task, batch, program):
    """The outputs (P, K) of a program for a Batch."""
    answers = np.concatenate([program(batch.x[:length, row]) for row, length in enumerate(batch.lengths)])
    if task.kind == "class" and answers.ndim == 1:
        return np.eye(task.outputs, dtype=np.float32)[answers]
    return answers.reshape(len(batch.read), task.outputs).astype(np.float32)
