"""What the tests of faults and scripts/torture share: a study that is run again and again, and what a fault cost it."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import toy

from study.records import store

STUDY = """
name = "small"
knobs = { budget = 96, units = 4 }
selection = { rates = [0.001, 0.01], seeds = 1, gap = { "recall/past" = 2 } }
[[grids]]
name = "grid"
seeds = 3
axes = { cell = ["rnn", "lstm"], gap = [2, 4], init = ["long"] }
"""


class Cost(NamedTuple):
    """Of so many rounds: records that the store had taken, of these lost; records twice in the end; computations beyond one a
    trial; files and processes left behind; ends that are not an undisturbed run's, or not said as they should be."""

    rounds: int = 0
    taken: int = 0
    lost: int = 0
    twice: int = 0
    redone: int = 0
    left: int = 0
    wrong: int = 0

    def __add__(self, other):
        return Cost(*(mine + its for mine, its in zip(self, other, strict=True)))

    def harmless(self, window=0):
        """Whether nothing was lost, and no more was redone than a window in each round."""
        return not (self.lost or self.twice or self.left or self.wrong) and self.redone <= window * self.rounds


class Study:
    """A study file run into `out`, by two workers in processes of their own. `environment`: TOY says what is computed."""

    def __init__(self, file, out, *more, **environment):
        self.out = Path(out)
        self.out.mkdir(exist_ok=True)
        self.command = [sys.executable, toy.__file__, "run", str(file), "--out", str(out), *(more or ("--workers", "2"))]
        self.environment = toy.environment(LEDGER=str(out)) | environment
        self.place = self.out / Path(file).stem / "default"

    def start(self, heard=True, **environment):
        """`heard`: what it says can be asked for at its end; not where workers fill the pipe with their last words before that."""
        pipe = subprocess.PIPE if heard else subprocess.DEVNULL
        return subprocess.Popen(self.command, env=self.environment | environment, stdout=pipe, stderr=pipe, text=True,
                                start_new_session=True)

    def run(self, **environment):
        """(exit code, all that was said)."""
        process = self.start(**environment)
        out, err = self.finish(process, 600)
        return process.returncode, err + out

    @staticmethod
    def finish(process, seconds=300):
        """Its (stdout, stderr) when it has ended. One that takes longer is ended, with all that it started; raises TimeoutExpired."""
        try:
            return process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            raise

    def noted(self, name):
        path = self.out / name
        return path.read_text().split() if path.exists() else []

    def lines(self):
        """Counter of the whole lines of records."""
        paths = list(self.place.glob("**/*.jsonl"))
        return Counter(line for path in paths for line in path.read_bytes().splitlines(True) if line.endswith(b"\n"))

    def kept(self):
        """What a run leaves that depends on its trials alone."""
        return [(self.place / name).read_bytes() for name in ("runs.jsonl", "selection.json", "plan.toml")]

    def cost(self, rounds, undisturbed, left=0, wrong=0, allowed=0):
        """Go on to the end, and count. `allowed`: records that a fault damaged on purpose."""
        taken = set(self.noted("acknowledged"))
        lost = len(taken - set(store.read(self.place).lines))
        code, said = self.run()
        assert code == 0, said
        return Cost(rounds=rounds, taken=len(taken), lost=max(0, lost - allowed), left=left,
                    twice=sum(count > 1 for count in self.lines().values()),
                    redone=max(0, len(self.noted("computed")) - len(self.lines()) - allowed),
                    wrong=wrong + (self.kept() != undisturbed))


def small(folder):
    """A study file of sixteen very small real trials."""
    path = Path(folder, "small.toml")
    path.write_text(STUDY)
    return path


def undisturbed(file, out, **environment):
    study = Study(file, out, **environment)
    code, said = study.run()
    assert code == 0, said
    return study.kept()
