"""Runs a small real study on a disk that fails at its k-th call, and counts what is lost.

`Disk` runs the command, `calls` lists the calls that can fail, and `trouble` makes one fail and then runs the study to its end.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import toy
from faults import Cost, small

from study.records import store

NOTHING, CRASH, NO_SPACE, IO_ERROR, SHORT = range(5)
POWER = "power"  # a crash that also undoes what was not synced
WAYS = {"crash": CRASH, "power cut": POWER, "ENOSPC": NO_SPACE, "EIO": IO_ERROR, "short write": SHORT}
SOURCE = Path(__file__).with_name("disk.c")


class Call(NamedTuple):
    """A call that changed the disk."""

    number: int
    name: str
    size: int
    path: str
    other: str


class Run(NamedTuple):
    """The end of a run: exit code (negative: the signal), output, calls, and the ids that the store acknowledged."""

    code: int
    said: str
    calls: list
    acknowledged: set


class Disk:
    """A folder for studies, and a process that forks their drivers; it ends with the block."""

    def __init__(self, folder):
        self.folder = Path(folder).resolve()
        self.results, self.notes = self.folder / "results", self.folder / "notes"
        self.file = small(self.folder)
        library = self.folder / "disk.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
        command = [sys.executable, str(SOURCE.with_name("disk_driver.py"))]
        self._server = subprocess.Popen(command, env=toy.environment(LD_PRELOAD=str(library)), text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        undisturbed = self.run()
        assert undisturbed.code == 0, undisturbed.said
        self.calls = undisturbed.calls
        self._order(remember=str(self.place))
        self.whole = content(self.place)
        self.ids = set(store.read(self.place).lines)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._server.stdin.close()
        self._server.wait()

    @property
    def place(self):
        return self.results / "small" / "default"

    def _order(self, **what):
        self._server.stdin.write(json.dumps(what) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())

    def run(self, k=0, how=NOTHING):
        """One `run` of the study; its k-th call fails."""
        taken, out = self.folder / "acknowledged", self.folder / "out"
        taken.unlink(missing_ok=True)
        arguments = ["run", str(self.file), "--out", str(self.results)]
        kind = CRASH if how == POWER else how
        code = self._order(arguments=arguments, under=str(self.results), notes=str(self.notes), k=k, how=kind,
                           acknowledged=str(taken), out=str(out))
        calls = [Call(int(n), name, int(size), *paths) for n, name, size, *paths in
                 (line.split("\t") for line in self.notes.read_text().splitlines())]
        if how == POWER:
            self._cut(calls)
        for before in self.folder.glob("notes.*"):
            before.unlink()
        return Run(code, out.read_text(), calls, set(taken.read_text().split()) if taken.exists() else set())

    def _cut(self, calls):
        """Undo what had not reached the disk: bytes that were not synced, and names whose folder was not."""
        size, synced, names = {}, {}, {}  # names: {path: copy of the file that it replaced, or None} until its folder is synced
        for call in calls:
            if call.name == "fsync":
                synced[call.path] = size.get(call.path, 0)
                names = {path: undo for path, undo in names.items() if os.path.dirname(path) != call.path}
            elif call.name == "rename":
                size[call.other], synced[call.other] = size.pop(call.path, 0), synced.pop(call.path, 0)
                names.pop(call.path, None)
                names.setdefault(call.other, Path(f"{self.notes}.{call.number}"))
            elif call.name in ("create", "mkdir"):
                names[call.path] = None
            elif call.name == "write":
                size[call.path] = call.size
            elif call.name == "unlink":
                size.pop(call.path, None), names.pop(call.path, None)
        for path, length in size.items():
            if length > synced.get(path, 0) and os.path.exists(path):
                os.truncate(path, synced.get(path, 0))
        for path, before in names.items():
            if before is not None and before.exists():
                os.replace(before, path)
            elif os.path.isdir(path):
                shutil.rmtree(path)
            else:
                Path(path).unlink(missing_ok=True)


def content(folder):
    """{path below a folder: bytes}, without the files that say who ran it and when, and what was torn."""
    files = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return {str(path): data for path, data in files.items() if path.name not in ("manifest.json", store.ASIDE) and
            path.suffix != ".log"}


def trouble(disk, k, way):
    """The Cost of a run whose k-th call fails, and of the next run, which completes the study."""
    shutil.rmtree(disk.results, ignore_errors=True)
    faulty = disk.run(k, WAYS[way])
    kept = store.read(disk.place).lines
    finish = disk.run()
    lines = Counter(line for path in disk.place.glob("**/*.jsonl") for line in path.read_bytes().splitlines())
    said = [line for line in faulty.said.splitlines() if line.startswith("error: ") or "Traceback" in line]
    stopped = faulty.code == code_of(way) and len(said) == (faulty.code > 0)
    unharmed = way == "short write" and faulty.code == 0  # the rest is written by a second call
    return Cost(
        rounds=1,
        taken=len(faulty.acknowledged),
        lost=len(faulty.acknowledged - set(kept)),
        twice=sum(count > 1 for count in lines.values()),
        redone=len(finish.acknowledged & faulty.acknowledged),
        left=sum(path.name.startswith(".") for path in disk.place.rglob("*")) + len(list(disk.place.glob("segments/*.jsonl"))),
        wrong=int(not (stopped or unharmed) or finish.code != 0 or content(disk.place) != disk.whole),
    )


def code_of(way):
    """The exit code that a run must have after a fault."""
    return -signal.SIGKILL if WAYS[way] in (CRASH, POWER) else 74


def calls(disk, way, every=1, first=1):
    """The numbers of the calls that can fail in this way."""
    return [call.number for call in disk.calls[first - 1 :: every] if way != "short write" or call.name == "write"]
