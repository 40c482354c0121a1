"""Shared by the tests of faults and scripts/torture: a study that is run repeatedly, and the cost of a fault."""

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
    """Counts over `rounds` of a fault.

    taken : records that the store acknowledged; lost : those of them that are gone; twice : records that are there twice at the
    end; redone : computations beyond one per trial; left : files and processes left behind; wrong : ends that differ from an
    undisturbed run's, in files, exit code or message
    """

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
        """Whether nothing was lost, and at most `window` trials were computed again per round."""
        return not (self.lost or self.twice or self.left or self.wrong) and self.redone <= window * self.rounds


class Study:
    """A study file, run into `out` by two worker processes. `environment`: TOY says what is computed."""

    def __init__(self, file, out, *more, **environment):
        self.out = Path(out)
        self.out.mkdir(exist_ok=True)
        self.command = [sys.executable, toy.__file__, "run", str(file), "--out", str(out), *(more or ("--workers", "2"))]
        self.environment = toy.environment(LEDGER=str(out)) | environment
        self.place = self.out / Path(file).stem / "default"

    def start(self, heard=True, **environment):
        """Start the command. `heard`: keep its output; not if dying workers could fill the pipe before it is read."""
        pipe = subprocess.PIPE if heard else subprocess.DEVNULL
        return subprocess.Popen(self.command, env=self.environment | environment, stdout=pipe, stderr=pipe, text=True,
                                start_new_session=True)

    def run(self, **environment):
        """(exit code, stderr and stdout)."""
        process = self.start(**environment)
        out, err = self.finish(process, 600)
        return process.returncode, err + out

    @staticmethod
    def finish(process, seconds=300):
        """Wait for (stdout, stderr). A process that takes longer is killed with all it started; raises TimeoutExpired."""
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
        """Counter of the complete lines of records."""
        paths = list(self.place.glob("**/*.jsonl"))
        return Counter(line for path in paths for line in path.read_bytes().splitlines(True) if line.endswith(b"\n"))

    def kept(self):
        """The contents of the files that depend on the trials alone."""
        paths = [self.place / name for name in ("runs.jsonl", "selection.json", "tuning.json", "plan.toml")]
        return [path.read_bytes() if path.exists() else b"" for path in paths]

    def cost(self, rounds, undisturbed, left=0, wrong=0, allowed=0):
        """Run to the end and count. `allowed`: records that the fault damaged on purpose."""
        taken = set(self.noted("acknowledged"))
        lost = len(taken - set(store.read(self.place).lines))
        code, said = self.run()
        assert code == 0, said
        return Cost(rounds=rounds, taken=len(taken), lost=max(0, lost - allowed), left=left,
                    twice=sum(count > 1 for count in self.lines().values()),
                    redone=max(0, len(self.noted("computed")) - len(self.lines()) - allowed),
                    wrong=wrong + (self.kept() != undisturbed))


def small(folder):
    """A study file of sixteen small real trials."""
    path = Path(folder, "small.toml")
    path.write_text(STUDY)
    return path


def undisturbed(file, out, **environment):
    study = Study(file, out, **environment)
    code, said = study.run()
    assert code == 0, said
    return study.kept()
