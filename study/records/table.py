"""The table of a folder's trials, which `study.load` returns, reports rest on and `export` writes: one row a trial.

A column comes from one of three places: a knob of Trial; a key of the record's result (`_row`); a fact of the machine that made
the record (COLUMNS in provenance.py). A new column is a new entry there, and needs nothing else.
"""

from study.plan.draws import Search
from study.plan.plan import Plan
from study.records import store
from study.records.provenance import Provenance
from study.trial.knobs import Trial
from study.trial.result import TEST

NO_SEARCH = Search("", ())  # of trials that were not drawn


def load(folder):
    """The table of study.load without the columns of provenance: the same wherever the trials were computed."""
    return _frame(rows(folder, makers=False))


def joined(folder):
    """The table as study.load documents it."""
    return _frame(rows(folder))


def rows(folder, makers=True):
    """The rows of the table as dicts; with the columns of provenance if `makers`."""
    plan, contents = Plan.from_folder(folder), store.read(folder)
    provenance = Provenance(folder, contents)
    return [_row(trial, contents.record(trial.id), plan.searches.get(trial.id, NO_SEARCH)) | (provenance.row(trial.id) if makers else {})
            for trial in plan.recorded(contents)]


def _frame(rows):
    import pandas as pd  # imported here because most commands do not need it, and it is slow

    return pd.DataFrame(rows, columns=None if rows else ["id", *Trial.model_fields, "search", "drawn", "status"])


def _row(trial, record, search):
    result = dict(record["result"])
    test = result.pop("test", {})
    flat = {f"test_{name}": test.get(name) for name in TEST}
    return {"id": trial.id, **trial.model_dump(), "init": trial.initialisation, "search": search.name, "drawn": " ".join(search.knobs),
            "status": record["status"], **flat, **result}


def where(frame, **knobs):
    """Rows whose knobs have the given values."""
    return frame[(frame[list(knobs)] == list(knobs.values())).all(axis=1)]


def at_largest_gap(frame):
    """Rows of the largest gap."""
    return frame[frame["gap"] == frame["gap"].max()]
