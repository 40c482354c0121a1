"""The state of a preset's folder: what is recorded, what is missing, who writes there, and how long the rest takes."""

from study.plan.plan import Plan, missing
from study.records import store
from study.run.best import Best
from study.run.estimate import Estimate, grouped
from study.tasks import TASKS


def status(folder):
    """Counts of the plan's trials by status, the best of each arm, and the estimated time left, as a dict."""
    plan, contents = Plan.from_folder(folder, TASKS), store.read(folder)
    drivers = [contents.drivers.get(path.stem, {}) for path in store.alive(folder)]
    workers = sum(facts.get("workers", 1) for facts in drivers)
    counts = plan.counts(contents)
    to_run = [*missing(plan.trials, contents), *plan.waiting]
    seconds = contents.seconds
    estimate = Estimate() if seconds else Estimate.of_this_machine()
    for trial in plan.recorded(contents):
        if trial.id in seconds:
            estimate.finished(trial, contents.brief[trial.id], seconds[trial.id])
    best = Best([trial for trial in plan.training if trial.purpose == "train"], plan.searches)
    for trial in plan.training:
        if trial.purpose == "train" and trial.id in contents.lines:
            best.add(trial, contents.brief[trial.id])
    left = grouped(to_run).values()
    return {
        "study": plan.study.name,
        "preset": plan.study.preset,
        "folder": str(folder),
        "trials": len(plan.trials) + len(plan.waiting),
        **{name: counts[name] for name in ("done", "diverged", "failed", "crashed")},
        "missing": len(to_run),
        "outside_plan": len(plan.outside(contents)),
        "best": list(best.arms.values()),
        "running_drivers": len(drivers),
        "workers": workers,
        "core_seconds_left": round(estimate.span(left, 1)[0]),
        "core_seconds_left_at_most": round(estimate.span(left, 1)[1]),
        "seconds_left": round(estimate.span(left, workers)[0]),
        "seconds_left_at_most": round(estimate.span(left, workers)[1]),
        "failures": {trial.id: contents.failures[trial.id]["reason"] for trial in plan.failed(contents)},
        "damage": contents.damage,
    }
