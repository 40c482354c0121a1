"""Which trials a table or a figure shows, and how they are grouped."""

from study.plan.arm import ARM
from study.records.table import where
from study.report.names import cell_place, init_place
from study.tasks import TASKS
from study.trial.knobs import DEFAULTS

ROW = ["task", "cell", "init", "direction", "merge", "units", "method"]
STACK = ["layers", "stack", "tied"]
NET = [*STACK, "head", "attention", "output"]
LEARNING = ["optimizer", "clipping"]


def row_knobs(frame):
    """Knobs that give a table its rows: ROW, and those of NET and LEARNING that differ. Others share a row; `pooled` names them."""
    return [*ROW, *(knob for knob in [*NET, *LEARNING] if knob in frame and frame[knob].nunique() > 1)]


def crossed(frame):
    """Trials of arms, without those of random searches, of which each has knobs of its own."""
    return where(frame, drawn="")


def trained(frame):
    """Trained trials of arms, without those that choose learning rates."""
    return where(crossed(frame), purpose="train", method="bptt")


def attempts(frame):
    """Trials of arms that tried to solve their task, by training or by guessing."""
    runs = where(crossed(frame), purpose="train")
    return runs[runs["method"] != "probe"]


def usual_size(frame):
    """Trials at the most frequent number of units, of layers, and so on."""
    for knob in ("units", *STACK) if len(frame) else ():
        frame = frame[frame[knob] == frame[knob].mode().iloc[0]]
    return frame


def forward(frame):
    """Trained forward trials at the study's most frequent number of units and of layers, of nets with the usual head and outputs."""
    runs = usual_size(where(trained(frame), direction="forward"))
    return where(runs, **{knob: DEFAULTS[knob] for knob in NET if knob not in STACK})


def with_pass_rule(frame):
    """Trials of tasks that have a pass rule."""
    return frame[~frame["task"].isin([name for name, task in TASKS.items() if task.rule is None])]


def past_only(frame):
    """Trials of tasks whose answer depends on the past alone, so that a forward net can solve them."""
    return frame[~frame["task"].isin(["recall/both", "recall/future"])]


def grouped(frame, keys):
    """[(the keys' values as a dict, rows)] of each group, in report order."""
    groups = [(dict(zip(keys, values, strict=True)), runs) for values, runs in frame.groupby(keys, sort=True)]
    return sorted(groups, key=lambda group: report_order(group[0]))


def report_order(row):
    """Sort key of a row: its task, then cell, then initialisation."""
    return row.get("task", ""), cell_place(row["cell"]), init_place(row.get("init", "standard"))


def pooled(frame):
    """A sentence that names the knobs in which trials of one row, gap and seed differ; "" where they differ in none."""
    known = [*row_knobs(frame), "after"]
    knobs = [knob for knob in ARM if knob not in known and knob in frame]
    values = where(crossed(frame), purpose="train").groupby([*known, "gap", "seed"], dropna=False)[knobs].nunique(dropna=False)
    differing = [knob for knob in knobs if (values[knob] > 1).any()]
    if not differing:
        return ""
    return f"Trials that differ in {' or '.join(differing)} share a row or a line here; `export` tells them apart."
