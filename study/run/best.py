"""The best of each arm so far: how many trials are solved, at which largest gap, after how few sequences."""

from collections import Counter

from study.plan.arm import arm_of
from study.trial.knobs import DEFAULTS, KNOBS

ALWAYS = {"cell", "task", "init"}  # knobs that are named at their default too
LAST = ("horizon", "lr", "budget")  # knobs that often follow from others: named only where arms differ at one gap in nothing else


class Best:
    """The best of each arm of the given trials. An arm's name lists the knobs in which the arms differ.

    A random search is one arm, whatever it draws; `searches`: {id of a trial that was drawn: its study.plan.draws.Search}.
    """

    def __init__(self, trials, searches=None):
        self.searches = searches or {}
        crossed = [trial for trial in trials if trial.id not in self.searches]
        arms, at_gaps = {arm_of(trial): trial for trial in crossed}, {(arm_of(trial), trial.gap): trial for trial in crossed}
        first = [knob for knob in KNOBS if knob not in ("cell", "gap", "seed", *LAST)]
        axes = ["cell", *(knob for knob in first if len({getattr(arm, knob) for arm in arms.values()}) > 1)]
        for knob in LAST:
            values = {(_name(arm, axes), arm.gap, getattr(arm, knob)) for arm in at_gaps.values()}
            if len(values) > len({(name, gap) for name, gap, _ in values}):
                axes.append(knob)
        self.names = {key: _name(arm, axes) for key, arm in arms.items()}
        self.planned = Counter(map(self.name, trials))
        self.arms = {}  # {name: dict for `line`}, in the order of their last change

    def name(self, trial):
        """The name of the trial's arm."""
        return self.searches[trial.id].name if trial.id in self.searches else self.names[arm_of(trial)]

    def add(self, trial, result):
        """Count a trial that is done or diverged. Of its Result, solved, sequences and test are read."""
        name, solved = self.name(trial), result.solved
        arm = self.arms.pop(name, {"arm": name, "finished": 0, "of": self.planned[name]})
        arm["finished"] += 1
        if solved is not None:
            arm["solved"] = arm.get("solved", 0) + solved
        if solved:
            _better(arm, "gap", trial.gap, max)
            _better(arm, "sequences", result.sequences, min)
        elif solved is None and result.test is not None and result.test.answers is not None:
            if result.test.loss is not None:
                _better(arm, "loss", result.test.loss, min)
        elif solved is None and result.test is not None:
            _better(arm, "right", result.test.correct / result.test.n, max)
        self.arms[name] = arm

    def lines(self, most):
        """One line for each of the arms that changed last, the latest last."""
        return [line(arm) for arm in list(self.arms.values())[-most:]]


def _name(trial, axes):
    values = {axis: getattr(trial, axis) for axis in axes}
    shown = {axis: value for axis, value in values.items() if axis in ALWAYS or value != DEFAULTS[axis]}
    return " ".join(value if isinstance(value, str) else f"{axis} {value}" for axis, value in shown.items())


def _better(arm, what, value, choose):
    arm[what] = choose(value, arm.get(what, value))


def line(arm):
    """One entry of Best.arms as text."""
    words = f"{arm['arm']}: {arm['finished']} of {arm['of']} finished"
    if "right" in arm:
        words += f", at best {arm['right']:.1%} right"
    if "loss" in arm:
        words += f", least test loss {arm['loss']:.4g}"
    if "solved" in arm:
        words += f", {arm['solved']} solved"
    if "gap" in arm:
        words += f", largest gap {arm['gap']}, fewest sequences {arm['sequences']:,}"
    return words
