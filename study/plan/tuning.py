"""Tuning: the learning rate of each arm at each gap, searched in stages on trials of its own.

A key is an arm at one gap: all knobs of a trial but `lr`, `seed` and those that do not act on training. The search of a key:

1. All rates of the study on a few seeds. While the best rate lies at an end of those tried, the next one of the series 1, 3, 10, 30, ...
   is tried too at that end.
2. The best of them, the finalists, on more seeds. If the best finalist lies at an end, the rates are extended again, as in stage 1.

The best rate has the smallest restricted mean of log sequences (a trial that is unsolved or diverged counts its budget); ties are broken
by more solved seeds, then by the smaller median of the final loss, then by the smaller rate. For a task without a pass rule, the median
loss on the test part decides alone. Stage 1 compares all rates on the first seeds, stage 2 the finalists on all of theirs.

A search is a function of the study and the recorded results, and what it wants only grows, so it can be left off and taken up at any
point. The table `tuning.json` is {"schema": 1, "outcomes": [...]}, with an `Outcome` for each key whose search has ended.
"""

import json
from functools import cache
from itertools import pairwise
from math import floor, fsum, inf, log, log10, prod
from statistics import median
from typing import Annotated

from pydantic import AfterValidator, Field, Strict, TypeAdapter, ValidationError, ValidationInfo

from study.plan import chosen
from study.trial.knobs import DEFAULTS, Frozen, Rate, Trial

SCHEMA, TABLE = 1, "tuning.json"
NAMED = ("cell", "task", "direction", "init", "gap")  # knobs that a key names even at their defaults


def _ascending(rates):
    for low, high in pairwise(rates):
        if low >= high:
            raise ValueError(f"expected ascending rates, each once, got {low:g} before {high:g}")
    return rates


def _as_many_as_rates(finalists, info: ValidationInfo):
    rates = info.data.get("rates")
    if rates and finalists > len(rates):
        raise ValueError(f"expected at most the number of rates, {len(rates)}, got {finalists}")
    return finalists


def _as_many_as_seeds(final_seeds, info: ValidationInfo):
    seeds = info.data.get("seeds", 0)
    if final_seeds < seeds:
        raise ValueError(f"expected at least the number of seeds of the first stage, {seeds}, got {final_seeds}")
    return final_seeds


Candidate = Annotated[Rate, Field(ge=1e-9, le=1e3)]
Seeds = Annotated[int, Field(ge=1, le=1000)]


class Tuning(Frozen):
    """How learning rates are tuned that no grid sets.

    `rates` on `seeds` seeds, then the best `finalists` on `final_seeds`; at most `extend` rates more at each end.
    """

    rates: Annotated[tuple[Candidate, ...], Strict(False), Field(min_length=1, max_length=100), AfterValidator(_ascending)] = (
        0.0003, 0.001, 0.003, 0.01, 0.03)
    seeds: Seeds = 3
    finalists: Annotated[int, Field(ge=1), AfterValidator(_as_many_as_rates)] = Field(2, validate_default=True)
    final_seeds: Annotated[Seeds, AfterValidator(_as_many_as_seeds)] = Field(8, validate_default=True)
    extend: Annotated[int, Field(ge=0, le=10)] = 2

    @staticmethod
    def key(trial):
        """The key ((knob, value), ...) of a trial that learns.

        A net that is probed after it has learned is tuned as one whose budget are the sequences that it learns from.
        """
        budget = {"budget": trial.after} if trial.method == "probe" else {}
        tuned = Trial(**trial.knobs() | {"method": "bptt", "test_gap": 1} | budget)
        return tuple((knob, value) for knob, value in tuned.knobs(always=NAMED).items() if knob not in ("lr", "seed", "purpose"))

    def ladder(self):
        """All rates that a search may try, ascending."""
        below, above = [self.rates[0]], [self.rates[-1]]
        for _ in range(self.extend):
            below.append(beyond(below[-1], min))
            above.append(beyond(above[-1], max))
        return [*below[:0:-1], *self.rates, *above[1:]]

    def start(self):
        """{rate: seeds} that every search begins with."""
        return dict.fromkeys(self.rates, self.seeds)

    def most(self):
        """How many trials a search takes at most."""
        return sum(self.start().values()) + self.ahead(self.start())[1]

    def ahead(self, seeds):
        """(at least, at most) how many more trials a search may want that wants {rate: seeds} now and has not ended."""
        rest, room = self.final_seeds - self.seeds, len(self.rates) + 2 * self.extend - len(seeds)
        finalists = sum(count > self.seeds for count in seeds.values())
        more = max(0, self.finalists - finalists)  # a rate that is added can become a finalist, one that fell behind cannot
        return more * rest, room * self.seeds + (more + room) * rest


class Tried(Frozen):
    """What a rate came to, over its seeds.

    `log_sequences` is the restricted mean of log sequences, `loss` the median of the final loss, None if it is not finite. Of a task
    without a pass rule, `solved` and `log_sequences` are None, and `loss` is that of the test part.
    """

    lr: Rate
    seeds: Annotated[int, Field(ge=1)]
    solved: int | None
    log_sequences: float | None
    loss: float | None


def _with_the_chosen_one(tried, info: ValidationInfo):
    lr = info.data.get("lr")
    if lr is not None and lr not in [rate.lr for rate in tried]:
        raise ValueError(f"expected the chosen rate among those tried, got {lr:g}")
    return tried


class Outcome(Frozen):
    """The end of a key's search: the chosen rate, the doubt about it ("" if there is none), and every rate that was tried."""

    knobs: dict
    lr: Rate
    doubt: str
    tried: Annotated[tuple[Tried, ...], Strict(False), AfterValidator(_with_the_chosen_one)]

    def seeds(self):
        """{rate: seeds} of all rates that were tried."""
        return {rate.lr: rate.seeds for rate in self.tried}


def beyond(rate, end):
    """The next rate of the series 1, 3, 10, 30, ... below (`end` is min) or above (max) a rate."""
    decade = floor(log10(rate))
    series = [float(f"{digit}e{power}") for power in (decade - 1, decade, decade + 1) for digit in (1, 3)]
    return max(other for other in series if other < rate) if end is min else min(other for other in series if other > rate)


def trials(key, seeds):
    """The trials of a key that {rate: seeds} stand for."""
    return tuple(_trial(key, lr, seed) for lr, count in sorted(seeds.items()) for seed in range(count))


def _trial(key, lr, seed):
    return Trial(**dict(key) | {"record": "brief"}, lr=lr, seed=seed, purpose="select")


class Search:
    """The search of a key, as far as the results {id: Result} go. `seeds`: {rate: seeds} that it wants by now."""

    def __init__(self, tuning, key, results):
        self.tuning, self.key = tuning, key
        self.seeds, self._room = tuning.start(), {min: tuning.extend, max: tuning.extend}
        self._run = cache(lambda lr, seed: results.get(_trial(key, lr, seed).id))

    def outcome(self):
        """The Outcome; None while results are missing that it depends on."""
        while first := self._ranked(self.tuning.seeds):
            if self._extended(first[0]):
                continue
            self.seeds |= dict.fromkeys(first[: self.tuning.finalists], self.tuning.final_seeds)
            final = self._ranked(self.tuning.final_seeds)
            if not final:
                return None
            if not self._extended(final[0]):
                return self._settled(final[0])
        return None

    def _ranked(self, count):
        """The rates that have so many seeds, the best by these first; None while results are missing."""
        runs = {lr: self._runs(lr, count) for lr, seeds in self.seeds.items() if seeds >= count}
        if any(None in of_rate for of_rate in runs.values()):
            return None
        return sorted(runs, key=lambda lr: _rank(lr, runs[lr], self._budget))

    def _runs(self, lr, count):
        return [self._run(lr, seed) for seed in range(count)]

    def _extended(self, best):
        """Whether the best rate lies at an end where there is room for another rate, which is wanted from now on."""
        ends = [end for end, room in self._room.items() if room and best == end(self.seeds)]
        for end in ends:
            self._room[end] -= 1
            self.seeds[beyond(best, end)] = self.tuning.seeds
        return bool(ends)

    def _settled(self, lr):
        tried = tuple(_tried(lr, self._runs(lr, self.seeds[lr]), self._budget) for lr in sorted(self.seeds))
        doubts = [chosen.UNSOLVED] if all(rate.solved == 0 for rate in tried) else []
        if len(tried) > 1 and lr in (tried[0].lr, tried[-1].lr):
            doubts.append(chosen.at_edge(lr, self.seeds))
        return Outcome(knobs=dict(self.key), lr=lr, doubt="; ".join(doubts), tried=tried)

    @property
    def _budget(self):
        return dict(self.key).get("budget", DEFAULTS["budget"])


def _rank(lr, runs, budget):
    """Sort key of a rate by its Results. The product of sequences has the order of the mean of their logs, and is exact."""
    by_sequences = (prod(_spent(runs, budget)), -_solved(runs)) if _ruled(runs) else ()
    return (*by_sequences, _loss(runs), lr)


def _tried(lr, runs, budget):
    ruled, loss = _ruled(runs), _loss(runs)
    logs = round(fsum(map(log, _spent(runs, budget))) / len(runs), 6) if ruled else None
    return Tried(lr=lr, seeds=len(runs), solved=_solved(runs) if ruled else None, log_sequences=logs, loss=loss if loss < inf else None)


def _ruled(runs):
    """Whether the task has a pass rule."""
    return runs[0].solved is not None


def _won(run):
    return run.status == "done" and bool(run.solved)


def _solved(runs):
    return sum(map(_won, runs))


def _spent(runs, budget):
    return [run.sequences if _won(run) else budget for run in runs]


def _loss(runs):
    """Median loss, infinite where most are: at the end of training, or on the test part of a task without a pass rule."""
    losses = [run.final_loss if _ruled(runs) else run.test and run.test.loss for run in runs]
    return median(inf if run.status != "done" or loss is None else loss for run, loss in zip(runs, losses, strict=True))


def search(study, results, known=()):
    """(outcomes {key: Outcome}, seeds {key: {rate: seeds}} that the other searches want), of the keys that are not `known`."""
    outcomes, seeds = {}, {}
    for key in study.rate_keys:
        if key not in known:
            one = Search(study.tuning, key, results)
            if outcome := one.outcome():
                outcomes[key] = outcome
            else:
                seeds[key] = one.seeds
    return outcomes, seeds


def rates(outcomes):
    """{key: learning rate} of {key: Outcome}."""
    return {key: outcome.lr for key, outcome in outcomes.items()}


def doubt(outcome):
    """What speaks against the chosen rate; "" if nothing does."""
    return outcome.doubt


def read(path):
    """{key: Outcome} of a table. Raises SpecError if the file is not one."""
    return chosen.read(path, SCHEMA, _parsed)


def _parsed(table):
    try:
        outcomes = TypeAdapter(list[Outcome]).validate_python(table["outcomes"])
        return {Tuning.key(Trial(**outcome.knobs, lr=outcome.lr)): outcome for outcome in outcomes}
    except ValidationError as error:
        wrong = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}") from None


def dumps(outcomes):
    """The table of {key: Outcome} as text."""
    return json.dumps({"schema": SCHEMA, "outcomes": [outcome.model_dump() for outcome in outcomes.values()]}, indent=1) + "\n"
