"""Synthetic records for the tests of the report, with every kind of outcome.

They have the form of real records; their numbers follow a toy law: an arm solves a gap in about `cost` x gap sequences.
"""

import hashlib
import math
from collections import defaultdict

import numpy as np
import toy

from kernels import CELLS
from study import claims
from study.plan import selection, toml
from study.plan.plan import Plan
from study.records import store
from study.tasks import TASKS
from study.trial.result import Evaluation, Result

RATE = defaultdict(lambda: -0.3, rnn=-0.5, peephole=-0.28, gru=-0.35, gru_after=-0.35)
COST = defaultdict(lambda: 600, rnn=2500, peephole=700, coupled=500, gru=450, gru_after=450)


def result(trial):
    """A made-up Result of a trial, the same each time."""
    words = hashlib.sha256(trial.id.encode()).digest()
    luck = np.random.default_rng(int.from_bytes(words[:8], "little"))
    task = TASKS[trial.task].at(trial.gap)
    cost = COST[trial.cell] * (1 if trial.init == "long" or trial.head == "attention" else 6) * luck.lognormal(0, 0.35)
    needs = 2000 + cost * max(trial.gap, 4)
    blind = trial.task == "recall/both" and trial.direction == "forward"
    solved = task.rule is not None and needs < trial.budget and not blind and trial.method == "bptt"
    diverged = trial.cell == "rnn" and trial.gap >= 200 and trial.seed % 5 == 4 and trial.method == "bptt"
    parameters = sum(math.prod(shape) for shape in ((len(CELLS[trial.cell].blocks), trial.units, trial.units + task.inputs),))
    given = {"solved": None if task.rule is None else bool(solved and not diverged),
             "sequences": int(needs) if solved and not diverged else trial.budget, "parameters": parameters,
             "digest": words.hex()}
    learned = 1 / (1 + cost * max(trial.gap, 4) / trial.budget) if task.rule is None else float(solved)
    score = max(task.chance["score"], learned) if not blind else task.chance["score"] * 4
    n = 360 if task.rule is None else 2560
    if trial.method == "guess":
        return Result(**given, guesses=500, test=Evaluation(n, int(n * task.chance["score"]), task.chance["loss"]))
    given |= {"final_loss": float(task.chance["loss"] * (1.001 - score)), "curve": curve(task, given["sequences"], score, luck)}
    given["norms"] = {"start": norms(trial, luck, 1.0)}
    if diverged:
        return Result(**given, diverged_at=3200)
    given["alpha"] = alpha(trial) if trial.head == "attention" else None
    given["norms"]["end"] = norms(trial, luck, 0.1 if solved else 0.9)
    return Result(**given, test=Evaluation(n, int(n * score), 0.1))


def curve(task, stop, score, luck):
    at = np.linspace(2000, stop, 24).astype(int)
    rise = 1 / (1 + np.exp(-12 * (at / stop - 0.8)))
    scores = task.chance["score"] + (score - task.chance["score"]) * rise + luck.normal(0, 0.005, len(at))
    return {"sequences": at.tolist(), "score": scores.clip(0, 1).tolist(),
            "loss": (task.chance["loss"] * (1.01 - scores)).tolist()}


def norms(trial, luck, part):
    lag = sorted({int(value) for value in np.geomspace(1, 2 * max(trial.gap, 4), 28)} | {0})
    rate = RATE[trial.cell] * (0.1 if trial.init == "long" else 1) * part * luck.lognormal(0, 0.05)
    falls = {"h": np.exp(rate * np.array(lag)) * luck.lognormal(0, 0.05, len(lag)) * 0.3}
    if "c" in CELLS[trial.cell].states:
        falls["c"] = 2 * falls["h"]
        falls["direct"] = np.exp(1.1 * rate * np.array(lag))
    if CELLS[trial.cell].retains:
        falls["f"] = np.exp(rate * np.array(lag))
    return {"lag": lag} | {name: [float(value) if value > 1e-300 else None for value in fall] for name, fall in falls.items()}


def alpha(trial):
    """An answer to each of two sequences, which looks at the step after the cue."""
    shown = range(0, trial.gap + 3, -(-(trial.gap + 3) // 32))
    weights = [[1.0 if step <= at + 1 < step + shown.step else 0.0 for step in shown] for at in (0, 1)]
    return {"steps": list(shown), "sequence": [0, 1], "read": [trial.gap, trial.gap + 1], "length": [trial.gap + 1, trial.gap + 2],
            "weights": weights}


def write(folder, preset="quick", keep=lambda trial: True, study="gap"):
    """A preset's folder as a run leaves it, of the trials that `keep` accepts; rates are chosen from made-up trials too."""
    study = claims.resolve(study, preset)
    choosing = {trial.id: trial for trials in study.selecting.values() for trial in trials}
    results = {id: result(trial) for id, trial in choosing.items()}
    choices = {key: selection.choose(study, key, results) for key in study.selecting}
    store.put(folder / "plan.toml", toml.dumps(study))
    store.put(folder / "selection.json", selection.dumps(choices))
    with store.Driver(folder, {"machine": "made up"}) as driver:
        for trial in [*choosing.values(), *Plan(study, choices).training]:
            if keep(trial):
                driver.record(trial, toy.outcome_of(result(trial), host="nowhere"))
    store.compact(folder)
