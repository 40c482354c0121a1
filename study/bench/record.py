"""Records of suites: one JSON file each, with all that is needed to judge or repeat it, and what is shown of it beside it.

A folder, results/bench/<instruction set>[-<threads>threads], holds for each suite <suite>.json and <suite>.csv, figures/ and
REPORT.md, which is made from all the records in it.
"""

import json
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pandas as pd

import kernels
from study.bench import page, tables
from study.bench.figures import FIGURES
from study.records import machine, store
from study.report import csv, drawing


@dataclass(frozen=True)
class Setup:
    """What all suites of one command share.

    Attributes
    ----------
    command : the command line that repeats it
    threads, processors : their number, and the processors that the peers are pinned to
    effort : the fields of study.bench.timing.Effort
    peers : {name: version}; missing : {name: why it is left out}
    """

    command: str
    threads: int
    processors: list
    effort: dict
    peers: dict
    missing: dict


def folder(out, threads):
    return Path(out) / "bench" / (kernels.isa() + ("" if threads == 1 else f"-{threads}threads"))


def make(suite, setup, cases, finished):
    """A suite's record, as JSON holds it: `cases` as study.bench.timing and memory give them."""
    return {"schema": 1, "suite": suite, "command": setup.command, "machine": machine.facts(), "threads": setup.threads,
            "processors": setup.processors, "effort": setup.effort, "peers": setup.peers, "missing": setup.missing,
            "cases": cases, "finished": finished}


def write(folder, record):
    """Write a suite's record, CSV and figure, and the folder's page anew."""
    suite, frame = record["suite"], tables.frame(record)
    store.put(folder / f"{suite}.json", json.dumps(record, indent=1) + "\n")
    store.put(folder / f"{suite}.csv", csv(frame))
    if suite in FIGURES and len(data := FIGURES[suite].data(frame)):
        numbers = csv(data)
        store.put(folder / "figures" / f"{suite}.csv", numbers)
        store.put(folder / "figures" / f"{suite}.svg", drawing.svg(FIGURES[suite].draw, pd.read_csv(StringIO(numbers))))
    store.put(folder / "REPORT.md", page.page(folder))
