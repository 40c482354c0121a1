"""Made-up results as a law of learning rate and seed, and plans that are driven by them, for the tests of tuning."""

import hashlib
from dataclasses import dataclass, replace
from math import exp, log10
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import synthetic
import toy

from study.plan import spec, toml, tuning
from study.plan.plan import Plan, missing
from study.records import store
from study.trial.result import Evaluation, Result

FILE = """
name = "tuned"
knobs = {{ {knobs} }}
tuning = {{ rates = [0.001, 0.01], seeds = 2, finalists = 1, final_seeds = 3, extend = 1 }}
[[grids]]
name = "grid"
seeds = 2
axes = {{ cell = ["rnn", "lstm"], gap = [2, 4], init = ["long"] }}
"""
GRIDS = [{"name": "g", "seeds": 2, "axes": {"cell": ["lstm"], "gap": [12, 25]}}]


def file(folder, knobs):
    """A study file of 20 to 44 trials that tune four rates, and 8 that use them."""
    path = Path(folder, "tuned.toml")
    path.write_text(FILE.format(knobs=knobs))
    return path


def study(table=None, **more):
    """A tuned Study, with the content of `[tuning]`."""
    return spec.read({"name": "s", "grids": GRIDS, "tuning": table or {}} | more)


@dataclass
class Law:
    """A trial needs `least` sequences at the rate `best`, and more by exp(steep x^2) at x decades from it, with some luck."""

    best: float = 0.003
    least: float = 10_000
    steep: float = 3.0
    noise: float = 0.1
    largest: float = 1e9  # rate above which a trial diverges

    def __call__(self, trial):
        luck = np.random.default_rng(list(hashlib.sha256(f"{trial.lr} {trial.seed} {trial.gap} {trial.cell}".encode()).digest())).normal()
        away = abs(log10(trial.lr / self.best))
        needs = self.least * exp(self.steep * away**2 + self.noise * luck)
        if trial.lr > self.largest:
            return Result(solved=False, sequences=trial.budget, final_loss=0.1, diverged_at=9)
        solved = needs <= trial.budget
        return Result(solved=solved, sequences=int(needs) if solved else trial.budget, final_loss=away + 0.01, test=Evaluation(9, 9, away))


def contents(results, **failures):
    """What a Plan asks of records, given {id: Result}."""
    return SimpleNamespace(lines=results, brief=results, failures=failures)


def plan_of(study, results):
    return Plan.from_records(study, contents(results))


def driven(study, law, results=(), shuffle=None):
    """The {id: Result} of all trials that choose rates, from those that are recorded, in the order in which they were computed."""
    results = dict(results)
    while wanted := missing(plan_of(study, results).choosing, contents(results)):
        if shuffle:
            shuffle(wanted)
        results |= {trial.id: law(trial) for trial in wanted}
    return results


def outcomes(study, law):
    """{gap: Outcome} of a study of one arm."""
    return {dict(key)["gap"]: outcome for key, outcome in plan_of(study, driven(study, law)).choices.items()}


def write(folder, study, law):
    """A preset's folder as a run leaves it, with trials by the law."""
    plan = plan_of(study, driven(study, law))
    store.put(folder / "plan.toml", toml.dumps(study))
    store.put(folder / "tuning.json", tuning.dumps(plan.choices))
    with store.Driver(folder, {"machine": "made up"}) as driver:
        for trial in plan.trials:
            of_law = law(trial)
            judged = {name: getattr(of_law, name) for name in ("solved", "sequences", "final_loss", "diverged_at")}
            driver.record(trial, toy.outcome_of(replace(synthetic.result(trial), **judged)))
    store.compact(folder)
