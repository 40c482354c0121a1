"""The report of a preset's folder: figures with the numbers they draw, tables, verdicts, REPORT.md and one HTML page.

A report is a function of the folder's plan, chosen learning rates and records. Numbers are written to six significant digits
and figures are drawn from what is written, so the same records give the same CSV files and tables on any machine, and the
same pictures wherever Matplotlib is the same. A report trains nothing and writes no record.
"""

from io import StringIO
from pathlib import Path

import pandas as pd

from study import claims
from study.plan.plan import Plan
from study.records import store, table
from study.report import drawing, page  # drawing imports Matplotlib first, whatever MPLBACKEND is
from study.report.claim_table import ledger
from study.report.figures import FIGURES
from study.report.tables import every
from study.report.trials import pooled
from study.tasks import TASKS

PICTURES = (".svg", ".html")


def write(folder):
    """Write the report into the folder; returns the table of half-success gaps as text for a terminal."""
    folder = Path(folder)
    files, text = _contents(folder)
    last = folder / "REPORT.md"
    named = last.read_text("utf-8", "replace") if last.is_file() else ""
    for path in _reported(folder):  # of the files that this report lacks, those that the last one wrote; others are the user's
        name = path.relative_to(folder).as_posix()
        if name not in files and f"({name})" in named:
            path.unlink()
    for name, content in files.items():
        store.put(folder / name, content)
    return text


def check(folder):
    """One line for each file that is not what the records give.

    Pictures of another Matplotlib are not compared, and report.html, which is not for git, need not be there.
    """
    folder = Path(folder)
    files, _ = _contents(folder)
    wrong = []
    for name, content in files.items():
        path = folder / name
        written = path.read_text("utf-8", "replace") if path.is_file() else ""
        if path.name == "report.html" and not written:
            continue
        drawn_elsewhere = path.suffix in PICTURES and written and drawing.RENDERER not in written
        if written != content and not drawn_elsewhere:
            wrong.append(f"{path}: {'not what the records give' if written else 'missing'}")
    stale = [path for path in _reported(folder) if path.suffix == ".csv" and path.relative_to(folder).as_posix() not in files]
    return wrong + [f"{path}: no records for it" for path in stale]


def _reported(folder):
    """The files in the folder's figures/ and tables/."""
    return [path for name in ("figures", "tables") for path in sorted((folder / name).glob("*")) if path.is_file()]


def _contents(folder):
    """({path: text} of the whole report, the text for a terminal)."""
    contents = store.read(folder)
    plan = Plan.from_folder(folder, TASKS, contents)
    study, runs = plan.study, table.of_plan(plan, contents)
    if not len(runs):
        return {}, f"No trials are recorded in {folder}."
    ablation = claims.find(study.name) if study.name in claims.NAMES else None
    settled = ablation.judge(runs, plan.choices) if ablation else []
    tables = every(runs, plan, settled)
    if hasattr(ablation, "SHOWN"):
        tables["ledger"] = ledger(plan, settled, tables.get("verdicts"), ablation.CLAIMS)
        tables = {name: table for name, table in tables.items() if name in ablation.SHOWN}
    shown = {name: FIGURES[name] for name in FIGURES if name in getattr(ablation, "SHOWN", FIGURES)}
    numbers = {name: csv(data) for name, figure in shown.items() if len(data := _drawn(figure, runs, tables))}
    pictures = {f"figures/{name}.svg": drawing.svg(FIGURES[name].draw, pd.read_csv(StringIO(text)))
                for name, text in numbers.items()}
    report = page.markdown(plan, runs, tables, {name: FIGURES[name] for name in numbers})
    files = {
        **{f"tables/{name}.csv": csv(data) for name, data in tables.items()},
        **{f"figures/{name}.csv": text for name, text in numbers.items()},
        "REPORT.md": report,
        "report.html": page.html(study.title or study.name, report, pictures),
        **pictures,
    }
    gaps = page.gaps(tables["half_success"], runs) if "half_success" in tables else ()
    text = gaps.to_string(index=False) if len(gaps) else ""
    return files, "\n".join(filter(None, [text, pooled(runs)]))


def _drawn(figure, runs, tables):
    """What a figure draws: from the trials, or from the table that it names."""
    return figure.data(tables.get(figure.TABLE, pd.DataFrame())) if hasattr(figure, "TABLE") else figure.data(runs)


def csv(data):
    """A table as text, with six significant digits."""
    return data.to_csv(index=False, float_format="%.6g", lineterminator="\n")
