"""A study from its plan to its records, in two stages: learning rates are chosen, then everything else is trained with them."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from study.errors import SpecError, unknown
from study.plan import selection, toml
from study.plan.spec import lines
from study.records import store
from study.run import engine
from study.run.cost import learned
from study.run.progress import Progress
from study.trial.knobs import KNOBS, annotated

SOLVED = {True: "solved", False: "censored", None: "without a rule"}


class Only(NamedTuple):
    """Which trials of a plan to run: {axis: values}, and seeds below `seeds`."""

    axes: dict
    seeds: int | None = None

    def keeps(self, trial, but=()):
        seeded = self.seeds is None or trial.seed < self.seeds
        return seeded and all(getattr(trial, axis) in values for axis, values in self.axes.items() if axis not in but)


def only(texts, seeds, study):
    """The Only of `AXIS=VALUE[,VALUE]` arguments; raises SpecError for an axis or a value that the plan does not have."""
    axes, wrong = {}, []
    for text in texts:
        axis, _, values = text.partition("=")
        if axis not in KNOBS:
            wrong.append("--only: " + unknown("axis", axis, KNOBS))
            continue
        has = {getattr(arm.trial, axis) for arm in study.arms if arm.key is None or axis != "lr"}
        if axis == "lr" and study.selection:
            has |= set(study.selection.rates)
        for value in values.split(","):
            try:
                known = TypeAdapter(annotated(axis)).validate_strings(value)
            except ValidationError as error:
                wrong += [f"--only {axis}: {line}" for line in lines(error)]
                continue
            if known not in has:
                shown = ", ".join(map(str, sorted(has - {None})))
                wrong.append(f"--only {axis}={value}: the plan has {shown}")
            axes.setdefault(axis, set()).add(known)
    if wrong:
        raise SpecError("\n".join(wrong))
    return Only(axes, seeds)


class Stages(NamedTuple):
    """What is to be computed: `choosing` {key: trials}, the `arms` they serve, and the committed choices that are `taken`."""

    choosing: dict
    arms: tuple
    taken: dict


def stages(study, wanted):
    """The Stages of the trials that are wanted; raises SpecError if there are none."""
    arms = tuple(arm for arm in study.arms if wanted.keeps(arm.trial, but=("lr",)))
    if not arms:
        raise SpecError("no trial of the plan is left by --only and --seeds")
    taken = selection.committed(study)
    keys = dict.fromkeys(arm.key for arm in arms if arm.key is not None and arm.key not in taken)
    return Stages({key: study.selecting[key] for key in keys}, arms, taken)


def training(arms, choices, wanted):
    """The trials of the arms whose rate is known, each once."""
    rates = selection.rates(choices)
    known = (arm.at(rates.get(arm.key)) for arm in arms if arm.key is None or arm.key in rates)
    return tuple({trial.id: trial for trial in known if wanted.keeps(trial)}.values())


@dataclass
class Summary:
    """What a run did, and how its trials stand: counts by status over what was wanted, ids and reasons of failures."""

    folder: Path
    ran: int = 0
    counts: Counter = field(default_factory=Counter)
    failures: dict = field(default_factory=dict)
    waiting: int = 0  # trials whose learning rate is not chosen: a trial of the selection failed, or was not run yet
    interrupted: bool = False
    stopped: bool = False  # before the end: interrupted, or a failure with fail_fast


class Runner:
    """Runs a study into its folder.

    Parameters
    ----------
    study : Study
    out : folder of all results
    wanted : Only
    places, work : as in study.run.engine.run
    facts : dict, what the numbers are made on
    say : called with each line of warning
    retry : run trials again that failed or crashed before
    options : fail_fast, as in study.run.engine.run
    """

    def __init__(self, study, out, wanted, *, places, work, facts, say, retry=False, **options):
        self.study, self.wanted, self.folder = study, wanted, folder(out, study)
        self.places, self.work, self.facts = places, work, facts
        self.say, self.retry, self.options = say, retry, options
        self.hosts = set()  # those that are described

    def run(self):
        """Compute what is not recorded yet, then compact. Returns the Summary."""
        choosing, arms, taken = stages(self.study, self.wanted)
        first = tuple(trial for trials in choosing.values() for trial in trials)
        store.put(self.folder / "plan.toml", toml.dumps(self.study))
        contents = store.read(self.folder)
        for line in contents.damage:
            self.say(line)
        if store.alive(self.folder):
            self.say(f"{self.folder}: another run is writing here; both will be right, but they may do the same work")
        if choosing and self.study.selection.committed:
            self.say(f"{self.study.selection.committed} has no committed rate for {len(choosing)} arms: they are chosen first")
        summary = Summary(self.folder)
        with store.Driver(self.folder, self.facts | {"workers": self.places.workers}) as driver:
            self._stage("learning rates", first, first, driver, contents, summary)
            choices = chosen(self.study, contents) | taken
            if choices:
                store.put(self.folder / "selection.json", selection.dumps(choices))
            summary.waiting = sum(arm.key is not None and arm.key not in choices for arm in arms)
            main = training(arms, choices, self.wanted)
            self._stage(self.study.name, main, (*first, *main), driver, contents, summary)
        contents = store.compact(self.folder)
        wanted = (*first, *main)
        summary.counts = count(wanted, contents)
        summary.failures = {trial.id: contents.failures[trial.id] for trial in wanted if trial.id in contents.failures}
        return summary

    def _stage(self, title, trials, known, driver, contents, summary):
        """Compute the trials that are not recorded. `known`: those whose times, where they are recorded, tell how long it takes."""
        todo = missing(trials, contents, self.retry)
        if not todo or summary.stopped:
            return
        if recorded := sum(trial.id in contents.lines for trial in trials):
            self.say(f"{title}: {recorded} of {len(trials)} trials are recorded already")

        def sink(trial, outcome):
            self._describe(driver, outcome["host"])
            if outcome["status"] in store.FINAL:
                contents.lines[trial.id] = driver.record(trial, outcome)
                contents.origins[trial.id] = {key: outcome[key] for key in ("seconds", "host")}
            else:
                driver.failure(trial, outcome)

        driver.begin()
        seconds = contents.seconds
        weigh = learned((trial, seconds[trial.id]) for trial in known if trial.id in seconds)
        with Progress(title, todo, self.places, weigh) as show:
            tally = engine.run(todo, self.work, sink, self.places, weigh=weigh, show=show, **self.options)
        summary.ran += sum(tally.counts.values())
        summary.interrupted = tally.interrupted
        summary.stopped = tally.interrupted or bool(tally.failures) and self.options.get("fail_fast", False)

    def _describe(self, driver, host):
        """Note what the numbers are made on when they come from a host that was not there before."""
        if host not in self.hosts:
            facts = self.places.facts()
            driver.describe(self.facts | facts)
            self.hosts |= {host, *facts.get("hosts", ())}


def folder(out, study):
    """Where a study's preset lies."""
    return Path(out) / study.name / study.preset


def missing(trials, contents, retry=False):
    """The trials that are not recorded; those that failed before only with `retry`."""
    return [t for t in trials if t.id not in contents.lines and (retry or t.id not in contents.failures)]


def chosen(study, contents):
    """{key: choice} for each key whose selection trials are all recorded."""
    whole = (key for key, trials in study.selecting.items() if all(trial.id in contents.lines for trial in trials))
    return {
        key: selection.choose(study, key, {trial.id: contents.record(trial.id) for trial in study.selecting[key]})
        for key in whole
    }


def count(trials, contents):
    """How many of the trials are done, diverged, failed, crashed, missing; and of those that are done: solved, censored,
    without a rule to judge them by, for learning rates, or probed."""
    counts = Counter()
    for trial in trials:
        if trial.id not in contents.lines:
            counts[contents.failures.get(trial.id, {"status": "missing"})["status"]] += 1
            continue
        record = contents.brief[trial.id]
        counts[record["status"]] += 1
        if record["status"] == "done":
            counts[_kind(trial, record["result"])] += 1
    return counts


def _kind(trial, result):
    if trial.purpose == "select":
        return "for learning rates"
    return "probed" if trial.method == "probe" else SOLVED[result["solved"]]
