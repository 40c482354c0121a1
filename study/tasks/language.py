"""Language: predict each next word of an English text in which one word decides a later one, `gap` steps after it.

The word that decides is the *cue*, the word that is decided the *effect*. All versions have one vocabulary, one-hot in and out;
<...> is a filler of an exact number of words, which `_grammar.py` makes.

- `language/country`: the clouds are in the sky and i grew up in france <...> i speak fluent french . Each of 12 countries has its
  tongue. The first clause is the *near control*: each of 12 nouns has its place, three steps after it.
- `language/gender`: it was very cold and mary went home <...> because she was tired . The name, one of 16 men and 16 women, decides the
  pronoun. In half of the texts the first clause has a name, too (john was very hungry and mary went home), of either gender equally
  often, which the new subject has to replace. The gap counts from the last name.
- `language/number/0`, `/1`, `/2`, `/3`: the keys <...> are new . The subject, one of 16 nouns in either number, decides `is` or `are`.
  In the filler are 0 to 3 attractors, nouns like the subject (near the cabinets): all of them of its number or, in half of the
  texts, all of the other one. The rest of the filler is free of number.

The axis is `gap`, the steps from the cue to the step at which the effect is predicted. A net learns from all words, and is judged by
the effect alone. Tests also count minimal pairs, the effect against the one wrong word that could stand there (of a tongue: its
neighbour), under the conditions of Version.

Pass rule: the effect right by argmax, over the whole vocabulary, in each of the last 2,000 texts.

Chance: 1/12 (country) or 1/2 for the effect; a cross-entropy that follows from the tables of the grammar.

Source: ours. The story of France and French is the field's; the attractors are those of Linzen, Dupoux & Goldberg 2016; gender, and
number over controlled distances, are after Lakretz et al. 2019. All wording is our own.

A drawn sample of each at gap 10:

>>> import kernels
>>> for name in ("country", "gender", "number/2"):
...     task = next(task for task in TASKS if task.name == f"language/{name}")
...     batch = task.draw(kernels.Stream("a drawn sample"), batch=1, gap=10)
...     print(_symbols.text(VOCABULARY, [*batch.x.symbols[:, 0], batch.target[-1]]))
the trees are in the forest and i grew up in china but i hurried to the forest so i speak fluent chinese .
anna was very bored and sarah went home very quietly but i cooked very carefully because she was sad .
the pictures behind the heavy window that you lost behind the letter are empty .
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import log

import numpy as np

import kernels
from study.tasks import _symbols
from study.tasks._draws import below, bytes_for, one_hot, symbols_of
from study.tasks._grammar import CLASSES, DRAWN, ENTRIES, SLOTS, VOCABULARY, Filler, start
from study.tasks._rule import Rule
from study.tasks._task import Batch, Task

FILLERS = 64  # of each number of words
CHOICES = 3  # random words before those that draw a word of the text by each byte: the filler, and two more choices
NEAR = 4  # the step at which the place of the near control is predicted


@dataclass(frozen=True)
class Version:
    """One dependency. A text is one of the heads, then the middle, then the tail, each a row of slots.

    Attributes
    ----------
    name, title : of the task
    heads : texts up to the cue, with the same number of slots; each equally often
    middle : from the cue to the effect, with "..." for the filler
    tail : from the effect on
    filler : (Filler, n) -> n slots
    smallest : gap
    needs : what the smallest gap has room for
    agree : (text (B, T), slots (B, T), two numbers below 12 (2, B)) -> None; makes words of the text agree with others
    conditions : names
    condition : (symbols (T, B), places of the effects in their class (B,)) -> (B,) numbers of conditions
    """

    name: str
    title: str
    heads: tuple
    middle: str
    tail: str
    filler: Callable
    smallest: int
    needs: str
    agree: Callable
    conditions: tuple
    condition: Callable

    @property
    def cue(self):
        """The step of the cue."""
        return len(self.heads[0].split()) - 1

    @property
    def effects(self):
        """The class of the effect."""
        return self.tail.split()[0]


@cache
def skeletons(version, gap):
    """(fillers, T) the slots of all texts of a gap."""
    make, (before, after) = Filler(kernels.Stream("language", version.name, gap)), version.middle.split("...")
    before, after, tail = before.split(), after.split(), version.tail.split()
    fillers = [before + version.filler(make, gap - len(before) - len(after)) + after for _ in range(FILLERS)]
    return np.array([[SLOTS[slot] for slot in [*head.split(), *filler, *tail]] for head in version.heads for filler in fillers])


def build(words, gap, version):
    table = skeletons(version, gap)
    slots = table[below(words[:, 0], len(table))]
    rows, steps = len(words), table.shape[1] - 1
    text = DRAWN.take(256 * slots + words[:, CHOICES:].copy().view(np.uint8)[:, : steps + 1])
    version.agree(text, slots, below(words[:, 1:CHOICES], len(CLASSES["TONGUE"])).T)
    judged = np.zeros((rows, steps), bool)
    judged[:, version.cue + gap] = True
    return Batch(
        x=one_hot(text[:, :-1], np.full(rows, steps), len(VOCABULARY)),
        lengths=np.full(rows, steps),
        read=np.tile(np.arange(steps), rows),
        target=text[:, 1:].astype(np.int64).ravel(),
        offsets=steps * np.arange(rows + 1),
        judged=judged.ravel(),
    )


def contrasts(batch, version):
    answer, symbols = np.flatnonzero(batch.judged), symbols_of(batch.x)
    foil, place = partner(batch.target[answer], version.effects)
    condition = version.condition(symbols, place)
    if version.name == "country":
        near = batch.offsets[:-1] + NEAR
        control = near, partner(batch.target[near], "SKY")[0], np.full(len(near), len(version.conditions) - 1)
        answer, foil, condition = map(np.concatenate, zip((answer, foil, condition), control))
    return answer, foil, condition


def partner(words, name):
    """(the other word of the pair of each of these words, their places) in the class of that name."""
    places = words - start(name)
    return start(name) + (places ^ 1), places


@cache
def chance_loss(version, gap):
    """The entropy of the words of a step, over all texts: its mean over the steps."""
    loss, table = 0.0, skeletons(version, gap)
    for slots in table.T[1:].tolist():
        share = Counter()
        for slot, count in Counter(slots).items():
            for word in ENTRIES[slot]:
                share[word] += count / len(slots) / len(ENTRIES[slot])
        loss -= sum(p * log(p) for p in share.values()) / (table.shape[1] - 1)
    return loss


def country(text, slots, chosen):
    """The place is that of the noun, and the tongue that of the country."""
    near, far = chosen
    text[:, 1], text[:, 5], text[:, 11], text[:, -2] = (
        start(name) + place for name, place in (("CLOUDS", near), ("SKY", near), ("COUNTRY", far), ("TONGUE", far))
    )


def gender(text, slots, chosen):
    """The pronoun is that of the last name; a name before is another one."""
    before, name = text[:, 0], text[:, 5]
    text[:, 0] = np.where(before == name, partner(before, "MARY")[0], before)
    text[:, -4] = start("SHE") + upper_half(name, "MARY")


def number(text, slots, chosen):
    """The verb has the number of the subject, and all attractors have it or, where a number is odd, the other one."""
    plural, nouns = upper_half(text[:, 1], "KEYS"), slots[:, 2:] == SLOTS["KEYS"]
    of_attractors = plural ^ (chosen[0] & 1)
    half = len(CLASSES["KEYS"]) // 2
    noun = start("KEYS") + (text[:, 2:] - start("KEYS")) % half + half * of_attractors[:, None]
    text[:, 2:] = np.where(nouns, noun, text[:, 2:])
    text[:, -3] = start("IS") + plural


def upper_half(words, name):
    """1 for words of the upper half of the class of that name (women; plural nouns), else 0."""
    return (words >= start(name) + len(CLASSES[name]) // 2).astype(np.int64)


def by_name_before(symbols, she):
    before, unnamed = upper_half(symbols[0], "MARY"), symbols[0] < start("MARY")
    return 3 * she + np.where(unnamed, 0, 1 + (before != she))


def by_attractors(symbols, plural):
    noun = (symbols[2:] >= start("KEYS")) & (symbols[2:] < start("KEYS") + len(CLASSES["KEYS"]))
    any_plural = (noun & (upper_half(symbols[2:], "KEYS") == 1)).any(axis=0)
    return 2 * plural + (any_plural != plural)


VERSIONS = (
    Version(
        name="country",
        title="country and tongue",
        heads=("the CLOUDS are in the SKY and i grew up in COUNTRY",),
        middle="... i speak fluent",
        tail="TONGUE .",
        filler=Filler.before_clause,
        smallest=4,
        needs="a link and `i speak fluent`",
        agree=country,
        conditions=(*CLASSES["TONGUE"], "near"),
        condition=lambda symbols, tongue: tongue,
    ),
    Version(
        name="gender",
        title="name and pronoun",
        heads=("it was very COLD and MARY", "MARY was very TIRED and MARY"),
        middle="went home ... because",
        tail="SHE was TIRED .",
        filler=Filler.after_clause,
        smallest=3,
        needs="`went home because`",
        agree=gender,
        conditions=tuple(
            f"{pronoun}, {before} before" for pronoun in CLASSES["SHE"] for before in ("no name", "same gender", "other gender")
        ),
        condition=by_name_before,
    ),
    *(
        Version(
            name=f"number/{n}",
            title=f"number with {n} attractor{'' if n == 1 else 's'}",
            heads=("the KEYS",),
            middle="...",
            tail="IS RED .",
            filler=lambda make, gap, n=n: make.after_noun(gap, n),
            smallest=max(1, 3 * n),
            needs=f"{n} attractors of 3 words" if n else "a word",
            agree=number,
            conditions=("singular", "plural") if n == 0 else tuple(
                f"{number}, {attractors} attractors" for number in ("singular", "plural") for attractors in ("same", "opposite")),
            condition=by_attractors if n else lambda symbols, plural: plural,
        )
        for n in range(4)
    ),
)

TASKS = tuple(
    Task(
        name=f"language/{version.name}",
        title=version.title,
        source="ours, after Linzen et al. 2016 and Lakretz et al. 2019",
        axis="gap",
        smallest_gap=version.smallest,
        lag=1.0,
        inputs=len(VOCABULARY),
        outputs=len(VOCABULARY),
        kind="class",
        loss="cross_entropy",
        chance={"score": 1 / len(CLASSES[version.effects]), "loss": lambda gap, version=version: chance_loss(version, gap)},
        rule=Rule(),
        words=lambda gap, version=version: CHOICES + bytes_for(skeletons(version, gap).shape[1]),
        build=lambda words, gap, version=version: build(words, gap, version),
        symbols=VOCABULARY,
        answers=VOCABULARY,
        writes=True,
        stop=(".",),
        needs=version.needs,
        conditions=version.conditions,
        contrasts=lambda batch, version=version: contrasts(batch, version),
    )
    for version in VERSIONS
)
