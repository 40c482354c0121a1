"""The dry run: what a run would do, how long it would take, and how much memory."""

from heapq import nlargest

from study.plan.plan import Plan, folder_of, missing
from study.records import store
from study.run.cost import memory
from study.run.estimate import Estimate, crowding, grouped


def forecast(study, subset, out, workers, retry=False):
    """What a run would do, as a dict: counts of trials, and estimated seconds and bytes. Writes nothing.

    `expected_seconds` and `seconds` (at most) are of this machine as busy as it is now, `core_seconds` of one idle processor.
    """
    folder = folder_of(out, study)
    contents = store.read(folder)
    plan = Plan.from_records(study, contents, subset)
    to_run = [*missing(plan.trials, contents, retry), *plan.waiting]
    idle = Estimate.of_this_machine() if to_run else Estimate()
    for trial in plan.recorded(contents):
        idle.learn(trial, contents.brief[trial.id])
    expected, at_most = idle.span(grouped(to_run).values(), workers)
    slower = crowding(workers)
    return {
        "study": study.name,
        "preset": study.preset,
        "folder": str(folder),
        "selection": len(plan.choosing),
        "trials": len(plan.training) + len(plan.waiting),
        "recorded": len(plan.recorded(contents)),
        "failed": len(plan.failed(contents)),
        "to_run": len(to_run),
        "core_seconds": round(idle.span(grouped(to_run).values(), 1)[1]),
        "expected_seconds": round(slower * expected),
        "seconds": round(slower * at_most),
        "bytes": sum(nlargest(workers, map(memory, to_run))),
    }
