"""The plan: which trials of a study are wanted, and which of them are recorded, missing or waiting for a learning rate.

The commands run, status, verify, report and export, and the dry run, all ask here. Nothing here reads records: `contents` is
a study.records.store.Contents, of which `lines`, `brief` and `failures` are used.
"""

from collections import Counter
from functools import cached_property
from pathlib import Path

from study.plan import selection, toml, tuning
from study.plan.subset import EVERYTHING

PLAN, CHOICES = "plan.toml", (selection.TABLE, tuning.TABLE)  # files of a preset's folder
SOLVED = {True: "solved", False: "censored", None: "without a rule"}


def folder_of(out, study):
    """The folder of a study's preset below `out`."""
    return Path(out) / study.name / study.preset


def way_of(study):
    """The module by which a study's learning rates are chosen, which reads and writes their table."""
    return tuning if study.tuning else selection


class Plan:
    """The wanted trials of a study, as far as their learning rates are known.

    Parameters
    ----------
    study : Study
    choices : {rate key: choice}, the learning rates that are chosen so far; see study.plan.selection and study.plan.tuning
    subset : Subset, which trials of the study are wanted
    begun : {rate key: {rate: seeds}} on which other rates are tuned; the first stage for those that are left out

    Attributes
    ----------
    points : points of the study's grids that are wanted
    """

    def __init__(self, study, choices, subset=EVERYTHING, begun=None):
        self.study, self.choices, self.subset, self.begun = study, choices, subset, begun or {}
        self.points = tuple(point for point, grids in study.places.items() if subset.may_have(point, grids))
        self._way = way_of(study)
        self._chosen = self._way.rates(choices)

    @classmethod
    def from_records(cls, study, contents, subset=EVERYTHING):
        """The plan with the learning rates of the study's committed table, and those that recorded trials choose."""
        if study.tuning:
            outcomes, begun = tuning.search(study, contents.brief)
            return cls(study, outcomes, subset, begun)
        return cls(study, selection.complete(study, contents.brief) | selection.committed(study), subset)

    @classmethod
    def from_folder(cls, folder, tasks=None, contents=None):
        """The plan that a preset's folder holds, with the learning rates in its table; `tasks` as in study.plan.spec.read.

        With `contents`, the rates of a tuned study that are not in the table are as far as the records go.
        Raises SpecError if the folder has no plan, or a wrong one.
        """
        study = toml.load(Path(folder, PLAN), tasks)
        table = Path(folder, way_of(study).TABLE)
        choices, begun = way_of(study).read(table) if table.exists() else {}, {}
        if study.tuning and contents:
            outcomes, begun = tuning.search(study, contents.brief, known=choices)
            choices |= outcomes
        return cls(study, choices, begun=begun)

    @cached_property
    def rate_keys(self):
        """The rate keys of the points."""
        return tuple(dict.fromkeys(point.rate_key for point in self.points if point.rate_key is not None))

    @cached_property
    def selecting(self):
        """{rate key: trials} that choose the learning rates which no committed table has."""
        if self.study.tuning:
            return {key: tuning.trials(key, self._seeds(key)) for key in self.rate_keys}
        return {key: self.study.selecting[key] for key in self.rate_keys if self.choices.get(key, {"from": None})["from"] is None}

    def _seeds(self, key):
        """{rate: seeds} on which the rate of a key is tuned, as far as that is known."""
        return self.choices[key].seeds() if key in self.choices else self.begun.get(key, self.study.tuning.start())

    @cached_property
    def ahead(self):
        """[(trial, at least, at most)]: how many more trials like this one each rate that is being tuned may take."""
        undecided = [key for key in self.selecting if key not in self.choices] if self.study.tuning else []
        return [(self.selecting[key][0], *self.study.tuning.ahead(self._seeds(key))) for key in undecided]

    @cached_property
    def choosing(self):
        """The trials of `selecting`, in one tuple."""
        return tuple(trial for trials in self.selecting.values() for trial in trials)

    @cached_property
    def bounds(self):
        """(at least, at most): how many trials choose learning rates."""
        return tuple(len(self.choosing) + sum(bounds[which] for bounds in self.ahead) for which in (1, 2))

    @cached_property
    def rated(self):
        """[(point, its trial)] of the wanted points whose learning rate is known."""
        rates = self._chosen | {None: None}  # None: the point needs no choice
        return [(point, point.at(rates[point.rate_key])) for point in self.points if point.rate_key in rates]

    @cached_property
    def training(self):
        """The other wanted trials, of the points whose learning rate is known."""
        return tuple({trial.id: trial for _, trial in self.rated if self.subset.has(trial)}.values())

    @cached_property
    def searches(self):
        """{id of a trial that was drawn: its study.plan.draws.Search}."""
        return {trial.id: search for point, trial in self.rated if (search := self.study.searches[point])}

    @cached_property
    def rates(self):
        """{id: (learning rate, doubt)}: what was chosen for a trial; for one that tuned, what its search chose in the end."""
        tuned = [(trial, key) for key, trials in self.selecting.items() for trial in trials] if self.study.tuning else []
        pairs = [*((trial, point.rate_key) for point, trial in self.rated), *tuned]
        return {trial.id: (self._chosen[key], self._way.doubt(self.choices[key])) for trial, key in pairs if key in self._chosen}

    @cached_property
    def waiting(self):
        """The trials whose learning rate is not chosen yet, with a rate that stands in for it."""
        return tuple(point.trial for point in self.points if point.rate_key is not None and point.rate_key not in self.choices)

    @cached_property
    def trials(self):
        """`choosing` and `training`."""
        return self.choosing + self.training

    def recorded(self, contents):
        """The trials that are done or diverged."""
        return [trial for trial in self.trials if trial.id in contents.lines]

    def failed(self, contents):
        """The trials that failed or crashed, and are not recorded since."""
        return [trial for trial in self.trials if trial.id in contents.failures]

    def outside(self, contents):
        """Ids of records that are not of this plan."""
        planned = {trial.id for trial in self.trials}
        return [id for id in contents.lines if id not in planned]

    def counts(self, contents):
        """Counter of the trials that are done, diverged, failed, crashed and missing; those that are done once more by kind.

        The kinds: solved, censored, without a rule to judge them by, for learning rates, and probed.
        """
        counts = Counter()
        for trial in self.trials:
            if trial.id not in contents.lines:
                counts[contents.failures.get(trial.id, {"status": "missing"})["status"]] += 1
                continue
            result = contents.brief[trial.id]
            counts[result.status] += 1
            if result.status == "done":
                counts[_kind(trial, result)] += 1
        return counts


def missing(trials, contents, retry=False):
    """Those of the trials that are not recorded; with `retry` those too that failed or crashed before."""
    return [trial for trial in trials if trial.id not in contents.lines and (retry or trial.id not in contents.failures)]


def _kind(trial, result):
    if trial.purpose == "select":
        return "for learning rates"
    return "probed" if trial.method == "probe" else SOLVED[result.solved]
