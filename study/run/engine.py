"""Trials through workers into a sink: order, retries, interruption.

One loop. Each place holds one trial at a time; the longest go first, so that no long one is left for the end. A trial never
raises here: whatever becomes of it is an outcome, {"status": "done", "diverged", "failed" or "crashed", "seconds", "host"} and
"result" or "reason". When a worker dies, its trial is tried again on a new one; a trial that kills three is crashed, and
the rest go on; one that was lost without its fault is tried again for ever. The driver is the only one who writes: a worker's
outcome is written before the trial counts as finished.
"""

import signal
import socket
import threading
import time
import traceback
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, wait
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

LIVES = 3
TICK = 0.2  # seconds between looks at the clock


@dataclass
class Tally:
    """What became of the trials: counts by status, ids of those that failed or crashed, and whether someone interrupted."""

    counts: Counter = field(default_factory=Counter)
    failures: dict = field(default_factory=dict)
    interrupted: bool = False


def run(trials, work, sink, places, *, weigh, show, fail_fast=False):
    """Run every trial.

    Parameters
    ----------
    trials : Trials, each once
    work : Trial -> study.trial.result.Result; importable, since it runs in other processes
    sink : called as sink(trial, outcome) for each, in this process; ValueError makes the outcome a failure, anything
        else ends the run
    places : from study.run.executors
    weigh : Trial -> predicted seconds
    show : a study.run.progress.Progress
    fail_fast : start nothing more after a failure

    Returns
    -------
    Tally
    """
    tally, kills = Tally(), Counter()
    waiting = [(-weigh(trial), trial.id, trial) for trial in trials]
    heapify(waiting)
    running, answered = {}, []
    try:
        with _Interrupts() as interrupts:
            while running or answered or waiting and not _over(tally, answered, fail_fast):
                try:
                    while waiting and not interrupts.count and not _over(tally, answered, fail_fast) and (place := places.take()):
                        trial = heappop(waiting)[-1]
                        running[place.submit(attempt, work, trial)] = (place, trial, time.monotonic())
                finally:  # written while the workers are at their next trials, and where there is no place for those, too
                    for trial, outcome in answered:
                        _settle(tally, trial, outcome, sink, show)
                answered.clear()
                tally.interrupted = interrupts.count > 0
                if interrupts.count > 1:
                    break
                show.look(len(running), tally.interrupted)
                if waiting and not running:
                    time.sleep(TICK)  # until a cluster has workers
                for future in _ready(running):
                    place, trial, since = running.pop(future)
                    outcome = _outcome(future, place, time.monotonic() - since, kills, trial)
                    places.give(place)
                    if outcome is None:
                        heappush(waiting, (-weigh(trial), trial.id, trial))
                    else:
                        answered.append((trial, outcome))
    finally:  # empty, but for a second interrupt or an error
        for place, _, _ in running.values():
            place.kill()
            places.give(place)
    return tally


def _over(tally, answered, fail_fast):
    failed = tally.failures or any("reason" in outcome for _, outcome in answered)
    return tally.interrupted or fail_fast and failed


def attempt(work, trial):
    """A trial's outcome, in the worker."""
    began = time.perf_counter()
    try:
        result = work(trial)
        outcome = {"status": result.status, "result": result.as_dict()}
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        outcome = _failed(f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})")
    return outcome | {"seconds": time.perf_counter() - began, "host": socket.gethostname()}


def _failed(reason, status="failed"):
    return {"status": status, "reason": reason[:2000]}


def _ready(running):
    """Futures that have an answer, or whose time is up."""
    done, pending = wait(running, timeout=TICK, return_when=FIRST_COMPLETED)
    return [*done, *(future for future in pending if running[future][0].late())]


def _outcome(future, place, seconds, kills, trial):
    """What a future says, None where the trial is to be tried again."""
    where = {"seconds": seconds, "host": socket.gethostname()}
    try:
        return place.answer(future)
    except CancelledError:
        return None
    except BrokenExecutor as error:
        kills[trial.id] += 1
        if kills[trial.id] < LIVES:
            return None
        return _failed(f"killed {LIVES} workers; the last: {error}", "crashed") | where
    except Exception as error:
        return _failed(f"{type(error).__name__}: {error}") | where


def _settle(tally, trial, outcome, sink, show):
    try:
        sink(trial, outcome)
    except ValueError as error:
        outcome = _failed(f"its result cannot be recorded: {error}") | {key: outcome[key] for key in ("seconds", "host")}
        sink(trial, outcome)
    tally.counts[outcome["status"]] += 1
    if "reason" in outcome:
        tally.failures[trial.id] = outcome
    show.finished(trial, outcome)


class _Interrupts:
    """Counts SIGINT and SIGTERM while the block lasts, in place of what they do otherwise."""

    def __enter__(self):
        self.count = 0
        here = threading.current_thread() is threading.main_thread()
        self._before = {number: signal.signal(number, self._hear) for number in (signal.SIGINT, signal.SIGTERM) if here}
        return self

    def _hear(self, number, frame):
        self.count += 1

    def __exit__(self, *error):
        for number, handler in self._before.items():
            signal.signal(number, handler)
