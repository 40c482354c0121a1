"""The table `beside`: what papers and a public collection report of their experiments, and what our trials of them came to."""

from operator import attrgetter

import pandas as pd

from study.claims._collection import COLLECTION
from study.claims._protocols import PROTOCOLS
from study.claims.ledger._setup import Setup, at, of_preset
from study.plan.arm import ARM
from study.tasks import TASKS
from study.trial.knobs import Trial

GRID, SEEDS = "collection", 10
MEASURED = {"guesses", "test_loss"}  # columns that only some kinds of trials have
FIXED = attrgetter("gap", *(knob for knob in ARM if knob != "budget"))


def _alone(name, knobs):
    """The Setup of one experiment."""
    arm = {knob: value for knob, value in knobs.items() if knob != "gap"}
    return Setup({}, {name: arm}, (knobs["gap"],), SEEDS)


COLLECTED = [(GRID, _alone(name, theirs.knobs)) for name, theirs in COLLECTION.items()]
"""[(grid, Setup)] of the collection's experiments, which no claim rests on."""


def table(runs, files):
    """One row for each experiment, those of the same task together; empty where none has been run.

    `solved` counts the runs that meet the pass rule, or whose test loss is small enough where the experiment is judged by it. `mean` and
    `median` are those of what `measure` names: sequences or guesses of the runs that solve the task, or the test loss of all.

    Parameters
    ----------
    runs : trials, as `study.load` gives them
    files : {id: the module of a claim}, some of whose setups are runs of a paper's protocol
    """
    runs = runs.assign(**dict.fromkeys(MEASURED - {*runs}))
    places = _places(files)
    experiments = PROTOCOLS | COLLECTION
    tasks = list(dict.fromkeys(_kind(experiment) for experiment in experiments.values()))
    together = sorted(experiments.items(), key=lambda named: tasks.index(_kind(named[1])))
    rows = [_row(runs, places, name, experiment) for name, experiment in together]
    return pd.DataFrame(rows if any(row["runs"] for row in rows) else [])


def _kind(experiment):
    """The task without its version."""
    return experiment.knobs["task"].partition("/")[0]


def _row(runs, places, name, experiment):
    knobs, task = experiment.knobs, TASKS[experiment.knobs["task"]]
    ours, command = _ours(runs, places, knobs)
    solved, measure, values = _judged(ours, experiment)
    return {
        "experiment": f"{task.title}, {task.axis} {knobs['gap']}", "protocol": name, "whose": experiment.source,
        "their_runs": experiment.runs, "their_solved": experiment.solved, "their_cost": experiment.cost,
        "runs": len(ours), "solved": int(solved.sum()), "measure": measure, "mean": values.mean(), "median": values.median(),
        "followed": experiment.score, "differs": "; ".join(f"{aspect}: {how}" for aspect, how in experiment.differs.items()),
        "command": command}


def _ours(runs, places, knobs):
    """(our trials of an experiment, the command that repeats them)"""
    if _fixed(knobs) not in places:
        return runs[:0].assign(counted=runs["sequences"][:0]), ""
    preset, grid, setup, arm = places[_fixed(knobs)]
    only = {"grid": grid} | {knob: knobs[knob] for knob in ("task", "cell", "gap")}
    command = f"python -m study run ledger --preset {preset} --out again" + "".join(f" --only {axis}={value}" for axis, value in only.items())
    return at(*setup.of(runs, arm), knobs["gap"]).runs, command


def _judged(ours, experiment):
    """(which trials solve the task, what is measured, its values)"""
    if experiment.below is not None:
        losses = ours["test_loss"].astype(float) * experiment.scale
        return losses < experiment.below, "test loss", losses
    solved, measure = ours["solved"].eq(True), "guesses" if experiment.knobs.get("method") == "guess" else "sequences"
    return solved, measure, ours["guesses" if measure == "guesses" else "counted"][solved].astype(float)


def _places(files):
    """{what an experiment fixes: (preset, grid, Setup, arm)} of all that is planned, by `default` where that has it."""
    planned = [(preset, *placed) for preset in ("full", "default") for placed in of_preset(files, preset) + COLLECTED]
    return {_fixed(setup.knobs | own | {"gap": gap}): (preset, grid, setup, arm)
            for preset, grid, setup in planned for arm, own in setup.arms.items() for gap in setup.gaps}


def _fixed(knobs):
    """What the trials of an experiment share: all knobs but the seed, and the budget, which a claim may shorten."""
    return FIXED(Trial(**{"lr": 1.0, "record": "brief"} | knobs))
