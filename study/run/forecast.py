"""The dry run: what a run would do, how long it would take, and how much memory."""

from heapq import nlargest

from study.plan.plan import Plan, folder_of, missing
from study.records import store
from study.run.cost import cost, memory


def forecast(study, subset, out, workers, retry=False):
    """What a run would do, as a dict: counts of trials, and the seconds and bytes that they take at most. Writes nothing."""
    folder = folder_of(out, study)
    contents = store.read(folder)
    plan = Plan.from_records(study, contents, subset)
    to_run = [*missing(plan.trials, contents, retry), *plan.waiting]
    costs = list(map(cost, to_run))
    return {
        "study": study.name,
        "preset": study.preset,
        "folder": str(folder),
        "selection": len(plan.choosing),
        "trials": len(plan.training) + len(plan.waiting),
        "recorded": len(plan.recorded(contents)),
        "failed": len(plan.failed(contents)),
        "to_run": len(costs),
        "core_seconds": round(sum(costs)),
        "seconds": round(max([sum(costs) / workers, *costs])),
        "bytes": sum(nlargest(workers, map(memory, to_run))),
    }
