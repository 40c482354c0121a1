"""Success rate against gap, one panel a cell."""

import pandas as pd

from kernels import CELLS
from study.report import tables
from study.report.arms import one_sided, passable, plain
from study.report.style import by_registry, colour, dodge, families, family, gap_axis, legend, marker
from study.tasks import TASKS

PLACE = 2
TITLE = "Share of seeds that solve the task, as the gap grows"
CAPTION = (
    "Forward nets with equal numbers of units; bars are 95 % Wilson intervals. Filled and solid: long starts. Hollow"
    " and dashed: standard starts. One row a task; the axes of different tasks cannot be compared."
)
KEEP = ["task", "cell", "init", "gap", "trials", "solved", "censored", "diverged", "rate", "rate_low", "rate_high"]


def data(frame):
    table = tables.success(one_sided(passable(plain(frame))))
    return table[KEEP] if len(table) else pd.DataFrame()


def draw(data, figure):
    cells, tasks = by_registry(data["cell"]), list(dict.fromkeys(data["task"]))
    figure.set_size_inches(figure.get_figwidth(), 0.6 + 1.75 * len(tasks))
    panels = figure.subplots(len(tasks), len(cells), sharey=True, squeeze=False)
    for task, row in zip(tasks, panels, strict=True):
        runs = data[data["task"] == task]
        for cell, axes in zip(cells, row, strict=True):
            mine = runs[runs["cell"] == cell]
            if not len(mine):
                axes.set_axis_off()
                continue
            inits = families(mine["init"])
            for index, init in enumerate(inits):
                some = mine[mine["init"] == init].sort_values("gap")
                bars = [some["rate"] - some["rate_low"], some["rate_high"] - some["rate"]]
                axes.errorbar(some["gap"] * dodge(index, len(inits)), some["rate"], bars, marker=marker(cell), markersize=5,
                              elinewidth=1, linewidth=1.4, clip_on=False, zorder=3, **family(init, colour(cell)))
            gap_axis(axes, set(runs["gap"]), f"{TASKS[task].axis}")
            axes.set_ylim(-0.03, 1.03)
            axes.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])
            axes.set_title(CELLS[cell].title)
            if axes is row[[len(runs[runs["cell"] == one]) > 0 for one in cells].index(True)]:
                axes.set_ylabel(f"{TASKS[task].title}\nsolved", fontsize=8.5)
                axes.tick_params(labelleft=True)
    legend(figure, families(data["init"]))
