"""Kills drivers and workers at random moments."""

import os
import random
import time
from pathlib import Path

AT_ONCE = 2  # trials that two workers compute at once
FOUR = 4  # arms of the toy study


def drivers(study, undisturbed, kills, longest):
    """Kill the driver by SIGKILL, `kills` times, at random moments up to `longest` seconds after its start."""
    left = 0
    for _ in range(kills):
        process = study.start()
        time.sleep(random.uniform(0, longest) * random.choice((0.4, 1)))  # rather before the report than during it
        below = children(process.pid)
        process.kill()
        process.communicate()
        left += len(outlive(below, 5))
    return study.cost(kills, undisturbed, left)


def workers(study, undisturbed, kills, number):
    """Kill workers by the signal `number` at random moments of the study, at least `kills` times if it lasts long enough.

    Only workers that have finished a trial are killed: a new worker's first trial is one whose worker was killed, and a trial
    that loses three workers counts as crashed.
    """
    process, done = study.start(heard=False), 0
    while done < kills and process.poll() is None:
        time.sleep(random.uniform(0.05, 0.3))
        finished = set(study.noted("workers"))
        for pid in children(process.pid):
            if str(pid) in finished:
                done += killed(pid, number)
    study.finish(process)
    return study.cost(done, undisturbed, wrong=process.returncode != 0)


def killed(pid, number):
    """Send a signal; whether the process was there."""
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


def children(pid):
    """All descendants of a process."""
    try:
        below = [int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [*below, *(deeper for child in below for deeper in children(child))]


def outlive(pids, seconds):
    """The processes that still run after `seconds`; returns as soon as there are none."""
    until = time.monotonic() + seconds
    while (left := [pid for pid in pids if runs(pid)]) and time.monotonic() < until:
        time.sleep(0.02)
    return left


def runs(pid):
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def poison(study, undisturbed):
    """Trials of seed 1 raise, those of seed 2 kill their workers; both are reported, the rest finish. Then run without faults."""
    code, said = study.run()
    counts = {word: sum(line.startswith(f"{word}: ") for line in said.splitlines()) for word in ("failed", "crashed")}
    wrong = code != 1 or any(count != 2 * FOUR for count in counts.values())  # said at once, and at the end
    study.command.append("--retry-failed")
    study.environment.pop("TOY")
    return study.cost(FOUR, undisturbed, wrong=wrong)
