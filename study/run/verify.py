"""Recorded trials, run again and compared bit for bit."""

import hashlib
import json

from study.records import compare
from study.run import engine
from study.run.progress import Progress


def sample(ids, size):
    """`size` of the ids, spread over all arms as if by chance, and the same ones every time."""
    return sorted(ids, key=lambda id: hashlib.sha256(id.encode()).digest())[:size]


def again(pairs, *, work, places, weigh, **options):
    """Run recorded trials again.

    Parameters
    ----------
    pairs : [(Trial, its record)]
    work, places, weigh, options : as in study.run.engine.run

    Returns
    -------
    (Tally, {id: differences}), as study.records.compare.differences gives them, a being what is recorded and b what came now
    """
    records, differences = {trial.id: record for trial, record in pairs}, {}

    def check(trial, outcome):
        if "result" in outcome:
            recorded = {key: records[trial.id][key] for key in ("status", "result")}
            now = json.loads(json.dumps({"status": outcome["status"], "result": outcome["result"]}))
            if found := list(compare.differences(recorded, now)):
                differences[trial.id] = found

    trials = [trial for trial, _ in pairs]
    with Progress("verify", trials, places, weigh) as show:
        tally = engine.run(trials, work, check, places, weigh=weigh, show=show, **options)
    return tally, differences
