"""Runs thousands of drivers: each is a fork of this process, which has imported everything, on a disk that fails on demand.

Reads a line of JSON with the arguments of `drive`, and prints its exit code (negative: the signal). Trials are computed in the
driver itself; all else is as in `python -m study`. When the store has recorded a trial, its id is appended to the file
`acknowledged`.
"""

import ctypes
import json
import os
import sys
import traceback
from concurrent.futures import Future

from study import report
from study.__main__ import main
from study.cli import trials as commands
from study.records import store
from study.run.executors import local
from study.trial.result import Result

DISK = ctypes.CDLL(None)


class Here(local.Local):
    """One slot: the trial is computed when it is submitted."""

    def __init__(self, workers, timeout=None):
        super().__init__(0)
        self._free = [self]

    def submit(self, function, *arguments):
        future = Future()
        future.set_result(function(*arguments))
        return future

    def overdue(self):
        return False

    def result(self, future):
        return future.result()

    def kill(self):
        pass


def acknowledging(record, path):
    def both(self, trial, outcome):
        line = record(self, trial, outcome)
        with open(path, "a") as file:
            file.write(f"{trial.id}\n")
        return line
    return both


def drive(arguments, under, notes, k, how, acknowledged, out):
    """Run the command once and end the process; called in a fork."""
    file = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    store.Driver.record = acknowledging(store.Driver.record, acknowledged)
    DISK.disk_fail(os.fsencode(under), os.fsencode(notes), k, how)
    try:
        main(arguments)
    except SystemExit as end:
        sys.stdout.flush()
        os._exit(end.code)
    finally:
        traceback.print_exc()
        os._exit(70)


def remember(folder):
    """Use this folder's results and report in place of training and drawing again: only writing is tested."""
    contents, records = report._contents(folder), store.read(folder)
    report._contents = lambda folder: contents
    commands.train = lambda trial: Result.of(records.record(trial.id)["result"])


if __name__ == "__main__":
    local.Local = Here
    commands.machine.facts = dict
    for line in sys.stdin:
        order = json.loads(line)
        if "remember" in order:
            remember(order["remember"])
            code = 0
        elif pid := os.fork():
            code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        else:
            drive(**order)
        print(code, flush=True)
