"""The trials of a comparison: arms that differ in a few knobs, over gaps and seeds."""

from dataclasses import dataclass

import pandas as pd

from study.plan.arm import ARM
from study.plan.chosen import UNSOLVED
from study.statistics.arms import Arm
from study.statistics.risks import fisher_power
from study.statistics.superiority import rank_power
from study.statistics.verdict import ALPHA, NOW, Verdict
from study.trial.knobs import Trial

FIRST = 100  # seeds below it have been looked at, or choose learning rates
RATES = (0.9, 0.3)


@dataclass(frozen=True)
class Setup:
    """Arms, crossed with gaps and seeds.

    Parameters
    ----------
    knobs : {knob: value}, which all arms share. Without `lr`, each arm's learning rate is tuned at each gap.
    arms : {name: {knob: value}}
    gaps : the tested gaps, ascending
    seeds : number of seeds; they begin with FIRST
    protocol : NOW or PUBLISHED
    draws : a random search in place of tuned rates, as `[grids.draws]` of a study file
    """

    knobs: dict
    arms: dict
    gaps: tuple
    seeds: int
    protocol: str = NOW
    draws: dict | None = None

    @property
    def tuned(self):
        """Whether learning rates are tuned."""
        return not self.draws and any("lr" not in self.knobs | arm for arm in self.arms.values())

    def grids(self, name):
        """A grid for each arm, all of that name."""
        crossed = {"gap": list(self.gaps), "seed": list(range(FIRST, FIRST + self.seeds))}
        drawn = {"draws": self.draws} if self.draws else {}
        return [{"name": name, "axes": {knob: [value] for knob, value in (self.knobs | arm).items()} | crossed} | drawn
                for arm in self.arms.values()]

    def of(self, runs, *names):
        """The Arms of these names, from a frame of trials."""
        return [self._arm(runs, name) for name in names]

    def verdict(self, statement, comparison, faithful=False):
        """A Verdict of this protocol; `faithful` as there."""
        return Verdict("", statement, comparison, self.seeds, protocol=self.protocol, faithful=faithful)

    def _arm(self, runs, name):
        knobs = self.knobs | self.arms[name]
        trial = Trial(**{"lr": 1.0} | knobs, gap=self.gaps[0])
        drawn = [*self.draws["knobs"]] if self.draws else []
        wanted = trial.model_dump() | {"init": trial.initialisation}
        runs = runs[runs["search"].ne("") == bool(drawn)]
        for knob in ARM:
            if knob in drawn or knob == "lr" and "lr" not in knobs:
                continue
            runs = runs[runs[knob].isna() if wanted[knob] is None else runs[knob] == wanted[knob]]
        return _known(name, runs[runs["gap"].isin(self.gaps) & runs["seed"].between(FIRST, FIRST + self.seeds - 1)])


def of_preset(files, preset):
    """[(id of a claim, Setup)] of a preset; `files` is {id: its module}."""
    return [(id, setup) for id, file in files.items() for setup in file.SETUPS.get(preset, file.SETUPS["default"])]


def at(arm, *gaps):
    """The arm at these gaps alone, with what is known of its learning rates there."""
    return _known(arm.name, arm.runs[arm.runs["gap"].isin(gaps)])


def _known(name, runs):
    """An Arm with what is known of its learning rates.

    That no rate solves a gap is no doubt: it was tried from one end of the rates to the other, so a better one between them is no
    way out. It is said beside the counts.
    """
    known = runs.groupby("gap")["lr_doubt"].first()
    doubts = [f"gap {gap}: {why}" for gap, why in known.items() if why not in ("", UNSOLVED)]
    unsolved = [str(gap) for gap, why in known.items() if why == UNSOLVED]
    note = f"no learning rate solved gap {', '.join(unsolved)}" if unsolved else ""
    return Arm(name, runs, "; ".join(doubts), note)


def power(seeds, comparisons, find=fisher_power, worth=RATES):
    """What that many seeds an arm find, in words, where the claim has that many comparisons.

    find : fisher_power of two success rates `worth`, or rank_power of the probability `worth`
    """
    chance = find((seeds, seeds), worth, ALPHA / comparisons)
    what = f"a probability of {worth:g}" if find is rank_power else "{:g} against {:g}".format(*worth)
    return f"{seeds} seeds an arm find {what} with probability {chance:.2f}"


def pooled(name, arms):
    """The trials of several arms as one Arm."""
    runs = pd.concat([arm.runs for arm in arms])
    return Arm(name, runs, "; ".join(arm.doubted for arm in arms if arm.doubt))
