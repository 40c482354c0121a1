"""The report of a preset's folder: figures with the numbers they draw, tables, verdicts, REPORT.md and one page.

Everything is a function of the folder's plan, rates and records. Numbers are written to six significant digits, and figures
are drawn from what is written, so the same records give the same bytes on any machine; pictures, where Matplotlib is the same.
Nothing is trained here, and no record is written.
"""

from io import StringIO
from pathlib import Path

import pandas as pd

from study import claims
from study.plan.plan import Plan
from study.records import store, table
from study.report import page, style
from study.report.arms import pooled
from study.report.figures import FIGURES
from study.report.tables import every
from study.tasks import TASKS

PICTURES = (".svg", ".html")


def write(folder):
    """Write the report into the folder; returns the table of critical gaps as text for a terminal."""
    folder = Path(folder)
    files, text = _contents(folder)
    for name in ("figures", "tables"):
        for path in sorted((folder / name).glob("*")):
            if f"{name}/{path.name}" not in files and path.suffix in (".csv", *PICTURES):
                path.unlink()
    for name, content in files.items():
        store.put(folder / name, content)
    return text


def check(folder):
    """What lies in the folder and is not what its records give, one line each; pictures only if the same Matplotlib drew them."""
    folder, wrong = Path(folder), []
    files, _ = _contents(folder)
    for name, content in files.items():
        path = folder / name
        there = path.read_text(encoding="utf-8") if path.exists() else ""
        drawn_elsewhere = path.suffix in PICTURES and there and style.RENDERER not in there
        if there != content and not drawn_elsewhere:
            wrong.append(f"{path}: {'not what the records give' if there else 'missing'}")
    known = set(files)
    stale = (path for name in ("figures", "tables") for path in sorted((folder / name).glob("*.csv")))
    return wrong + [f"{path}: no records for it" for path in stale if f"{path.parent.name}/{path.name}" not in known]


def _contents(folder):
    """({path: text} of all that a report consists of, the text for a terminal)."""
    plan = Plan.from_folder(folder, TASKS)
    study, choices = plan.study, plan.choices
    runs = table.load(folder)
    if not len(runs):
        return {}, f"No trials are recorded in {folder}."
    judge = claims.find(study.name).judge if study.name in claims.NAMES else lambda _: []
    tables = every(runs, choices, judge(runs), study.name, study.preset)
    numbers = {name: csv(data) for name, figure in FIGURES.items() if len(data := figure.data(runs))}
    pictures = {name: style.svg(FIGURES[name].draw, pd.read_csv(StringIO(text))) for name, text in numbers.items()}
    drawn = {f"figures/{name}.svg": svg for name, svg in pictures.items()}
    report = page.markdown(study, runs, len(plan.trials), choices, tables, {name: FIGURES[name] for name in numbers})
    files = {
        **{f"tables/{name}.csv": csv(table) for name, table in tables.items()},
        **{f"figures/{name}.csv": text for name, text in numbers.items()},
        "REPORT.md": report,
        "report.html": page.html(study.title or study.name, report, drawn),
        **drawn,
    }
    shown = page.gaps(tables["critical_gap"], runs) if "critical_gap" in tables else ()
    text = shown.to_string(index=False) if len(shown) else ""
    return files, "\n".join(filter(None, [text, pooled(runs)]))


def csv(table):
    """A table as text, with six significant digits."""
    return table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
