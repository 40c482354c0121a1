"""Why a net knows a word: which unit carries the cue, what that unit does at each word, and how long the states tell the cue.

A sentence of a task with contrasts has one answer that is judged, the effect word. The cue came `gap` steps before the step at
which it is read, and each effect word has cues of its own.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

import kernels
from study.nets.net import Net
from study.probes.gates import GATES
from study.probes.held import Held, states_at, states_of
from study.probes.linear import decodable
from study.probes.norms import spaced
from study.tasks import Batch
from study.tasks._draws import one_hot

SENTENCES, ROWS = 1024, 256  # for the linear read-out; of a batch
READ, FEWEST = 8192, 32  # sentences that are read with one unit held, for all units; for one unit at least
RANKED = 16  # units of a record
EQUAL = 1 / 16  # the order of units is by drops that are rounded to multiples of this, then by how far cues move them
TOGETHER = (1, 2, 3, 4, 6, 8, 12, 16)  # units that are held at once
WHOLE = 64  # words of a sentence that a record follows word by word; a longer one at growing distances


def explain(task, made_of, theta, gap, drawn):
    """What words do to a net.

    Parameters
    ----------
    task : study.tasks.Task with contrasts and symbols, at the gap
    made_of : the net's study.nets.architecture.Architecture
    theta : (size,) weights
    gap : steps from the cue to the step at which the effect word is read
    drawn : Batch of SENTENCES sentences, whose x may be a OneHot

    Returns
    -------
    dict of numbers with four digits; along a sentence gates have two decimals, states three digits. None for a grid, and for a net of another direction than forward
    or another head than last

    sentences, accuracy, chance : the share of that many sentences in which the right effect word has the largest output of all
        effect words; 1 / effect words. Other words are left out, since to know that an effect word is due is another matter
    units : {"unit", "drop", "worst", "worst_drop"}: up to RANKED units of the top layer, the most important first. By how much
        the accuracy falls if, from the cue on, the unit is Held at its mean; the effect word that suffers most, and by how much
    together : {"units", "right"}: the accuracy if that many units, the most important ones, are held at once
    decodable : {"after", "right"}: as linear.decodable of all states of the top layer, that many steps after the cue
    text : {"steps", "words", "cue", "read"}: the first sentence at these steps, the step of its cue, and the one that is read
    pair : {"cue", "right", "answer", "p"} of this sentence, and of the same with another cue in its place, of the effect word for
        which the output of the most important unit differs most: the cue, the right effect word, the word that the net answers,
        and its probability
    traces : [{"unit", "of", ...}]: gates and states by name at these steps, of the most important unit in both sentences of the
        pair (`of` 0 and 1); and the memory of the next unit in the first: c where the cell has it, else h
    """
    if not explained(made_of):
        return None
    net, first = Net(task, made_of, theta.dtype.name), effects(drawn.part(0, ROWS))
    symbols, right = variants(first, gap)
    cue, read = int(first.read[0]) - gap, int(first.read[0])
    said = read_aloud(net, theta, symbols)
    linear, words = decodability(net, theta, drawn, gap)
    fewer = first.rows(0, min(ROWS, max(FEWEST, READ // made_of.units)))
    accuracy, units, together = ranked(Held(net, theta, fewer, gap), np.searchsorted(words, fewer.target), words)
    units["worst"] = texts(names(task), words[units["worst"]])
    steps = np.arange(read + 1) if read < WHOLE else np.unique([cue, *(read - np.array(spaced(read)))])
    best, *next_ = units["unit"][:2]
    two = [0, said.farthest(best, cue)]
    memory = {"c"} & {*said.states} or {"h"}
    followed = [(best, 0, None), (best, 1, None), *((unit, 0, memory) for unit in next_)]
    answer, p = said.answers(task, read, two)
    return {
        "sentences": len(fewer.read), "accuracy": short(accuracy), "chance": short(1 / len(words)),
        "units": units, "together": together, "decodable": linear,
        "text": {"steps": steps.tolist(), "words": texts(task.symbols, symbols[0, steps]), "cue": cue, "read": read},
        "pair": {"cue": texts(task.symbols, symbols[two, cue]), "right": texts(names(task), right[two]), "answer": answer, "p": p},
        "traces": [{"unit": unit, "of": of, **said.along(unit, two[of], steps, only)} for unit, of, only in followed],
    }  # fmt: skip


def explained(made_of):
    """Whether nets of these knobs, an Architecture or a Trial, are explained."""
    return (made_of.head, made_of.direction) == ("last", "forward") and made_of.stack != "grid"


def names(task):
    """What the outputs stand for."""
    return range(task.outputs) if task.answers is None else task.answers


def effects(batch):
    """The same sentences, each with the answer that is judged only, and without the steps after it."""
    judged = batch.judged
    return replace(batch, read=batch.read[judged], target=batch.target[judged], offsets=None, judged=None).until_read()


def cues(batch, gap):
    """(B,) the symbols of the cues, of a batch that `effects` gives."""
    return batch.x[batch.read - gap, np.arange(len(batch.read))].argmax(axis=1)


def variants(batch, gap):
    """Of a batch that `effects` gives, the first sentence, and the same with a cue of each other effect word in place of its own.

    Returns symbols (C, T), and the effect words (C,).
    """
    _, firsts = np.unique(batch.target, return_index=True)
    rows = np.array([0, *(row for row in firsts if row)])
    symbols = np.tile(batch.x[: batch.read[0] + 1, 0].argmax(axis=1), (len(rows), 1))
    symbols[:, batch.read[0] - gap] = cues(batch, gap)[rows]
    return symbols, batch.target[rows]


class Said(NamedTuple):
    """What a net does along sentences.

    Attributes
    ----------
    gates, states : {name: (T, B, H)} of the top layer
    output : (B, T, K), what the net answers at each word
    """

    gates: dict
    states: dict
    output: np.ndarray

    def farthest(self, unit, first):
        """The sentence in which the output of a unit is farthest from that in the first one, over all steps from `first` on."""
        h = self.states["h"][first:, :, unit].astype(np.float64)
        apart = np.ascontiguousarray(np.abs(h - h[:, :1]).T)
        return int(np.array([kernels.total(distances) for distances in apart]).argmax())

    def along(self, unit, row, steps, only=None):
        """{name: [gate or state of a unit at each of the steps]} of a sentence, of all names or of some."""
        gates = {name: [float(f"{value:.2f}") for value in values[steps, row, unit]] for name, values in self.gates.items()}
        states = {name: [short(value, 3) for value in values[steps, row, unit]] for name, values in self.states.items()}
        return {name: values for name, values in (gates | states).items() if only is None or name in only}

    def answers(self, task, step, rows):
        """([what the net answers at that step of sentences], [its probability])."""
        p = self.output[rows, step]
        return texts(names(task), p.argmax(axis=1)), [short(value) for value in p.max(axis=1)]


def read_aloud(net, theta, symbols):
    """Said of a forward net and sentences (B, T) of one length."""
    B, T = symbols.shape
    lengths = np.full(B, T)
    x = np.asarray(one_hot(symbols, lengths, net.inputs))
    passed = net.forward(theta, Batch.masked(x, lengths, np.zeros((T, B), np.int64), np.ones((T, B), bool)))
    top = net.layers(passed)[-1]
    gates = {name: values[0] for name, values in top.rnn.gates(top.tape).items() if name in GATES}
    states = list(states_of(top, theta))
    return Said(gates, {name: np.stack([now[name] for now in states]) for name in states[0]}, passed.output.reshape(B, T, -1))


def ranked(held, classes, words):
    """(accuracy, `units`, `together`) of `explain`.

    held : Held over sentences; classes (B,): which of the effect words `words` (C,), numbers of outputs, is right in each
    """
    H = held.layer.rnn.units
    whole, single = told(held.output[None], classes, words), told(held.outputs(np.eye(H, dtype=bool)), classes, words)
    drop = share(whole) - share(single)
    order = np.lexsort((-held.spread(classes), -np.floor(drop / EQUAL + 0.5)))
    of_word = np.stack([share(whole[:, rows]) - share(single[:, rows]) for rows in (classes == np.arange(len(words))[:, None])])
    worst = of_word.argmax(axis=0)
    shown = order[:RANKED].tolist()
    units = {"unit": shown, "drop": [short(drop[k]) for k in shown], "worst": worst[shown].tolist(),
             "worst_drop": [short(of_word[worst[k], k]) for k in shown]}  # fmt: skip
    counts = [count for count in TOGETHER if count <= H]
    right = share(told(held.outputs(np.argsort(order) < np.array(counts)[:, None]), classes, words))
    return share(whole)[0], units, {"units": counts, "right": [short(value) for value in right]}


def told(output, classes, words):
    """(N, B) whether, of N outputs (N, B, K), that of the right one of the effect words is the largest of these words'."""
    return output[..., words].argmax(axis=2) == classes


def share(right):
    """The share of true values along the last axis; 0 of none."""
    return np.count_nonzero(right, axis=-1) / max(1, right.shape[-1])


def decodability(net, theta, drawn, gap):
    """(`decodable` of `explain`, the effect words (C,) that occur, numbers of outputs) of drawn sentences."""
    first_cue = int((drawn.read[drawn.judged] - gap).min())
    after = np.array([*([-1] if first_cue else []), *spaced(gap)])
    states, targets = [], []
    for start in range(0, len(drawn.lengths), ROWS):
        part = effects(drawn.part(start, start + ROWS))
        top = net.layers(net.forward(theta, part))[-1]
        states.append(states_at(top, theta, part.read - gap + after[:, None]))
        targets.append(part.target)
    words, classes = np.unique(np.concatenate(targets), return_inverse=True)
    right = decodable(np.concatenate(states, axis=1), classes)
    return {"after": after.tolist(), "right": [short(value) for value in right]}, words


def texts(alphabet, numbers):
    """The symbols of numbers, as texts."""
    return [str(alphabet[number]) for number in numbers]


def short(value, digits=4):
    """A number with that many digits."""
    return float(f"{value:.{digits}g}")
