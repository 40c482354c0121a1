"""What the records of a preset's folder give: tables, verdicts, the numbers of the figures and their pictures."""

import hashlib
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pandas as pd

from study import claims
from study.plan.plan import PLAN, Plan, way_of
from study.records import store, table
from study.report import drawing  # imports Matplotlib first, whatever MPLBACKEND is
from study.report.claim_table import ledger
from study.report.figures import FIGURES
from study.report.tables import every
from study.tasks import TASKS


@dataclass(frozen=True)
class Findings:
    """Attributes
    ----------
    frame : the recorded trials of the plan, one row each
    settled : the verdicts, in the order of the table "verdicts"
    tables : {name: DataFrame} of all that are not empty
    numbers : {figure: its CSV}, of the figures that have something to show
    pictures : {figure: its SVG}
    digests : {file of the folder: SHA-256 of the bytes that a run of the same trials leaves there}
    """

    plan: Plan
    frame: pd.DataFrame
    settled: list
    tables: dict
    numbers: dict
    pictures: dict
    digests: dict

    @property
    def study(self):
        return self.plan.study

    @property
    def planned(self):
        """How many trials the plan has, those included whose learning rate is not chosen yet."""
        return len(self.plan.trials) + len(self.plan.waiting)

    @property
    def place(self):
        """Where the folder lies below that of all results."""
        return f"{self.study.name}/{self.study.preset}"

    @property
    def ablation(self):
        """The module that judges the study; None for a study file."""
        return claims.find(self.study.name) if self.study.name in claims.NAMES else None

    @property
    def title(self):
        return self.study.title or self.study.name

    def caption(self, figure):
        """What is needed to read a figure of these trials."""
        module = FIGURES[figure]
        return module.caption(self.drawn(figure)) if hasattr(module, "caption") else module.CAPTION

    def drawn(self, figure):
        """What a figure draws, as it comes back from its CSV; None where it has nothing to show."""
        return pd.read_csv(StringIO(self.numbers[figure])) if figure in self.numbers else None


def find(folder):
    """The Findings of a preset's folder; None where no trial is recorded."""
    contents = store.read(folder)
    plan = Plan.from_folder(folder, TASKS, contents)
    runs = table.of_plan(plan, contents)
    return conclude(plan, runs, _digests(folder, plan, contents)) if len(runs) else None


def conclude(plan, frame, digests):
    """The Findings of the recorded trials of a plan; the parameters are attributes of Findings."""
    ablation = claims.find(plan.study.name) if plan.study.name in claims.NAMES else None
    settled = ablation.judge(frame, plan.choices) if ablation else []
    tables = every(frame, plan, settled)
    tables |= {name: own for name, make in getattr(ablation, "TABLES", {}).items() if len(own := make(frame))}
    if hasattr(ablation, "SHOWN"):
        tables["ledger"] = ledger(plan, frame, settled, tables.get("verdicts"), ablation)
        tables = {name: table for name, table in tables.items() if name in ablation.SHOWN}
    shown = {name: FIGURES[name] for name in FIGURES if name in getattr(ablation, "SHOWN", FIGURES)}
    numbers = {name: csv(data) for name, figure in shown.items() if len(data := _drawn(figure, frame, tables))}
    pictures = {name: drawing.svg(FIGURES[name].draw, pd.read_csv(StringIO(text))) for name, text in numbers.items()}
    return Findings(plan, frame, settled, tables, numbers, pictures, digests)


def _drawn(figure, frame, tables):
    """What a figure draws: from the trials, or from the table that it names."""
    return figure.data(tables.get(figure.TABLE, pd.DataFrame())) if hasattr(figure, "TABLE") else figure.data(frame)


def _digests(folder, plan, contents):
    merged = b"".join(contents.lines[id] + b"\n" for id in sorted(contents.lines))
    paths = (Path(folder, name) for name in (PLAN, way_of(plan.study).TABLE))
    files = {store.RUNS: merged} | {path.name: path.read_bytes() for path in paths if path.is_file()}
    return {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}


def csv(data):
    """A table as text, with six significant digits."""
    return data.to_csv(index=False, float_format="%.6g", lineterminator="\n")
