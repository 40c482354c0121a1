"""How far a run has got, on stderr: a bar where it is a terminal, plain lines where it is not.

The bar and the time left go by predicted cost, and by how much the trials so far have differed from the prediction.
"""

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, Progress as Bar, SpinnerColumn, TextColumn

EVERY = 5.0  # seconds between plain lines


class Progress:
    """Follows trials to be run on so many workers; see study.engine.run."""

    def __init__(self, title, trials, workers, weigh, stream=None):
        self.title, self.workers, self.weigh = title, max(1, workers), weigh
        self.total, self.cost = len(trials), sum(map(weigh, trials))
        self.counts = {"done": 0, "diverged": 0, "failed": 0, "crashed": 0}
        self.weight = self.spent = 0.0  # of finished trials: predicted and true seconds
        self.console = Console(file=stream or sys.stderr, highlight=False, soft_wrap=True)
        self.running, self.stopping, self._last = 0, False, time.monotonic()
        self._bar = self._task = None

    def __enter__(self):
        if self.console.is_terminal:
            columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[line]}"))
            self._bar = Bar(*columns, console=self.console, transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self.title, total=self.cost, line=self.line())
        return self

    def __exit__(self, *error):
        if self._bar:
            self._bar.stop()
        if self.total:
            self.console.print(f"{self.title}: {self.line()}", markup=False)

    def finished(self, trial, outcome):
        self.counts[outcome["status"]] += 1
        self.weight += self.weigh(trial)
        self.spent += outcome["seconds"]
        if "reason" in outcome:
            self.console.print(f"{outcome['status']}: {trial.id}: {outcome['reason']}", markup=False)

    def look(self, running, stopping):
        """Called by the engine a few times a second."""
        if stopping and running and not self.stopping:
            message = f"stopping: waiting for the {running} trials in flight; interrupt again to stop at once"
            self.console.print(message, markup=False)
        self.running, self.stopping = running, stopping
        if self._bar:
            self._bar.update(self._task, completed=self.weight, line=self.line())
        elif time.monotonic() - self._last >= EVERY:
            self._last = time.monotonic()
            self.console.print(f"{self.title}: {self.line()}", markup=False)

    def line(self):
        finished = sum(self.counts.values())
        parts = [f"{finished} of {self.total}"]
        parts += [f"{count} {status}" for status, count in self.counts.items() if count and status != "done"]
        parts += [f"{self.running} running"] if self.running else []
        parts += [f"{duration(self.left())} left"] if finished < self.total else []
        return ", ".join(parts)

    def left(self):
        """Seconds until all are finished, about."""
        pace = self.spent / self.weight if self.weight else 1.0
        return (self.cost - self.weight) * pace / self.workers


def duration(seconds):
    """Seconds for people."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"
