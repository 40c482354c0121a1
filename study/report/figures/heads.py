"""Success with an attention head and without one, over gaps."""

import pandas as pd

from kernels import CELLS
from study.records.table import where
from study.report import tables
from study.report.panels import dodge, share_axis, tasks_by_cells
from study.report.style import TWO, key
from study.report.trials import past_only, trained, usual_size, with_pass_rule

PLACE = -1
TITLE = "With attention, and without"
CAPTION = (
    "Share of seeds that solve the task at each gap (log axis), with its Wilson interval, of forward nets with standard "
    "initialisation. Without attention the answer is computed from the state at which it is read; with it, from this state and "
    "from the earlier states, weighted by how they score against it."
)
SHOWN = ["task", "cell", "head", "gap", "trials", "solved", "rate", "rate_low", "rate_high"]
HEADS = {"last": "without attention", "attention": "with attention"}


def data(frame):
    runs = where(usual_size(trained(frame)), direction="forward", init="standard", output="task")
    runs = runs[(runs["head"] == "last") | (runs["attention"] == runs[runs["head"] == "attention"]["attention"].min())]
    table = tables.success(past_only(with_pass_rule(runs))) if runs["head"].nunique() > 1 else pd.DataFrame()
    return table[SHOWN] if len(table) else table


def draw(data, figure):
    tasks_by_cells(figure, data, 1.9, "seeds that solve it", _draw_cell)
    styles = zip(HEADS.values(), TWO)
    handles = [key(label, color=tint, linestyle=dash, marker=mark) for label, (tint, dash, mark) in styles]
    figure.legend(handles=handles, loc="outside upper left", ncols=2)


def _draw_cell(axes, rates, cell):
    for index, (head, (tint, dash, mark)) in enumerate(zip(HEADS, TWO)):
        line = where(rates, head=head).sort_values("gap")
        bars = [line["rate"] - line["rate_low"], line["rate_high"] - line["rate"]]
        axes.errorbar(line["gap"] * dodge(index, len(HEADS)), line["rate"], bars, color=tint, linestyle=dash, marker=mark,
                      markersize=5, elinewidth=1, linewidth=1.4, clip_on=False, zorder=3)
    share_axis(axes)
    axes.set_title(CELLS[cell].title)
