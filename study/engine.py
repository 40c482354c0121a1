"""Trials through workers into a sink: order, retries, interruption.

One loop. Each place holds one trial at a time; the longest go first, so that no long one is left for the end. A trial never
raises here: whatever becomes of it is an outcome, {"status": "done", "diverged", "failed" or "crashed", "seconds", "host"} and
"result" or "reason". When a worker dies, its trial is tried again on a new one; a trial that kills three is crashed, and
the rest go on. The driver is the only one who writes: a worker's outcome is written before the trial counts as finished.
"""

import signal
import socket
import threading
import time
import traceback
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, wait
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


def run(trials, work, sink, places, *, weigh, show, timeout=None, fail_fast=False):
    """Run every trial.

    Parameters
    ----------
    trials : Trials, each once
    work : Trial -> {"status": "done" or "diverged", "result": dict}; importable, since it runs in other processes
    sink : called as sink(trial, outcome) for each, in this process; ValueError makes the outcome a failure, anything
        else ends the run
    places : from study.executors; closed at the end
    weigh : Trial -> predicted seconds
    show : a study.progress.Progress
    timeout : seconds after which a trial is ended and counts as failed
    fail_fast : start nothing more after a failure

    Returns
    -------
    Tally
    """
    tally, kills = Tally(), Counter()
    waiting = [(-weigh(trial), trial.id, trial) for trial in trials]
    heapify(waiting)
    idle, running, answered = list(places), {}, []
    try:
        with _Interrupts() as interrupts:
            while running or answered or waiting and not _over(tally, fail_fast):
                while idle and waiting and not interrupts.count and not _over(tally, fail_fast):
                    place, trial = idle.pop(), heappop(waiting)[-1]
                    running[place.submit(attempt, work, trial)] = (place, trial, time.monotonic())
                for trial, outcome in answered:  # written while the workers are at their next trials
                    _settle(tally, trial, outcome, sink, show)
                answered.clear()
                tally.interrupted = interrupts.count > 0
                if interrupts.count > 1:
                    for place, _, _ in running.values():
                        place.kill()
                    break
                show.look(len(running), tally.interrupted)
                for future in _ready(running, timeout):
                    place, trial, since = running.pop(future)
                    outcome = _outcome(future, place, time.monotonic() - since, kills, trial)
                    idle.append(place)
                    if outcome is None:
                        heappush(waiting, (-weigh(trial), trial.id, trial))
                    else:
                        answered.append((trial, outcome))
    except BaseException:
        for place, _, _ in running.values():
            place.kill()
        raise
    finally:
        for place in places:
            place.close()
    return tally


def _over(tally, fail_fast):
    return tally.interrupted or fail_fast and tally.failures


def attempt(work, trial):
    """A trial's outcome, in the worker."""
    began = time.perf_counter()
    try:
        outcome = work(trial)
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        outcome = _failed(f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})")
    return outcome | {"seconds": time.perf_counter() - began, "host": socket.gethostname()}


def _failed(reason, status="failed"):
    return {"status": status, "reason": reason[:2000]}


def _ready(running, timeout):
    """Futures that have an answer, or whose time is up."""
    done, pending = wait(running, timeout=TICK, return_when=FIRST_COMPLETED)
    now = time.monotonic()
    return [*done, *(future for future in pending if timeout and now - running[future][2] > timeout)]


def _outcome(future, place, seconds, kills, trial):
    """What a future says, None where the trial is to be tried again."""
    where = {"seconds": seconds, "host": socket.gethostname()}
    if not future.done():
        place.kill()
        return _failed(f"ended after {seconds:.0f} s (--timeout)") | where
    try:
        return future.result()
    except BrokenExecutor as error:
        place.kill()
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
