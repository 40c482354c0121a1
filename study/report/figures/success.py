"""Success rate against gap: one panel a cell, or one a task where there are several."""

import pandas as pd

from kernels import CELLS
from study.records.table import where
from study.report import tables
from study.report.names import by_family, by_registry
from study.report.panels import dodge, families_caption, families_legend, gap_axis, panels_of_tasks, share_axis, tasks_by_cells
from study.report.style import GREY, colour, family, key, line, marker
from study.report.trials import forward, past_only, with_pass_rule

PLACE = 2
TITLE = "Share of seeds that solve the task, as the gap grows"
CAPTION = "Nets that read forward, with equal numbers of units."
OF_CELLS = "Bars are 95 % Wilson intervals. The upright stroke at 50 % is the half-success gap, where it lies within the grid."
MOST = 6  # cells in one panel
SHOWN = ["task", "cell", "init", "gap", "trials", "solved", "censored", "diverged", "rate", "rate_low", "rate_high", "half", "lr_doubt"]
RING = {"marker": "o", "linestyle": "", "markersize": 8.5, "markerfacecolor": "none", "markeredgecolor": GREY, "markeredgewidth": 0.9}


def caption(data):
    parts = [CAPTION, "" if _together(data) else OF_CELLS, families_caption(data["init"]).strip(),
             "Ringed: untuned, a better learning rate may exist." if _some_untuned(data) else "",
             "All are untuned: a better learning rate may exist." if data["lr_doubt"].notna().all() else "",
             "Gaps and scales of different tasks cannot be compared." if data["task"].nunique() > 1 else ""]
    return " ".join(filter(None, parts))


def data(frame):
    runs = past_only(with_pass_rule(forward(frame)))
    table, half = tables.success(runs), tables.half_success(runs)
    if not len(table):
        return pd.DataFrame()
    if not len(half):
        return table.assign(half=float("nan"))[SHOWN]
    return table.merge(half.rename(columns={"value": "half"})[["task", "cell", "init", "half"]], how="left")[SHOWN]


def draw(data, figure):
    data = data.assign(ringed=data["lr_doubt"].notna() & _some_untuned(data))
    if _together(data):
        _draw_together(data, figure)
        return
    tasks_by_cells(figure, data, 1.75, "seeds that solve it", _draw_cell)
    untuned = [key("untuned", **RING)] if data["ringed"].any() else []
    families_legend(figure, by_family(data["init"]), *untuned)


def _together(data):
    """Whether the cells of a task share a panel."""
    return data["task"].nunique() > 1 and data["init"].nunique() == 1 and data["cell"].nunique() <= MOST


def _some_untuned(data):
    """Whether arms are untuned, but not all of them."""
    return data["lr_doubt"].notna().any() and data["lr_doubt"].isna().any()


def _draw_together(data, figure):
    cells = by_registry(data["cell"])
    for axes, rates in panels_of_tasks(figure, data):
        for index, cell in enumerate(cells):
            curve, shift = where(rates, cell=cell).sort_values("gap"), dodge(index, len(cells), 0.025)
            style = dict(color=colour(cell), linestyle=line(cell), marker=marker(cell))
            axes.plot(curve["gap"] * shift, curve["rate"], markersize=4.5, linewidth=1.3, clip_on=False, zorder=3, **style)
            _ring(axes, curve, shift)
        gap_axis(axes, set(rates["gap"]), "gap")
    figure.supylabel("seeds that solve it", fontsize=9)


def _ring(axes, curve, shift):
    ringed = curve[curve["ringed"]]
    if len(ringed):  # an empty line that is not clipped would upset the layout
        axes.plot(ringed["gap"] * shift, ringed["rate"], clip_on=False, **RING)


def _draw_cell(axes, rates, cell):
    inits = by_family(rates["init"])
    for index, init in enumerate(inits):
        curve = rates[rates["init"] == init].sort_values("gap")
        bars = [curve["rate"] - curve["rate_low"], curve["rate_high"] - curve["rate"]]
        axes.errorbar(curve["gap"] * dodge(index, len(inits)), curve["rate"], bars, marker=marker(cell), markersize=5,
                      elinewidth=1, linewidth=1.4, clip_on=False, zorder=3, **family(init, colour(cell)))
        _ring(axes, curve, dodge(index, len(inits)))
        if curve["gap"].iloc[0] <= curve["half"].iloc[0] <= curve["gap"].iloc[-1]:
            axes.plot(curve["half"].iloc[0], 0.5, "|", color=colour(cell), markersize=13, markeredgewidth=2.2)
    share_axis(axes)
    axes.set_title(CELLS[cell].title)
