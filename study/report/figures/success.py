"""Success rate against gap, one panel a cell."""

import pandas as pd

from kernels import CELLS
from study.report import tables
from study.report.names import by_family
from study.report.panels import dodge, families_legend, share_axis, tasks_by_cells
from study.report.style import GREY, colour, family, key, marker
from study.report.trials import forward, past_only, with_pass_rule

PLACE = 2
TITLE = "Share of seeds that solve the task, as the gap grows"
CAPTION = (
    "Forward nets with equal numbers of units; bars are 95 % Wilson intervals. Filled and solid: long initialisation. "
    "Hollow and dashed: standard initialisation. The upright stroke at 50 % is the half-success gap, where it lies within the grid. "
    "Ringed: untuned, a better learning rate may exist. "
    "Each row is a task; gaps and scales of different tasks cannot be compared."
)
SHOWN = ["task", "cell", "init", "gap", "trials", "solved", "censored", "diverged", "rate", "rate_low", "rate_high", "half", "lr_doubt"]
RING = {"marker": "o", "linestyle": "", "markersize": 8.5, "markerfacecolor": "none", "markeredgecolor": GREY, "markeredgewidth": 0.9}


def data(frame):
    runs = past_only(with_pass_rule(forward(frame)))
    table, half = tables.success(runs), tables.half_success(runs)
    if not len(table):
        return pd.DataFrame()
    if not len(half):
        return table.assign(half=float("nan"))[SHOWN]
    return table.merge(half.rename(columns={"value": "half"})[["task", "cell", "init", "half"]], how="left")[SHOWN]


def draw(data, figure):
    tasks_by_cells(figure, data, 1.75, "seeds that solve it", _draw_cell)
    untuned = [key("untuned", **RING)] if data["lr_doubt"].notna().any() else []
    families_legend(figure, by_family(data["init"]), *untuned)


def _draw_cell(axes, rates, cell):
    inits = by_family(rates["init"])
    for index, init in enumerate(inits):
        line = rates[rates["init"] == init].sort_values("gap")
        bars = [line["rate"] - line["rate_low"], line["rate_high"] - line["rate"]]
        axes.errorbar(line["gap"] * dodge(index, len(inits)), line["rate"], bars, marker=marker(cell), markersize=5,
                      elinewidth=1, linewidth=1.4, clip_on=False, zorder=3, **family(init, colour(cell)))
        untuned = line[line["lr_doubt"].notna()]
        if len(untuned):
            axes.plot(untuned["gap"] * dodge(index, len(inits)), untuned["rate"], clip_on=False, **RING)
        if line["gap"].iloc[0] <= line["half"].iloc[0] <= line["gap"].iloc[-1]:
            axes.plot(line["half"].iloc[0], 0.5, "|", color=colour(cell), markersize=13, markeredgewidth=2.2)
    share_axis(axes)
    axes.set_title(CELLS[cell].title)
