"""Runs trials on an executor and hands each outcome to a sink: order, retries, interruption.

Design. One loop in the driver. Each slot holds one trial; the longest trials start first, so that no long one is left for the
end. Nothing that a trial does raises here: it becomes an outcome, {"status": "done", "diverged", "failed" or "crashed",
"seconds", "host"} and "result" or "reason". When a worker dies, its trial is tried again on a new one; a trial that has killed
LIVES workers is crashed, and the rest go on. A trial that was lost through no fault of its own is tried again without limit.
Only the driver writes records, and it writes an outcome before it counts the trial as finished.
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

from study.run.clock import Stopwatch

LIVES = 3  # workers that a trial may kill
TICK = 0.2  # seconds between two checks of the running trials
LONGEST_REASON = 2000  # characters


@dataclass
class Tally:
    """What became of the trials: counts by status, {id: outcome} of failures and crashes, and whether a signal interrupted."""

    counts: Counter = field(default_factory=Counter)
    failures: dict = field(default_factory=dict)
    interrupted: bool = False


def run(trials, work, sink, executor, *, weigh, show, fail_fast=False):
    """Run every trial.

    Parameters
    ----------
    trials : Trials, each once
    work : Trial -> study.trial.result.Result; importable, since it runs in other processes
    sink : called as sink(trial, outcome) for each, in this process; ValueError makes the outcome a failure, anything
        else ends the run
    executor : study.run.executors.Executor
    weigh : Trial -> predicted seconds
    show : a study.run.progress.Progress
    fail_fast : start no more trials after a failure

    Returns
    -------
    Tally
    """
    tally, kills, stopwatch = Tally(), Counter(), Stopwatch()
    waiting = [(-weigh(trial), trial.id, trial) for trial in trials]
    heapify(waiting)
    running, answered = {}, []  # {future: (slot, trial, start)}, [(trial, outcome)] not yet written
    try:
        with _Interrupts() as interrupts:
            while running or answered or waiting and not _over(tally, answered, fail_fast):
                try:
                    while waiting and not interrupts.count and not _over(tally, answered, fail_fast):
                        if (slot := executor.acquire()) is None:
                            break
                        trial = heappop(waiting)[-1]
                        running[slot.submit(attempt, work, trial)] = (slot, trial, stopwatch.seconds())
                finally:  # outcomes are written while the workers compute, and also if no trial could be started
                    for trial, outcome in answered:
                        _settle(tally, trial, outcome, sink, show)
                answered.clear()
                tally.interrupted = interrupts.count > 0
                if interrupts.count > 1:
                    break
                now = stopwatch.seconds()
                show.update([(trial, now - start) for _, trial, start in running.values()], tally.interrupted)
                if waiting and not running:
                    time.sleep(TICK)  # the cluster has no workers yet
                for future in _ready(running):
                    slot, trial, start = running.pop(future)
                    outcome = _outcome(future, slot, stopwatch.seconds() - start, kills, trial)
                    executor.release(slot)
                    if outcome is None:
                        heappush(waiting, (-weigh(trial), trial.id, trial))
                    else:
                        answered.append((trial, outcome))
    finally:  # trials are left only after a second interrupt or an error
        for slot, _, _ in running.values():
            slot.kill()
            executor.release(slot)
    return tally


def _over(tally, answered, fail_fast):
    """Whether no more trials may start."""
    failed = tally.failures or any("reason" in outcome for _, outcome in answered)
    return tally.interrupted or fail_fast and failed


def attempt(work, trial):
    """The outcome of a trial; runs in the worker."""
    start = time.perf_counter()
    try:
        result = work(trial)
        outcome = {"status": result.status, "result": result}
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        outcome = _failed(f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})")
    return outcome | {"seconds": time.perf_counter() - start, "host": socket.gethostname()}


def _failed(reason, status="failed"):
    return {"status": status, "reason": reason[:LONGEST_REASON]}


def _ready(running):
    """The futures that are done or overdue."""
    done, pending = wait(running, timeout=TICK, return_when=FIRST_COMPLETED)
    return [*done, *(future for future in pending if running[future][0].overdue())]


def _outcome(future, slot, seconds, kills, trial):
    """The outcome of a future that is done or overdue; None if the trial is to be tried again."""
    where = {"seconds": seconds, "host": socket.gethostname()}
    try:
        return slot.result(future)
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
    """Write an outcome, then count and show it."""
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
    """Counts SIGINT and SIGTERM instead of obeying them. A signal that the parent process had ignored stays ignored."""

    def __enter__(self):
        self.count, self._handlers = 0, {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._handlers[number] = signal.signal(number, self._count)
        return self

    def _count(self, number, frame):
        self.count += 1

    def __exit__(self, *error):
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
