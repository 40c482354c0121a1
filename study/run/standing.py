"""How a study stands: what would run, what is there, what is missing."""

from heapq import nlargest

from study.records import store, table
from study.run import arms, runner
from study.run.cost import cost, learned, memory
from study.tasks import TASKS


def forecast(study, wanted, out, workers, retry=False):
    """What a run would do, as a dict: counts of trials, the seconds and bytes that they take at most. Writes nothing."""
    folder = runner.folder(out, study)
    choosing, arms, taken = runner.stages(study, wanted)
    contents = store.read(folder)
    choices = runner.chosen(study, contents) | taken
    first = [trial for trials in choosing.values() for trial in trials]
    main = runner.training(arms, choices, wanted)
    waiting = [arm.trial for arm in arms if arm.key is not None and arm.key not in choices]
    to_run = [*runner.missing(first, contents, retry), *runner.missing(main, contents, retry), *waiting]
    costs = list(map(cost, to_run))
    return {
        "study": study.name,
        "preset": study.preset,
        "folder": str(folder),
        "selection": len(first),
        "trials": len(main) + len(waiting),
        "recorded": sum(trial.id in contents.lines for trial in (*first, *main)),
        "failed": sum(trial.id in contents.failures for trial in (*first, *main)),
        "to_run": len(costs),
        "core_seconds": round(sum(costs)),
        "seconds": round(max([sum(costs) / workers, *costs])),
        "bytes": sum(nlargest(workers, map(memory, to_run))),
    }


def status(folder):
    """What of a folder's plan is done, diverged, failed, crashed and missing, the best of each arm, and the time that is left."""
    study, choices, trials = table.planned(folder, TASKS)
    contents = store.read(folder)
    alive = [contents.drivers.get(path.stem, {}) for path in store.alive(folder)]
    workers = sum(facts.get("workers", 1) for facts in alive)
    unrated = [arm.trial for arm in study.arms if arm.key is not None and arm.key not in choices]
    counts = runner.count(trials, contents)
    missing = [*runner.missing(trials, contents), *unrated]
    planned = {trial.id for trial in trials}
    seconds = contents.seconds
    timed = [(trial, seconds[trial.id]) for trial in trials if trial.id in seconds]
    best = arms.Best([trial for trial in trials if trial.purpose == "train"])
    for trial in trials:
        if trial.purpose == "train" and trial.id in contents.lines:
            best.add(trial, contents.brief[trial.id]["result"])
    left = sum(map(learned(timed), missing))
    return {
        "study": study.name,
        "preset": study.preset,
        "folder": str(folder),
        "trials": len(trials) + len(unrated),
        **{name: counts[name] for name in ("done", "diverged", "failed", "crashed")},
        "missing": len(missing),
        "outside_plan": sum(id not in planned for id in contents.lines),
        "best": list(best.arms.values()),
        "running_drivers": len(alive),
        "workers": workers,
        "core_seconds_left": round(left),
        "seconds_left": round(left / max(1, workers)),
        "failures": {id: failure["reason"] for id, failure in contents.failures.items() if id in planned},
        "damage": contents.damage,
    }
