"""Records of suites: one JSON file each, with all that is needed to judge or repeat it, and what is shown of them beside it.

A folder, results/bench/<instruction set>[-<threads>threads], holds for each suite <suite>.json and <suite>.csv, figures/ and
REPORT.md, which is made from all the records that lie there.
"""

import json
from io import StringIO
from pathlib import Path

import pandas as pd

import kernels
from study.bench import figures, tables
from study.records import machine, store
from study.report import csv, style
from study.report.page import table as markdown

TITLES = {  # in the order of the page
    "table": "Training step, float32",
    "double": "Training step, float64",
    "forward": "Forward pass, float32",
    "units": "Training step as units grow",
    "threads": "Training step on several threads",
    "steps": "Training step as steps grow",
    "rows": "Training step as rows grow",
    "gap": "Training step of a recall trial as its gap grows",
    "cells": "Every cell at equal units and at equal parameters",
    "memory": "Memory",
    "trial": "A whole training iteration",
    "study": "A small study",
}


def folder(out, threads):
    return Path(out) / "bench" / (kernels.isa() + ("" if threads == 1 else f"-{threads}threads"))


def make(suite, command, threads, processors, effort, versions, missing, cases, finished):
    """A suite's record, as JSON holds it: `cases` as study.bench.timing and memory give them."""
    return {
        "schema": 1, "suite": suite, "command": command, "machine": machine.facts(), "threads": threads,
        "processors": processors, "effort": effort, "peers": versions, "missing": missing, "cases": cases,
        "finished": finished,
    }


def write(folder, record):
    """Write a suite's record, CSV and figure, and the folder's page anew."""
    suite = record["suite"]
    store.put(folder / f"{suite}.json", json.dumps(record, indent=1) + "\n")
    store.put(folder / f"{suite}.csv", csv(tables.frame(record)))
    figure = figures.FIGURES.get(suite)
    if figure is not None and len(data := figure.data(tables.frame(record))):
        numbers = csv(data)
        store.put(folder / "figures" / f"{suite}.csv", numbers)
        store.put(folder / "figures" / f"{suite}.svg", style.svg(figure.draw, pd.read_csv(StringIO(numbers))))
    store.put(folder / "REPORT.md", page(folder))


def page(folder):
    """The text of REPORT.md."""
    paths = (folder / f"{suite}.json" for suite in TITLES)
    sections = [_section(folder, json.loads(path.read_text())) for path in paths if path.exists()]
    return "\n".join([f"# Speed and memory on {folder.name}", "", *(line for section in sections for line in section)])


def _section(folder, record):
    suite, made = record["suite"], record["machine"]
    yield from (f"## {TITLES[suite]}", "", f"`{record['command']}`", "")
    peers = ", ".join(f"{name} {version}" for name, version in record["peers"].items() if name != "ours")
    processor = made["processor"]["name"] or made["processor"]["architecture"]
    count = made["processor"]["processors"]
    yield f"On {processor}, {record['threads']} of {count} processors, pinned. Peers: {peers or 'none'}."
    if not record["finished"]:
        yield "It was interrupted before its end."
    yield from ("", markdown(tables.shown(record)), "")
    for line in tables.summary(record):
        yield from (line, "")
    if (folder / "figures" / f"{suite}.svg").exists():
        figure = figures.FIGURES[suite]
        yield from (f"![{figure.TITLE}](figures/{suite}.svg)", "")
        yield from (f"*{figure.TITLE}.* {figure.CAPTION} Numbers: `figures/{suite}.csv`.", "")
    for line in warnings(record):
        yield f"- {line}"
    yield ""


def warnings(record):
    """What is to be said about single cases: times that vary much, peers that were refused."""
    return [line for case in record["cases"] for line in case.get("warnings", ())]
