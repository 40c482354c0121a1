"""Runs recorded trials again and compares the results bit for bit."""

import hashlib
import json

from study.records import compare
from study.run import engine
from study.run.estimate import Estimate
from study.run.progress import Progress
from study.trial.result import Result


def sample(ids, size):
    """`size` of the ids, drawn by their hashes: spread over all arms, and the same ones every time."""
    return sorted(ids, key=lambda id: hashlib.sha256(id.encode()).digest())[:size]


def again(pairs, *, work, executor):
    """Run recorded trials again.

    Parameters
    ----------
    pairs : [(Trial, its record)]
    work, executor : as in study.run.engine.run

    Returns
    -------
    (Tally, {id: differences}), as study.records.compare.differences gives them: a is the record, b is computed now
    """
    records, differences = {trial.id: record for trial, record in pairs}, {}

    def check(trial, outcome):
        if "result" in outcome:
            recorded = {key: records[trial.id][key] for key in ("status", "result")}
            now = json.loads(json.dumps({"status": outcome["status"], "result": outcome["result"].as_dict()}))
            if places := list(compare.differences(recorded, now)):
                differences[trial.id] = places

    trials = [trial for trial, _ in pairs]
    estimate = Estimate.of_this_machine(executor.crowding())
    for trial, record in pairs:
        estimate.learn(trial, Result.of(record["result"]))
    with Progress("verify", trials, executor, estimate) as show:
        tally = engine.run(trials, work, check, executor, weigh=estimate.expected, show=show)
    return tally, differences
