"""Estimates of how long trials take: before a run, and better ones while it lasts.

A trial takes the cost model's seconds (study.run.cost) times the pace, which says how much slower this machine is now, times
the share of its budget that it uses before it is solved. The pace comes from a short measurement until trials finish, then
from their seconds. The share comes from the trials that differ in seed and learning rate only, and from all others. "At most"
is the estimate if every trial uses its whole budget.
"""

import os
import time
from collections import Counter
from functools import cache
from operator import attrgetter

from kernels.processor import processors
from study.run.cost import cost
from study.trial.knobs import KNOBS, Trial
from study.trial.run import run

SHARE = 0.7  # of the budget, before anything is known
SHARE_TRIALS = 2  # finished trials that outweigh SHARE
PACE_TRIALS = 0.1  # finished trials that outweigh the measured pace
RANGE = 1.3  # ratio of two estimates above which both are shown
MINUTE, HOUR = 60, 3600  # seconds

group_of = attrgetter(*(knob for knob in KNOBS if knob not in ("seed", "lr")))
"""Trial -> the key of the trials that cost alike: all that differ in seed and learning rate only."""


def grouped(trials):
    """{group: [a trial of it, how many there are]}."""
    groups = {}
    for trial in trials:
        groups.setdefault(group_of(trial), [trial, 0])[1] += 1
    return groups


@cache
def machine_pace():
    """Processor seconds that a small trial takes here, per second of the cost model."""
    trial = Trial(cell="lstm", gap=20, lr=0.001, budget=640)
    run(trial.model_copy(update={"budget": 32}))  # loads the kernels
    start = time.process_time()
    run(trial)
    return (time.process_time() - start) / cost(trial)


def crowding(workers):
    """How many times longer a trial takes because other programs and `workers` share the processors.

    A program that starts or ends now shows in the load of the last minute only later.
    """
    machine = os.cpu_count() or 1
    return max(1.0, workers / processors(), (os.getloadavg()[0] + workers) / machine)


def share_of(trial, result):
    """The part of its budget that a finished trial used, from its Result; None if that is not known."""
    if trial.method == "probe":
        return 1.0
    sequences = result.sequences if result.diverged_at is None else result.diverged_at
    return None if sequences is None else min(1.0, sequences / trial.budget)


class Estimate:
    """Predicts the seconds of trials. `pace`: wall seconds per second of the cost model, until trials finish."""

    def __init__(self, pace=1.0):
        self._pace, self._finished, self._seconds, self._worked = pace, 0, 0.0, 0.0
        self._known, self._cost, self._used = 0, 0.0, 0.0  # trials of known share: how many, their cost, and their used cost
        self._trials, self._shares = Counter(), Counter()  # by group: trials of known share, and the sum of their shares

    @classmethod
    def of_this_machine(cls, crowding=1.0):
        """An estimate with the measured pace of this machine."""
        return cls(machine_pace() * crowding)

    def learn(self, trial, result):
        """Learn from the Result of a trial how much of its budget it used; returns that share, None if it is not known."""
        share = share_of(trial, result)
        if share is not None and trial.method != "probe":
            self._trials[group_of(trial)] += 1
            self._shares[group_of(trial)] += share
            self._known += 1
            self._cost += cost(trial)
            self._used += cost(trial) * share
        return share

    def finished(self, trial, result, seconds):
        """Learn from a trial that was done or diverged on the machine at hand."""
        share = self.learn(trial, result)
        if share is not None:
            self._finished += 1
            self._seconds += seconds
            self._worked += cost(trial, share)

    @property
    def pace(self):
        """Wall seconds per second of the cost model."""
        observed = self._seconds / self._worked if self._worked else 0.0
        return (self._finished * observed + PACE_TRIALS * self._pace) / (self._finished + PACE_TRIALS)

    def share(self, trial):
        """The part of its budget that a trial is expected to use."""
        if trial.method == "probe":
            return 1.0
        observed = self._used / self._cost if self._cost else 0.0
        usual = (self._known * observed + SHARE_TRIALS * SHARE) / (self._known + SHARE_TRIALS)
        group = group_of(trial)
        return (self._shares[group] + usual) / (self._trials[group] + 1)

    def at_most(self, trial):
        """Seconds of a trial that uses its whole budget."""
        return self.pace * cost(trial)

    def expected(self, trial):
        """Seconds of a trial."""
        return self.pace * cost(trial, self.share(trial))

    def span(self, waiting, workers, running=()):
        """(expected, at most) wall seconds until trials are finished.

        Parameters
        ----------
        waiting : [(trial, count)], trials that have not started, and how many cost alike
        workers : trials that run at once
        running : [(trial, seconds that it has run)]
        """
        # A running trial that outlasts its prediction shows that the machine is slower than it was measured.
        slower = max([1.0, *(seconds / self.at_most(trial) for trial, seconds in running)])
        tasks = [(slower * self.expected(trial), slower * self.at_most(trial), count) for trial, count in waiting]
        for trial, seconds in running:
            rest, share = slower * self.at_most(trial) - seconds, self.share(trial)
            used = seconds / (seconds + rest) if seconds else 0.0
            # The longer a trial has run, the less likely it is solved before its budget ends.
            tasks.append((rest * (share + (1 - share) * used), rest, 1))
        return tuple(
            max([sum(task[which] * task[2] for task in tasks) / max(1, workers), *(task[which] for task in tasks)])
            for which in (0, 1)
        )


def duration(seconds):
    """Seconds for people."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"


def about(expected, at_most):
    """An estimate for people: "about 4 min", or "about 4 to 7 min" where the two differ much."""
    (low, unit), (high, high_unit) = _rounded(expected), _rounded(at_most)
    if at_most <= RANGE * expected or (low, unit) == (high, high_unit):
        return f"about {high} {high_unit}"
    return f"about {low} {'' if unit == high_unit else f'{unit} '}to {high} {high_unit}"


def _rounded(seconds):
    if seconds < 1.5 * MINUTE:
        return f"{seconds:.0f}", "s"
    if seconds < 1.5 * HOUR:
        return f"{seconds / MINUTE:.0f}", "min"
    return f"{seconds / HOUR:.1f}", "h"
