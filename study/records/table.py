"""A folder's records as a table, alone or with who made each, on what."""

from study.plan.plan import Plan
from study.records import store
from study.records.provenance import Provenance
from study.trial.knobs import Trial

TEST = ("n", "correct", "loss")


def load(folder):
    """The table of study.load without who made its records: what a report rests on."""
    return _frame(rows(folder, makers=False))


def joined(folder):
    """See study.load."""
    return _frame(rows(folder))


def rows(folder, makers=True):
    """The rows of study.load as dicts, with who made each if `makers`."""
    plan, contents = Plan.from_folder(folder), store.read(folder)
    known = Provenance(folder, contents)
    return [_row(trial, contents.record(trial.id)) | (known.row(trial.id) if makers else {}) for trial in plan.recorded(contents)]


def _frame(rows):
    import pandas as pd  # the commands that need no table do not wait for it

    return pd.DataFrame(rows, columns=None if rows else ["id", *Trial.model_fields, "status"])


def _row(trial, record):
    result = dict(record["result"])
    test = result.pop("test", {})
    flat = {f"test_{name}": test.get(name) for name in TEST}
    return {"id": trial.id, **trial.model_dump(), "init": trial.start, "status": record["status"], **flat, **result}
