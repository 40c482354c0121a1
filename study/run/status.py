"""The state of a preset's folder: what is recorded, what is missing, who writes there, and how long the rest takes."""

from study.plan.plan import Plan
from study.records import store
from study.run.best import Best
from study.run.estimate import Estimate
from study.run.left import Left
from study.tasks import TASKS


def status(folder):
    """Counts of the plan's trials by status, the best of each arm, and the estimated time left, as a dict."""
    contents = store.read(folder)
    plan = Plan.from_folder(folder, TASKS, contents)
    drivers = [contents.drivers.get(path.stem, {}) for path in store.alive(folder)]
    workers = sum(facts.get("workers", 1) for facts in drivers)
    counts = plan.counts(contents)
    left = Left(plan, contents)
    seconds = contents.seconds
    estimate = Estimate() if seconds else Estimate.of_this_machine()
    for trial in plan.recorded(contents):
        if trial.id in seconds:
            estimate.finished(trial, contents.brief[trial.id], seconds[trial.id])
    best = Best([trial for trial in plan.training if trial.purpose == "train"], plan.searches)
    for trial in plan.training:
        if trial.purpose == "train" and trial.id in contents.lines:
            best.add(trial, contents.brief[trial.id])
    keys = plan.rate_keys
    return {
        "study": plan.study.name,
        "preset": plan.study.preset,
        "folder": str(folder),
        "trials": len(plan.trials) + len(plan.waiting) + left.fewest - len(left.trials),
        **{name: counts[name] for name in ("done", "diverged", "failed", "crashed")},
        "missing": left.fewest,
        "missing_at_most": left.most,
        "rates": len(keys),
        "rates_chosen": sum(key in plan.choices for key in keys),
        "outside_plan": len(plan.outside(contents)),
        "best": list(best.arms.values()),
        "running_drivers": len(drivers),
        "workers": workers,
        "core_seconds_left": round(left.span(estimate, 1)[0]),
        "core_seconds_left_at_most": round(left.span(estimate, 1)[1]),
        "seconds_left": round(left.span(estimate, workers)[0]),
        "seconds_left_at_most": round(left.span(estimate, workers)[1]),
        "failures": {trial.id: contents.failures[trial.id]["reason"] for trial in plan.failed(contents)},
        "damage": contents.damage,
    }
