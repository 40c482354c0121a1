"""The vocabulary of the language tasks, and fillers: simple English of an exact number of words, to stand between a cue and its effect.

A text is a row of slots. A slot is a word, or a class of words, in capitals, of which one is drawn: any of its words can stand
there. Every class of a filler has a power of two of entries, so that a byte draws each of them equally often.

Design: a filler tells nothing of a cue. So it has no names, no `he` and `she`, no countries and no tongues. A filler after a noun
is also free of number: its verbs are in the past tense, and its only nouns are the attractors. Fillers are made of clauses, not of
words drawn one by one, so that a net can predict much of them and a person can read them.
"""

import numpy as np

from study.tasks._draws import below

MEN = "john peter david tom paul george henry james frank robert adam simon walter oscar ralph bruno".split()
WOMEN = "mary anna susan laura emma alice helen ruth clara julia nina sarah diana rosa ellen martha".split()
THING = "key cabinet door box lamp table chair picture clock bottle basket window bag cup letter shoe".split()
THINGS = "keys cabinets doors boxes lamps tables chairs pictures clocks bottles baskets windows bags cups letters shoes".split()

CLASSES = {
    "COUNTRY": "france spain italy germany russia poland sweden norway greece turkey china japan".split(),
    "TONGUE": "french spanish italian german russian polish swedish norwegian greek turkish chinese japanese".split(),
    "CLOUDS": "clouds fish books cows ships trains flowers monkeys children trees doctors pots".split(),
    "SKY": "sky sea library field harbour station garden zoo school forest hospital kitchen".split(),
    "MARY": MEN + WOMEN,
    "SHE": "he she".split(),
    "KEYS": THING + THINGS,
    "IS": "is are".split(),
    "I": "i i we you".split(),
    "DANCED": "danced sang laughed talked waited slept worked cooked".split(),
    "WALKED": "walked drove ran hurried".split(),
    "FOUND": "found lost painted sold bought cleaned repaired broke".split(),
    "NEVER": "never often".split(),
    "SLOWLY": "slowly quietly happily carefully".split(),
    "EARLY": "early again today yesterday".split(),
    "COLD": "cold warm dark late wet foggy windy sunny".split(),
    "TIRED": "tired hungry sleepy sick sad bored thirsty ill".split(),
    "RED": "red green heavy empty clean cheap old new".split(),
    "PARK": "garden zoo school forest".split(),
    "NEAR": "near behind under beside".split(),
    "AND": "and but".split(),
    "SO": "and so".split(),
}

CLAUSES = (
    "I DANCED",
    "I DANCED SLOWLY", "I NEVER DANCED",
    "I DANCED very SLOWLY",
    "I WALKED to the PARK", "I DANCED in the PARK",
    "I NEVER WALKED to the PARK",
)  # fmt: skip
LINKED = tuple(f"{link} {clause}" for link in ("AND", ", AND", "AND then") for clause in CLAUSES)
JOINTS = ("SO", ", SO", "SO now", ", SO now")  # before a clause that ends the text
ADVERBS = ("", "EARLY", "very SLOWLY")  # right after a clause
PLACED = ("", "here", "over there")  # right after a noun
ATTRACTORS = ("NEAR the KEYS", "NEAR the RED KEYS")
RELATIVES = ("AND I FOUND", "AND I NEVER FOUND", "AND I FOUND SLOWLY", "AND I FOUND very SLOWLY")  # the first begins with `that`

OTHERS = (
    ". , the and i grew up in speak fluent went home because was that very to it but so then now here over there"
).split()
VOCABULARY = tuple(dict.fromkeys([*OTHERS, *(word for words in CLASSES.values() for word in words)]))
NUMBER = {word: number for number, word in enumerate(VOCABULARY)}
SLOTS = {name: slot for slot, name in enumerate((*CLASSES, *VOCABULARY))}
ENTRIES = [[NUMBER[word] for word in CLASSES.get(name, [name])] for name in SLOTS]
DRAWN = np.array([[words[byte * len(words) >> 8] for byte in range(256)] for words in ENTRIES], np.int16).ravel()
"""The word of a slot and a byte, at 256 slot + byte."""


def start(name):
    """The number of the first word of a class whose words are neighbours in the vocabulary, in its order."""
    return NUMBER[CLASSES[name][0]]


class Filler:
    """Makes lists of exactly n slots; each choice takes a word of the stream."""

    def __init__(self, stream):
        self.stream = stream

    def before_clause(self, n):
        """1 slot or more, between a clause and another one."""
        joint = self._one(JOINTS, n, _clauses_fill)
        return self._clauses(n - len(joint)) + joint

    def after_clause(self, n):
        """0 slots or more, after a clause."""
        adverb = self._one(ADVERBS, n, _clauses_fill)
        return adverb + self._clauses(n - len(adverb))

    def after_noun(self, n, attractors):
        """3 slots or more for each attractor, after a noun: the attractors, among relative clauses that are free of number."""
        parts = []
        for more in reversed(range(attractors)):
            parts.append(self._one(ATTRACTORS, n, lambda rest: rest >= 3 * more))
            n -= len(parts[-1])
        slots = self._one(PLACED, n, _clauses_fill)
        n -= len(slots)
        while n:
            parts.append(self._one(RELATIVES, n, _clauses_fill))
            n -= len(parts[-1])
        that = "that"
        while parts:
            part = parts.pop(self._below(len(parts)))
            if part[0] == "AND":
                part[0], that = that, "AND"
            slots += part
        return slots

    def _clauses(self, n):
        """0 slots, or 3 or more: clauses, each after a link."""
        slots = []
        while len(slots) < n:
            slots += self._one(LINKED, n - len(slots), _clauses_fill)
        return slots

    def _one(self, patterns, n, fits):
        """The slots of one of the patterns, of those that leave a rest of n that `fits`."""
        fitting = [slots for slots in map(str.split, patterns) if len(slots) <= n and fits(n - len(slots))]
        return fitting[self._below(len(fitting))]

    def _below(self, k):
        return int(below(self.stream.words(1), k)[0])


def _clauses_fill(n):
    """Whether clauses can fill n slots."""
    return n == 0 or n >= 3
