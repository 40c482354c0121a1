"""Success rate against gap, one panel a cell."""

import pandas as pd

from kernels import CELLS
from study.report import tables
from study.report.names import by_family, by_registry
from study.report.panels import dodge, families_legend, gap_axis, share_axis
from study.report.style import colour, family, marker
from study.report.trials import forward, past_only, with_pass_rule
from study.tasks import TASKS

PLACE = 2
TITLE = "Share of seeds that solve the task, as the gap grows"
CAPTION = (
    "Forward nets with equal numbers of units; bars are 95 % Wilson intervals. Filled and solid: long initialisation. "
    "Hollow and dashed: standard initialisation. Each row is a task; gaps and scales of different tasks cannot be compared."
)
SHOWN = ["task", "cell", "init", "gap", "trials", "solved", "censored", "diverged", "rate", "rate_low", "rate_high"]


def data(frame):
    table = tables.success(past_only(with_pass_rule(forward(frame))))
    return table[SHOWN] if len(table) else pd.DataFrame()


def draw(data, figure):
    cells, tasks = by_registry(data["cell"]), list(dict.fromkeys(data["task"]))
    figure.set_size_inches(figure.get_figwidth(), 0.6 + 1.75 * len(tasks))
    for task, row in zip(tasks, figure.subplots(len(tasks), len(cells), sharey=True, squeeze=False), strict=True):
        runs = data[data["task"] == task]
        for cell, axes in zip(cells, row, strict=True):
            rates = runs[runs["cell"] == cell]
            axes.set_visible(len(rates) > 0)
            if len(rates):
                _draw_cell(axes, rates, cell)
                gap_axis(axes, set(runs["gap"]), TASKS[task].axis)
        first = next(axes for axes in row if axes.get_visible())
        first.set_ylabel(f"{TASKS[task].title}\nseeds that solve it", fontsize=8.5)
        first.tick_params(labelleft=True)
    families_legend(figure, by_family(data["init"]))


def _draw_cell(axes, rates, cell):
    inits = by_family(rates["init"])
    for index, init in enumerate(inits):
        line = rates[rates["init"] == init].sort_values("gap")
        bars = [line["rate"] - line["rate_low"], line["rate_high"] - line["rate"]]
        axes.errorbar(line["gap"] * dodge(index, len(inits)), line["rate"], bars, marker=marker(cell), markersize=5,
                      elinewidth=1, linewidth=1.4, clip_on=False, zorder=3, **family(init, colour(cell)))
    share_axis(axes)
    axes.set_title(CELLS[cell].title)
