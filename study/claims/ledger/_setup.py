"""The trials of a comparison: arms that differ in a few knobs, over gaps and seeds."""

from dataclasses import dataclass, replace
from math import log

from study.plan.arm import ARM
from study.plan.chosen import UNSOLVED
from study.statistics.arms import LEARNED, Arm
from study.statistics.ratios import equal_power, t_power
from study.statistics.risks import WORTH as RATES
from study.statistics.risks import fisher_power
from study.statistics.shares import TRUE, sign_power
from study.statistics.superiority import WORTH as RANKS
from study.statistics.superiority import rank_power
from study.statistics.verdict import ALPHA, NOW, PUBLISHED, Verdict
from study.tasks import TASKS
from study.trial.knobs import Trial

FIRST = 100  # seeds below it have been looked at, or choose learning rates
SPREAD, FACTOR = 0.3, 1.5  # of a seed's log of sequences in earlier studies; within which costs count as equal


@dataclass(frozen=True)
class Setup:
    """Arms, crossed with gaps and seeds.

    Parameters
    ----------
    knobs : {knob: value}, which all arms share. Without `lr`, each arm's learning rate is tuned at each gap.
    arms : {name: {knob: value}}
    gaps : the tested gaps, ascending
    seeds : number of seeds; they begin with FIRST
    fidelity : where it is a published protocol, how that is followed, as in study.statistics.verdict.Verdict
    draws : a random search in place of tuned rates, as `[grids.draws]` of a study file
    """

    knobs: dict
    arms: dict
    gaps: tuple
    seeds: int
    fidelity: tuple = ()
    draws: dict | None = None

    @property
    def tuned(self):
        """Whether learning rates are tuned."""
        return not self.draws and any("lr" not in self._knobs(arm) for arm in self.arms)

    @property
    def protocol(self):
        """How it judges: as published, or as practised now."""
        return PUBLISHED if self.fidelity else NOW

    def grids(self, name):
        """A grid for each arm, all of that name."""
        crossed = {"gap": list(self.gaps), "seed": list(range(FIRST, FIRST + self.seeds))}
        drawn = {"draws": self.draws} if self.draws else {}
        return [{"name": name, "axes": {knob: [value] for knob, value in self._knobs(arm).items()} | crossed} | drawn for arm in self.arms]

    def of(self, runs, *names):
        """The Arms of these names, or all, from a frame of trials: of each seed that has run every gap.

        Their `sequences` and `budget` leave out the window of the pass rule, which all solved seeds spend alike; `counted` has it.
        """
        return [self._arm(runs, name) for name in names or self.arms]

    def verdict(self, statement, comparison, control=None, planned=None):
        """A Verdict.

        `control` : the Arm that shows that the task can be learned in this set-up, which its counts name too
        `planned` : how many seeds or nets it will have, where its rule chooses among the nets
        """
        planned = planned or (self.draws["n"] if self.draws else self.seeds)
        passes = control is not None and control.solved[1] > 0 and control.rate >= LEARNED
        if comparison and control is not None and str(control) not in comparison.counts.split("; "):
            comparison = replace(comparison, counts=f"{comparison.counts}; control: {control}")
        return Verdict("", statement, comparison, planned, protocol=self.protocol, fidelity=self.fidelity, control=passes)

    def _knobs(self, arm):
        return {"record": "brief"} | self.knobs | self.arms[arm]

    def _arm(self, runs, name):
        knobs = self._knobs(name)
        trial = Trial(**{"lr": 1.0} | knobs, gap=self.gaps[0])
        drawn = {*self.draws["knobs"]} if self.draws else set()
        if drawn & {"scheme", "forget_bias", "chrono"}:  # which the column `init` puts into words
            drawn.add("init")
        wanted = trial.model_dump() | {"init": trial.initialisation}
        runs = runs[runs["search"].ne("") == bool(drawn)]
        for knob in ARM:
            if knob in drawn or knob == "lr" and "lr" not in knobs:
                continue
            runs = runs[runs[knob].isna() if wanted[knob] is None else runs[knob] == wanted[knob]]
        runs = runs[runs["gap"].isin(self.gaps) & runs["seed"].between(FIRST, FIRST + self.seeds - 1)]
        runs = runs[runs.groupby("seed")["gap"].transform("nunique") == len(self.gaps)]
        rule = TASKS[trial.task].rule
        window = rule.window - 1 if rule and trial.method != "probe" else 0
        return _known(name, runs.assign(counted=runs["sequences"], sequences=runs["sequences"] - window, budget=runs["budget"] - window))


def of_preset(files, preset):
    """[(id of a claim, Setup)] of a preset; `files` is {id: its module}."""
    return [(id, setup) for id, file in files.items() for setup in file.SETUPS.get(preset, file.SETUPS["default"])]


def at(arm, *gaps, name=None):
    """The arm at these gaps alone, with what is known of its learning rates there; by another name where it is compared with itself."""
    return _known(name or arm.name, arm.runs[arm.runs["gap"].isin(gaps)])


def _known(name, runs):
    """An Arm with what is known of its learning rates.

    That no rate solves a gap is no doubt, unless the best one by its loss lies at an edge: it was tried from one end of the rates to the
    other, so none between them is a way out. It is said beside the counts.
    """
    known = runs.groupby("gap")["lr_doubt"].first()
    doubts = [f"gap {gap}: {why}" for gap, why in known.items() if why not in ("", UNSOLVED)]
    unsolved = [str(gap) for gap, why in known.items() if why == UNSOLVED]
    note = f"no learning rate solved gap {', '.join(unsolved)}" if unsolved else ""
    return Arm(name, runs, "; ".join(doubts), note)


def power(kind, seeds, comparisons):
    """What that many seeds an arm find, in words, where the claim has that many comparisons.

    kind : "rates", two success rates; "ranks", a probability of doing better; "equal", that costs are equal within FACTOR; "ratio", a
        ratio of costs that is FACTOR away from its bound; "nets", what nearly all nets show
    """
    alpha, sizes = ALPHA / comparisons, (seeds, seeds)
    if kind == "rates":
        what, chance = "{:g} against {:g}".format(*RATES), fisher_power(sizes, RATES, alpha)
    elif kind == "ranks":
        what, chance = f"a probability of {RANKS:g}", rank_power(sizes, RANKS, alpha)
    elif kind == "equal":
        what, chance = f"that costs are equal within {FACTOR}", equal_power(SPREAD, sizes, log(FACTOR), alpha)
    elif kind == "ratio":
        what, chance = f"a ratio {FACTOR} times away from its bound", t_power(SPREAD, sizes, log(FACTOR), alpha)
    else:
        what, chance = f"what {TRUE:.0%} of nets show", sign_power(seeds, TRUE, alpha)
    return f"{seeds} seeds an arm find {what} with probability {chance:.2f}"
