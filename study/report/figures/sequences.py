"""Sequences to solve against gap, log-log, one mark a seed."""

import pandas as pd
from matplotlib.lines import Line2D

from kernels import CELLS
from study.report.arms import one_sided, passable, plain
from study.report.style import GREY, by_registry, colour, dodge, families, family, gap_axis, legend, thousands
from study.statistics import intervals
from study.tasks import TASKS

PLACE = 3
TITLE = "Sequences needed to solve the task"
CAPTION = (
    "Log-log; each mark is a seed. A cross on the dotted line is a seed that had not solved the task when its budget"
    " ended (censored; the number beside it counts them); a diverged seed counts as one. The line joins Kaplan-Meier"
    " medians, and ends where fewer than half of the seeds solved. Filled and solid: long starts. Hollow and dashed:"
    " standard starts."
)


def data(frame):
    runs = one_sided(passable(plain(frame)))
    if not len(runs):
        return pd.DataFrame()
    tidy = runs[["task", "cell", "init", "gap", "seed", "status", "sequences", "budget"]].copy()
    tidy.insert(5, "solved", runs["solved"].astype(bool))
    medians = [(*key, intervals.survival(some["sequences"], some["solved"]).median)
               for key, some in tidy.groupby(["task", "cell", "init", "gap"])]
    return tidy.merge(pd.DataFrame(medians, columns=["task", "cell", "init", "gap", "median"]))


def draw(data, figure):
    cells, tasks = by_registry(data["cell"]), list(dict.fromkeys(data["task"]))
    figure.set_size_inches(figure.get_figwidth(), 0.6 + 1.95 * len(tasks))
    panels = figure.subplots(len(tasks), len(cells), sharey=True, squeeze=False)
    for task, row in zip(tasks, panels, strict=True):
        runs, labelled = data[data["task"] == task], False
        for cell, axes in zip(cells, row, strict=True):
            mine = runs[runs["cell"] == cell]
            if not len(mine):
                axes.set_axis_off()
                continue
            inits = families(mine["init"])
            axes.axhline(mine["budget"].max(), color=GREY, linestyle=":", linewidth=1)
            for index, init in enumerate(inits):
                _family(axes, mine[mine["init"] == init], dodge(index, len(inits), 0.09), family(init, colour(cell)))
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter(thousands)
            gap_axis(axes, set(runs["gap"]), TASKS[task].axis)
            axes.set_ylim(data["sequences"].min() / 1.4, data["budget"].max() * 2.4)
            axes.set_title(CELLS[cell].title)
            if not labelled:
                axes.set_ylabel(f"{TASKS[task].title}\nsequences", fontsize=8.5)
                axes.tick_params(labelleft=True)
                labelled = True
    cross = Line2D([], [], marker="x", linestyle="", color="#444444", label="censored at the budget")
    legend(figure, families(data["init"]), cross)


def _family(axes, runs, shift, look):
    mark = {key: value for key, value in look.items() if key not in ("linestyle", "color")}
    solved = runs[runs["solved"]]
    axes.plot(solved["gap"] * shift, solved["sequences"], "o", markersize=3.2, markeredgewidth=0.8, alpha=0.8, **mark)
    medians = runs.drop_duplicates("gap").sort_values("gap")
    medians = medians[medians["median"] < float("inf")]
    axes.plot(medians["gap"] * shift, medians["median"], linewidth=1.4, linestyle=look["linestyle"], color=look["color"])
    for gap, some in runs[~runs["solved"]].groupby("gap"):
        above = 1.12 if look["linestyle"] == "-" else 1.55
        axes.plot(gap * shift, some["budget"].max(), "x", markersize=4.5, color=look["color"])
        axes.annotate(len(some), (gap * shift, some["budget"].max() * above), ha="center", fontsize=6.5, color=look["color"])
