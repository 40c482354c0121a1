"""The table of a folder's trials, which `study.load` returns, reports rest on and `export` writes: one row a trial.

A column comes from one of four places: a knob of Trial; the plan (`_of_plan`); a key of the record's result (`_row`); a fact of the
machine that made the record (COLUMNS in provenance.py). A new column is a new entry there, and needs nothing else.
"""

from study.plan.draws import Search
from study.plan.plan import Plan
from study.records import store
from study.records.provenance import Provenance
from study.trial.knobs import Trial
from study.trial.result import TEST

NO_SEARCH = Search("", ())  # of trials that were not drawn


def of_plan(plan, contents):
    """The table of study.load without the columns of provenance: the same wherever the trials were computed."""
    return _frame(_rows(plan, contents))


def joined(folder):
    """The table as study.load documents it."""
    return _frame(rows(folder))


def rows(folder):
    """The rows of that table as dicts."""
    contents = store.read(folder)
    provenance = Provenance(folder, contents)
    return [row | provenance.row(row["id"]) for row in _rows(Plan.from_folder(folder, contents=contents), contents)]


def _rows(plan, contents):
    return [_row(trial, contents.record(trial.id), _of_plan(plan, trial.id)) for trial in plan.recorded(contents)]


def _of_plan(plan, id):
    """The columns that tell how a plan comes to a trial: by which random search, and by which choice of a learning rate."""
    search, (lr, doubt) = plan.searches.get(id, NO_SEARCH), plan.rates.get(id, (None, ""))
    return {"search": search.name, "drawn": " ".join(search.knobs), "lr_chosen": lr, "lr_doubt": doubt}


def _frame(rows):
    import pandas as pd  # imported here because most commands do not need it, and it is slow

    return pd.DataFrame(rows, columns=None if rows else ["id", *Trial.model_fields, "search", "drawn", "lr_chosen", "lr_doubt", "status"])


def _row(trial, record, of_plan):
    result = dict(record["result"])
    test = result.pop("test", {})
    flat = {f"test_{name}": test.get(name) for name in TEST}
    return {"id": trial.id, **trial.model_dump(), "init": trial.initialisation, **of_plan, "status": record["status"], **flat, **result}


def where(frame, **knobs):
    """Rows whose knobs have the given values."""
    return frame[(frame[list(knobs)] == list(knobs.values())).all(axis=1)]


def at_largest_gap(frame):
    """Rows of the largest gap."""
    return frame[frame["gap"] == frame["gap"].max()]
