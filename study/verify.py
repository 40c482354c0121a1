"""Recorded trials, run again and compared bit for bit."""

import hashlib
import json

from study import engine
from study.progress import Progress


def sample(ids, size):
    """`size` of the ids, spread over all arms as if by chance, and the same ones every time."""
    return sorted(ids, key=lambda id: hashlib.sha256(id.encode()).digest())[:size]


def again(pairs, *, work, places, weigh, **options):
    """Run recorded trials again.

    Parameters
    ----------
    pairs : [(Trial, its record)]
    work, places, weigh, options : as in study.engine.run

    Returns
    -------
    (Tally, {id: first difference}); a number is the same when its shortest decimal form is, which is one to one with its bits.
    """
    records, differences = {trial.id: record for trial, record in pairs}, {}

    def compare(trial, outcome):
        if "result" in outcome:
            recorded = {key: records[trial.id][key] for key in ("status", "result")}
            now = json.loads(json.dumps({"status": outcome["status"], "result": outcome["result"]}))
            if found := difference(recorded, now):
                differences[trial.id] = found

    trials = [trial for trial, _ in pairs]
    with Progress("verify", trials, places.workers, weigh) as show:
        tally = engine.run(trials, work, compare, places, weigh=weigh, show=show, **options)
    return tally, differences


def difference(recorded, now, path=""):
    """The first place where two values differ, as a line; None where they are the same."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        for key in [*recorded, *(key for key in now if key not in recorded)]:
            if key not in recorded or key not in now:
                return f"{path}{key}: only {'recorded' if key in recorded else 'now'}"
            if found := difference(recorded[key], now[key], f"{path}{key}."):
                return found
        return None
    if isinstance(recorded, list) and isinstance(now, list) and len(recorded) == len(now):
        pairs = enumerate(zip(recorded, now, strict=True))
        return next((found for k, (a, b) in pairs if (found := difference(a, b, f"{path}{k}."))), None)
    if json.dumps(recorded) == json.dumps(now):
        return None
    return f"{path.rstrip('.')}: recorded {json.dumps(recorded)}, now {json.dumps(now)}"
