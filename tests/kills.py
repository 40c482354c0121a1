"""Drivers and workers that are killed at random moments."""

import os
import random
import time
from pathlib import Path

AT_ONCE = 2  # trials that two workers have in hand
FOUR = 4  # arms of the toy study


def drivers(study, undisturbed, kills, longest):
    """Kill -9 the driver, `kills` times, at moments from its start until after its end, about `longest` seconds later."""
    left = 0
    for _ in range(kills):
        process = study.start()
        time.sleep(random.uniform(0, longest) * random.choice((0.4, 1)))  # more often before the report than in it
        below = children(process.pid)
        process.kill()
        process.communicate()
        left += len(outlive(below, 5))
    return study.cost(kills, undisturbed, left)


def workers(study, undisturbed, kills, number):
    """Kill the workers by that signal every now and then while the study lasts, at least `kills` times if it lasts so long.

    Only those that have finished a trial: the first that they get are those that were hit, and one that is hit three times
    counts as poison.
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
    """Whether there was a process to be killed."""
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


def children(pid):
    """Processes under a process, all generations."""
    try:
        below = [int(child) for task in Path(f"/proc/{pid}/task").glob("*/children") for child in task.read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [*below, *(deeper for child in below for deeper in children(child))]


def outlive(pids, seconds):
    """Those that still run after so many seconds; returns as soon as there are none."""
    until = time.monotonic() + seconds
    while (left := [pid for pid in pids if runs(pid)]) and time.monotonic() < until:
        time.sleep(0.02)
    return left


def runs(pid):
    """Who died but was not waited for yet does not run."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def poison(study, undisturbed):
    """Trials of seed 1 raise and those of seed 2 kill every worker: both are named and the rest finish; then they are well again."""
    code, said = study.run()
    counts = {word: sum(line.startswith(f"{word}: ") for line in said.splitlines()) for word in ("failed", "crashed")}
    wrong = code != 1 or any(count != 2 * FOUR for count in counts.values())  # said at once, and at the end
    study.command.append("--retry-failed")
    study.environment.pop("TOY")
    return study.cost(FOUR, undisturbed, wrong=wrong)
