"""How far a run has got, on stderr: a bar and the best of each arm where it is a terminal, plain lines where it is not.

The bar and the time left go by predicted cost, and by how much the trials so far have differed from the prediction.
"""

import sys
import time

from study.run.best import Best

EVERY, BEST_EVERY = 5.0, 60.0  # seconds between plain lines, and between those on the best of the arms that changed
ARMS = 8  # of which the best is shown


class Progress:
    """Follows trials to be run on these places, as many as there are at the time; see study.run.engine.run."""

    def __init__(self, title, trials, places, weigh, stream=None):
        from rich.console import Console  # the commands that show no progress do not wait for it

        self.title, self.places, self.weigh = title, places, weigh
        self.total, self.cost = len(trials), sum(map(weigh, trials))
        self.counts = {"done": 0, "diverged": 0, "failed": 0, "crashed": 0}
        self.weight = self.spent = 0.0  # of finished trials: predicted and true seconds
        self.console = Console(file=stream or sys.stderr, highlight=False, soft_wrap=True)
        self.best = Best([trial for trial in trials if trial.purpose == "train"])
        self.changed = set()  # arms whose best was not said since
        self.running, self.stopping = 0, False
        self._last = self._last_best = time.monotonic()
        self._live = self._bar = self._task = None

    def __enter__(self):
        if self.console.is_terminal:
            from rich.live import Live
            from rich.progress import BarColumn, SpinnerColumn, TextColumn
            from rich.progress import Progress as Bar

            columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[line]}"))
            self._bar = Bar(*columns, console=self.console)
            self._task = self._bar.add_task(self.title, total=self.cost, line=self.line())
            self._live = Live(self._bar, console=self.console, transient=True, refresh_per_second=4)
            self._live.start()
        return self

    def __exit__(self, *error):
        if self._live:
            self._live.stop()
        if self.total:
            self._say(f"{self.title}: {self.line()}")

    def finished(self, trial, outcome):
        self.counts[outcome["status"]] += 1
        self.weight += self.weigh(trial)
        self.spent += outcome["seconds"]
        if "reason" in outcome:
            self._say(f"{outcome['status']}: {trial.id}: {outcome['reason']}")
        elif trial.purpose == "train":
            self.best.add(trial, outcome["result"])
            self.changed.add(self.best.name(trial))

    def look(self, running, stopping):
        """Called by the engine a few times a second."""
        if stopping and running and not self.stopping:
            self._say(f"stopping: waiting for the {running} trials in flight; interrupt again to stop at once")
        self.running, self.stopping = running, stopping
        if self._live:
            from rich.console import Group
            from rich.text import Text

            self._bar.update(self._task, completed=self.weight, line=self.line())
            self._live.update(Group(self._bar, *(Text(f"  {line}", "dim") for line in self.best.lines(ARMS))))
        elif time.monotonic() - self._last >= EVERY:
            self._last = time.monotonic()
            self._say(f"{self.title}: {self.line()}")
            if self._last - self._last_best >= BEST_EVERY:
                self._last_best = self._last
                for line in self.best.lines(min(ARMS, len(self.changed))):
                    self._say(f"  {line}")
                self.changed.clear()

    def _say(self, line):
        self.console.print(line, markup=False)

    def line(self):
        finished = sum(self.counts.values())
        parts = [f"{finished} of {self.total}"]
        parts += [f"{count} {status}" for status, count in self.counts.items() if count and status != "done"]
        if finished < self.total:
            parts += [f"{self.running} running"] if self.running else []
            parts += [f"{self.total - finished - self.running} waiting", f"about {duration(self.left())} left"]
        return ", ".join(parts)

    def left(self):
        """Seconds until all are finished, about."""
        pace = self.spent / self.weight if self.weight else 1.0
        return (self.cost - self.weight) * pace / max(1, self.places.workers)


def duration(seconds):
    """Seconds for people."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"
