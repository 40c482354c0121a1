"""What a trained net writes, and what it answers at each step of a sequence.

The drawn symbols come from the trial's streams, and probabilities from the kernels, so a text is the same anywhere.
"""

import numpy as np

import kernels
from study.tasks import Batch
from study.tasks._draws import one_hot
from study.trial.streams import stream


def sequence(trial, task, seed):
    """A sequence of the trial's task that it has not learned from: a Batch of one row, as far as it can matter to the net."""
    return task.sample(stream(trial, f"sample/{seed}"), 1, trial.gap).usable(trial.direction)


def prompt(symbols, size):
    """The sequence of these symbols, numbers below `size`, with an answer at the last one: a Batch of one row."""
    lengths = np.array([len(symbols)])
    x = np.asarray(one_hot(np.array([symbols]), lengths, size))
    return Batch(x, lengths, lengths - 1, np.zeros(1, np.int64))


def symbols_of(batch):
    """The symbols of a Batch of one row, as numbers."""
    return batch.x[: batch.lengths[0], 0].argmax(axis=1).tolist()


def answers(net, theta, batch):
    """(T, K) float, what a net answers at every step of a Batch of one row."""
    T = int(batch.lengths[0])
    every = Batch.masked(batch.x[:T], batch.lengths, np.zeros((T, 1), np.int64), np.ones((T, 1), bool))
    return net.forward(theta, every, tape=False).output


def write(net, theta, symbols, draw, *, length, stop=()):
    """What a net writes after some symbols: a list of at most `length` numbers.

    Parameters
    ----------
    net : study.nets.net.Net, forward, whose outputs are the logits of the next symbol
    symbols : the prompt, one number or more
    draw : a Draw
    stop : lists of symbols; the net writes no more once the text, prompt included, ends with one of them
    """
    step, inputs, text = net.stepper(theta), np.eye(net.inputs, dtype=net.dtype), list(symbols)
    for symbol in symbols[:-1]:
        step(inputs[symbol : symbol + 1])
    for _ in range(length):
        (logits,) = step(inputs[text[-1] : text[-1] + 1])
        text.append(draw(logits))
        if any(text[-len(end) :] == end for end in stop):
            break
    return text[len(symbols) :]


class Draw:
    """Draws symbols by their probabilities at a temperature; every symbol takes one random word.

    Parameters
    ----------
    words : kernels.Stream
    temperature : float, 0 or more
        Divides the logits. At 0 the most probable symbol is taken, the first of several.
    """

    def __init__(self, words, temperature):
        self.words, self.temperature = words, temperature

    @classmethod
    def of(cls, trial, seed, temperature):
        """That of a trial, by a seed."""
        return cls(stream(trial, f"sample/{seed}/symbols"), temperature)

    def __call__(self, logits):
        """A number below K, from logits (K,). Raises ValueError where they are not finite."""
        if not np.isfinite(logits).all():
            raise ValueError("outputs: expected finite numbers, got NaN or infinity")
        (at,) = self.words.uniform(1).tolist()
        if not self.temperature:
            return int(logits.argmax())
        ends = [0.0]
        for p in probabilities(logits, self.temperature).tolist():
            ends.append(ends[-1] + p)
        place = min(at * ends[-1], np.nextafter(ends[-1], 0))
        return next(k for k, end in enumerate(ends[1:]) if place < end)


def probabilities(logits, temperature):
    """softmax(logits / temperature) as float64 (K,)."""
    below = logits.astype(np.float64) - float(logits.max())
    with np.errstate(over="ignore"):  # a probability of 0
        _, p, _ = kernels.cross_entropy((below / temperature)[np.newaxis], np.zeros(1, np.int64))
    return p[0]
