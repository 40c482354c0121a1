"""Progress of a run on stderr: a bar and the best of each arm on a terminal, plain lines elsewhere."""

import sys
import time
from collections import Counter

from study.run.best import Best
from study.run.cost import cost
from study.run.estimate import about, group_of, grouped

EVERY, BEST_EVERY = 5.0, 60.0  # seconds between two plain lines, and between two reports on the arms that changed
ARMS = 8  # arms that are shown


class Progress:
    """Follows the trials of one call of study.run.engine.run.

    Parameters
    ----------
    title : str, what is run
    trials : Trials, each once
    executor : study.run.executors.Executor; the number of its workers may change
    estimate : study.run.estimate.Estimate, which learns from each trial that finishes
    stream : where to write; stderr by default
    searches : {id of a trial that was drawn: its study.plan.draws.Search}
    """

    def __init__(self, title, trials, executor, estimate, stream=None, searches=None):
        from rich.console import Console  # slow, and most commands show no progress

        self.title, self.executor, self.estimate = title, executor, estimate
        self.total, self.cost, self.finished_cost = len(trials), sum(map(cost, trials)), 0.0
        self.counts = {"done": 0, "diverged": 0, "failed": 0, "crashed": 0}
        self.unfinished = grouped(trials)
        self.console = Console(file=stream or sys.stderr, highlight=False, soft_wrap=True)
        self.best = Best([trial for trial in trials if trial.purpose == "train"], searches)
        self.changed = set()  # arms that changed since they were last shown
        self.running, self.stopping = [], False
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
        """Called by the engine with each outcome."""
        self.counts[outcome["status"]] += 1
        self.unfinished[group_of(trial)][1] -= 1
        self.finished_cost += cost(trial)
        if "reason" in outcome:
            self._say(f"{outcome['status']}: {trial.id}: {outcome['reason']}")
            return
        self.estimate.finished(trial, outcome["result"], outcome["seconds"])
        if trial.purpose == "train":
            self.best.add(trial, outcome["result"])
            self.changed.add(self.best.name(trial))

    def update(self, running, stopping):
        """Called by the engine several times a second; `running`: [(trial, seconds since it was submitted)]."""
        if stopping and running and not self.stopping:
            self._say(f"stopping: waiting for the {len(running)} trials in flight; interrupt again to stop at once")
        self.running, self.stopping = running, stopping
        if self._live:
            from rich.console import Group
            from rich.text import Text

            self._bar.update(self._task, completed=self.finished_cost, line=self.line())
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
        """How many trials are finished, running and waiting, and how long they still take."""
        finished = sum(self.counts.values())
        parts = [f"{finished} of {self.total}"]
        parts += [f"{count} {status}" for status, count in self.counts.items() if count and status != "done"]
        if finished < self.total:
            parts += [f"{len(self.running)} running"] if self.running else []
            parts += [f"{self.total - finished - len(self.running)} waiting", f"{about(*self.left())} left"]
        return ", ".join(parts)

    def left(self):
        """(expected, at most) seconds until all trials are finished."""
        workers = self.executor.workers
        running = sorted(self.running, key=lambda pair: -pair[1])[:workers]  # a cluster's others wait for a thread
        started = Counter(group_of(trial) for trial, _ in running)
        waiting = [(trial, count - started[group]) for group, (trial, count) in self.unfinished.items() if count > started[group]]
        return self.estimate.span(waiting, workers, running)
