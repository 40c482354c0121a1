"""Two arms set against each other: how many seeds solve, who reaches further, who needs fewer sequences."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from study.statistics.medians import median_within
from study.statistics.ratios import bounded_cost, equal_cost, mean_ratio
from study.statistics.risks import risk_difference
from study.statistics.shares import share_of_all
from study.statistics.superiority import probability
from study.statistics.verdict import Comparison

NOT_LEARNED, LEARNED = 0.1, 0.9
"""Success rates up to which an arm counts as not learning, and from which it counts as learning always."""


@dataclass(frozen=True)
class Arm:
    """Trials of an arm: columns gap, seed, solved, sequences and budget, one row a trial.

    `doubt` says why the arm could do better than it did ("" if nothing is known): its learning rate lies at an edge of the
    rates that were tried, say. `note` is what else a reader must know of it.
    """

    name: str
    runs: pd.DataFrame
    doubt: str = ""
    note: str = ""

    @property
    def doubted(self):
        """The doubt with the arm's name."""
        return self.doubt and f"{self.name}: {self.doubt}"

    def at(self, *gaps):
        """The arm at these gaps alone."""
        return replace(self, runs=self.runs[self.runs["gap"].isin(gaps)])

    @property
    def solved(self):
        """(solved, n)"""
        return int(self.runs["solved"].eq(True).sum()), len(self.runs)

    @property
    def rate(self):
        solved, n = self.solved
        return solved / n

    def __str__(self):
        return "{}: {} of {}".format(self.name, *self.solved) + (self.note and f" ({self.note})")

    def reach(self):
        """For each seed, the number of gaps that it solved."""
        return self.runs["solved"].eq(True).groupby(self.runs["seed"]).sum().to_numpy(float)

    def logs(self):
        """For each seed, the mean over its gaps of the log of sequences, restricted to the budget."""
        spent = self.runs["sequences"].where(self.runs["solved"].eq(True), self.runs["budget"])
        return np.log(spent.astype(float)).groupby(self.runs["seed"]).mean().to_numpy()

    def speed(self):
        """For each seed, minus its mean log; minus infinity if it left a gap unsolved."""
        whole = self.runs["solved"].eq(True).groupby(self.runs["seed"]).all().to_numpy()
        return np.where(whole, -self.logs(), -np.inf)


def more_solve(first, second):
    """Comparison for the claim that more seeds of the first arm solve the task; None if an arm has no trials."""
    if not first.solved[1] or not second.solved[1]:
        return None
    return _comparison(first, second, risk_difference(first.solved, second.solved), (second.doubted, first.doubted))


def reaches_further(first, second):
    """Comparison for the claim that a seed of the first arm solves more gaps than one of the second; None without trials.

    Gaps that one of the arms lacks are left out, then seeds that lack a gap.
    """
    gaps = sorted(set(first.runs["gap"]) & set(second.runs["gap"]))
    first, second = (_whole(arm.at(*gaps), len(gaps)) for arm in (first, second))
    if not gaps or not first.solved[1] or not second.solved[1]:
        return None
    effect = probability(f"P({first.name} reaches further)", first.reach(), second.reach())
    return _comparison(first, second, effect, (second.doubted, first.doubted), floor_at=gaps[0], ceiling_at=gaps[-1])


def faster(first, second):
    """Comparison for the claim that a seed of the first arm needs fewer sequences than one of the second; None below two seeds an arm.

    A seed that left a gap unsolved is tied with the others that did, and behind all that solved.
    """
    logs = first.logs(), second.logs()
    if min(map(len, logs)) < 2:
        return None
    effect = probability(f"P({first.name} needs fewer)", first.speed(), second.speed())
    ratio = "sequences, ratio {:.2f} [{:.2f}, {:.2f}]".format(*mean_ratio(*logs))
    return _comparison(first, second, effect, (second.doubted, first.doubted), beside=ratio, ceiling_at=None)


def same_cost(first, second, factor):
    """Comparison for the claim that both arms need as many sequences, within a factor; None below two seeds an arm."""
    return _cost(first, second, lambda one, two: equal_cost(one, two, factor), (first.doubted or second.doubted,) * 2)


def bounded(first, second, bound):
    """Comparison for the claim that the first arm needs less than `bound` times the sequences of the second.

    None below two seeds an arm.
    """
    return _cost(first, second, lambda one, two: bounded_cost(one, two, bound), (second.doubted, first.doubted))


def nets_within(name, values, bounds):
    """Comparison for the claim that a number of each net lies within bounds; None without nets."""
    inside = sum(bounds[0] < value < bounds[1] for value in values)
    return Comparison(median_within(name, values, bounds), f"{inside} of {len(values)} nets", len(values)) if values else None


def nets_in_all(chosen, runs, planned):
    """How many nets a comparison has once all have run: those that its rule chose, and the planned ones that have not run yet."""
    return len(chosen) + planned - len(runs)


def all_nets(name, held):
    """Comparison for the claim that something holds in every net, from one bool a net; None without nets."""
    return Comparison(share_of_all(name, held), f"{sum(held)} of {len(held)} nets", len(held)) if held else None


def _cost(first, second, effect_of, doubts):
    """Where more than a tenth of an arm's seeds are censored, the ratio is not that of what they need, so it speaks for no claim."""
    logs = first.logs(), second.logs()
    if min(map(len, logs)) < 2:
        return None
    effect = effect_of(*logs)
    if min(first.rate, second.rate) < LEARNED:
        effect = replace(effect, p_for=1.0, needed=lambda alpha: None)
    faster = probability(f"P({first.name} needs fewer)", first.speed(), second.speed())
    return _comparison(first, second, effect, doubts, beside=str(faster), ceiling_at=None)


def _whole(arm, gaps):
    """The arm without the seeds that have not run every gap."""
    return replace(arm, runs=arm.runs[arm.runs.groupby("seed")["gap"].transform("nunique") == gaps])


def _comparison(first, second, effect, doubts, beside="", **ends):
    """`floor_at` and `ceiling_at`: the gap at which arms are looked at; without it, at all; None: not at all."""
    def ends_at(name, passes):
        if name not in ends:
            return passes(first.rate) and passes(second.rate)
        return ends[name] is not None and all(passes(arm.at(ends[name]).rate) for arm in (first, second))
    return Comparison(
        effect, f"{first}; {second}", min(arm.runs["seed"].nunique() for arm in (first, second)), doubts, beside,
        floor=ends_at("floor_at", lambda rate: rate <= NOT_LEARNED), ceiling=ends_at("ceiling_at", lambda rate: rate >= LEARNED))
