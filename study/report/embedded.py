"""The data of a page, compressed: numbers of figures and tables, sentences of nets that explain their words, and names."""

import base64
import json
import zlib

from kernels import CELLS
from study.report.findings import csv
from study.report.names import by_family, by_registry, init_label
from study.report.words import known
from study.statistics.carrier import carrier
from study.tasks import TASKS


def embedded(presets):
    """The data of a page as text: JSON, compressed by zlib, in base64."""
    data = {
        "files": {key: text for found in presets for key, text in _files(found)},
        "sentences": [net for found in presets for net in sentences(found.frame)],
        "cells": {cell: CELLS[cell].title for cell in by_registry(cell for found in presets for cell in found.frame["cell"])},
        "inits": {init: init_label(init) for init in by_family(init for found in presets for init in found.frame["init"])},
        "tasks": {task: {"title": TASKS[task].title, "axis": TASKS[task].axis}
                  for task in sorted({task for found in presets for task in found.frame["task"]})},
    }  # fmt: skip
    text = json.dumps(data, separators=(",", ":"), allow_nan=False, default=int)  # int: what pandas has is of NumPy
    packed = zlib.compress(text.encode(), 9)
    return base64.b64encode(packed).decode("ascii")


def _files(found):
    """(key, text) of each CSV file of a report."""
    yield from ((f"{found.place}/figures/{name}", text) for name, text in found.numbers.items())
    yield from ((f"{found.place}/tables/{name}", csv(data)) for name, data in found.tables.items())


def sentences(frame):
    """Of each task, gap, cell and initialisation the net whose far word is right most often, with its words."""
    runs = known(frame).sort_values(["accuracy", "seed"], ascending=[False, True], kind="stable")
    best = runs.drop_duplicates(["task", "gap", "cell", "init"]).sort_values(["task", "gap", "cell", "init"])
    return [_net(run, run["words"]) for _, run in best.iterrows()]


def _net(run, found):
    shown = ("accuracy", "chance", "units", "together", "text", "pair", "traces")
    return {**{knob: run[knob] for knob in ("id", "task", "gap", "cell", "init", "seed")}, "carrier": carrier(found, run["task"]),
            **{key: found[key] for key in shown}}  # fmt: skip
