"""A folder's records as a table, alone or with who made each, on what."""

from pathlib import Path

from study.plan import selection, toml
from study.records import store
from study.records.provenance import Provenance
from study.trial.knobs import Trial

TEST = ("n", "correct", "loss")


def planned(folder, tasks=None):
    """(Study, {key: choice}, trials) of a preset's folder: what it is meant to hold, as far as rates are known."""
    folder = Path(folder)
    study = toml.load(folder / "plan.toml", tasks)
    table = folder / "selection.json"
    choices = selection.read(table) if table.exists() else {}
    choosing = (trial for key, trials in study.selecting.items() if not _taken(choices, key) for trial in trials)
    trials = {trial.id: trial for trial in (*choosing, *study.trials(selection.rates(choices)))}
    return study, choices, tuple(trials.values())


def _taken(choices, key):
    return key in choices and choices[key]["from"] is not None


def load(folder):
    """The table of study.load without who made its records: what a report rests on."""
    return _frame(rows(folder, makers=False))


def joined(folder):
    """See study.load."""
    return _frame(rows(folder))


def rows(folder, makers=True):
    """The rows of study.load as dicts, with who made each if `makers`."""
    _, _, trials = planned(folder)
    contents = store.read(folder)
    known = Provenance(folder, contents)
    recorded = (trial for trial in trials if trial.id in contents.lines)
    return [_row(trial, contents.record(trial.id)) | (known.row(trial.id) if makers else {}) for trial in recorded]


def _frame(rows):
    import pandas as pd  # the commands that need no table do not wait for it

    return pd.DataFrame(rows, columns=None if rows else ["id", *Trial.model_fields, "status"])


def _row(trial, record):
    result = dict(record["result"])
    test = result.pop("test", {})
    flat = {f"test_{name}": test.get(name) for name in TEST}
    return {"id": trial.id, **trial.model_dump(), "init": trial.start, "status": record["status"], **flat, **result}
