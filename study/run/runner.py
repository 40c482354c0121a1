"""A study from its plan to its records, in two stages: learning rates are chosen, then everything else is trained with them.

Learning rates are chosen in rounds: the plan says which trials they need now, until it needs no more.
"""

from collections import Counter
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from study.plan import toml
from study.plan.plan import PLAN, Plan, folder_of, missing, way_of
from study.records import store
from study.run import engine
from study.run.estimate import Estimate
from study.run.progress import Progress


@dataclass
class Summary:
    """What a run did, and the counts and failures of all wanted trials after it."""

    folder: Path
    ran: int = 0
    counts: Counter = field(default_factory=Counter)  # as Plan.counts
    failures: dict = field(default_factory=dict)  # {id: {"status", "reason", ...}}
    waiting: int = 0  # trials whose learning rate is not chosen: a selection trial failed, or did not run yet
    interrupted: bool = False
    stopped: bool = False  # before the end: interrupted, or after a failure with fail_fast


class Runner:
    """Runs a study into its folder.

    Parameters
    ----------
    study : Study
    out : folder of all results
    subset : Subset, the trials to run
    executor, work : as in study.run.engine.run
    facts : dict, the machine that the numbers are made on
    options : retry (run trials again that failed or crashed before), fail_fast (as in study.run.engine.run)
    """

    def __init__(self, study, out, subset, *, executor, work, facts, **options):
        self.study, self.subset, self.folder = study, subset, folder_of(out, study)
        self.executor, self.work, self.facts = executor, work, facts
        self.retry, self.fail_fast = options.get("retry", False), options.get("fail_fast", False)
        self.described_hosts, self.computed, self.estimate = set(), set(), None

    def run(self, say):
        """Compute what is not recorded yet, then compact. Calls `say` with each line of warning. Returns the Summary."""
        self.say = say
        store.put(self.folder / PLAN, toml.dumps(self.study))
        contents = store.read(self.folder)
        if store.alive(self.folder):
            self.say(f"{self.folder}: another run is writing here; both will be right, but they may do the same work")
        plan = self._plan(contents)
        if plan.selecting and self.study.selection and self.study.selection.committed:
            self.say(f"{self.study.selection.committed} has no committed learning rates for {len(plan.selecting)} combinations of "
                     "task, cell and initialisation: they are chosen first")
        summary = Summary(self.folder)
        with store.Driver(self.folder, self.facts | {"workers": self.executor.workers}) as driver:
            plan = self._choose(plan, driver, contents, summary)
            self._stage(self.study.name, plan, plan.training, driver, contents, summary)
        contents = store.compact(self.folder)
        summary.waiting = len(plan.waiting)
        summary.counts = plan.counts(contents)
        summary.failures = {trial.id: contents.failures[trial.id] for trial in plan.failed(contents)}
        return summary

    def _plan(self, contents):
        return Plan.from_records(self.study, contents, self.subset)

    def _choose(self, plan, driver, contents, summary):
        """Choose learning rates and write their table. Returns the plan with them."""
        for round in count(1):
            title = "learning rates" if round == 1 else f"learning rates, round {round}"
            if not self._stage(title, plan, plan.choosing, driver, contents, summary):
                break
            plan = self._plan(contents)
        if plan.choices:
            way = way_of(self.study)
            store.put(self.folder / way.TABLE, way.dumps(plan.choices))
        return plan

    def _stage(self, title, plan, trials, driver, contents, summary):
        """Compute those of the plan's trials that are not recorded and that this run has not computed. Returns whether there were any."""
        to_run = [trial for trial in missing(trials, contents, self.retry) if trial.id not in self.computed]
        if not to_run or summary.stopped:
            return False
        if recorded := sum(trial.id in contents.lines and trial.id not in self.computed for trial in trials):
            self.say(f"{title}: {recorded} of {len(trials)} trials are recorded already")

        def sink(trial, outcome):
            self._describe(driver, outcome["host"])
            self.computed.add(trial.id)
            if outcome["status"] in store.FINAL:
                contents.add(trial.id, driver.record(trial, outcome), outcome["result"].as_dict())
                contents.origins[trial.id] = {key: outcome[key] for key in ("seconds", "host")}
            else:
                driver.failure(trial, outcome)

        driver.begin()
        if self.estimate is None:
            self.estimate = Estimate.of_this_machine(self.executor.crowding())
            for trial in plan.recorded(contents):
                self.estimate.learn(trial, contents.brief[trial.id])
        with Progress(title, to_run, self.executor, self.estimate, searches=plan.searches) as show:
            tally = engine.run(to_run, self.work, sink, self.executor, weigh=self.estimate.expected, show=show,
                               fail_fast=self.fail_fast)
        summary.ran += sum(tally.counts.values())
        summary.interrupted = tally.interrupted
        summary.stopped = tally.interrupted or bool(tally.failures) and self.fail_fast
        return True

    def _describe(self, driver, host):
        """Log the facts of the machines again when the first outcome of a new host arrives."""
        if host not in self.described_hosts:
            facts = self.executor.facts()
            driver.describe(self.facts | facts)
            self.described_hosts |= {host, *facts.get("hosts", ())}
