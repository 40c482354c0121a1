"""The dry run: what a run would do, how long it would take, and how much memory."""

from heapq import nlargest

from study.plan.plan import Plan, folder_of
from study.records import store
from study.run.cost import memory
from study.run.estimate import Estimate, crowding
from study.run.left import Left


def forecast(study, subset, out, workers, retry=False):
    """What a run would do, as a dict: counts of trials, and estimated seconds and bytes. Writes nothing.

    `expected_seconds` and `seconds` (at most) are of this machine as busy as it is now, `core_seconds` of one idle processor.
    """
    folder = folder_of(out, study)
    contents = store.read(folder)
    plan = Plan.from_records(study, contents, subset)
    left = Left(plan, contents, retry)
    idle = Estimate.of_this_machine() if left.trials else Estimate()
    for trial in plan.recorded(contents):
        idle.learn(trial, contents.brief[trial.id])
    expected, at_most = left.span(idle, workers)
    slower = crowding(workers)
    return {
        "study": study.name,
        "preset": study.preset,
        "folder": str(folder),
        "selection": plan.bounds[0],
        "selection_at_most": plan.bounds[1],
        "trials": len(plan.training) + len(plan.waiting),
        "recorded": len(plan.recorded(contents)),
        "failed": len(plan.failed(contents)),
        "to_run": left.fewest,
        "to_run_at_most": left.most,
        "core_seconds": round(left.span(idle, 1)[1]),
        "expected_seconds": round(slower * expected),
        "seconds": round(slower * at_most),
        "bytes": sum(nlargest(workers, map(memory, left.trials))),
    }
