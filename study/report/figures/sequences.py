"""Sequences to solve against gap, log-log, one mark a seed."""

import pandas as pd

from kernels import CELLS
from study.report.names import by_family, by_registry
from study.report.panels import dodge, families_legend, gap_axis, thousands
from study.report.style import GREY, colour, family, key
from study.report.trials import forward, past_only, with_pass_rule
from study.statistics.success import survival
from study.tasks import TASKS

PLACE = 3
TITLE = "Sequences needed to solve the task"
CAPTION = (
    "Both axes are logarithmic; each mark is a seed. A cross on the dotted line stands for the seeds that had not solved "
    "the task when their budget ended (censored); the number beside it counts them, diverged seeds included. The line joins "
    "Kaplan-Meier medians, and ends where fewer than half of the seeds solved the task. Filled and solid: long "
    "initialisation. Hollow and dashed: standard initialisation."
)
GROUP = ["task", "cell", "init", "gap"]


def data(frame):
    runs = past_only(with_pass_rule(forward(frame)))
    if not len(runs):
        return pd.DataFrame()
    tidy = runs[[*GROUP, "seed", "status", "sequences", "budget"]].copy()
    tidy.insert(5, "solved", runs["solved"].astype(bool))
    medians = [(*key, survival(seeds["sequences"], seeds["solved"]).median) for key, seeds in tidy.groupby(GROUP)]
    return tidy.merge(pd.DataFrame(medians, columns=[*GROUP, "median"]))


def draw(data, figure):
    cells, tasks = by_registry(data["cell"]), list(dict.fromkeys(data["task"]))
    figure.set_size_inches(figure.get_figwidth(), 0.6 + 1.95 * len(tasks))
    for task, row in zip(tasks, figure.subplots(len(tasks), len(cells), sharey=True, squeeze=False), strict=True):
        runs = data[data["task"] == task]
        for cell, axes in zip(cells, row, strict=True):
            seeds = runs[runs["cell"] == cell]
            axes.set_visible(len(seeds) > 0)
            if len(seeds):
                _draw_cell(axes, seeds, cell)
                gap_axis(axes, set(runs["gap"]), TASKS[task].axis)
                axes.set_ylim(data["sequences"].min() / 1.4, data["budget"].max() * 2.4)
        first = next(axes for axes in row if axes.get_visible())
        first.set_ylabel(f"{TASKS[task].title}\nsequences", fontsize=8.5)
        first.tick_params(labelleft=True)
    families_legend(figure, by_family(data["init"]), key("not solved when the budget ended", marker="x", linestyle=""))


def _draw_cell(axes, seeds, cell):
    axes.axhline(seeds["budget"].max(), color=GREY, linestyle=":", linewidth=1)
    inits = by_family(seeds["init"])
    for index, init in enumerate(inits):
        _draw_family(axes, seeds[seeds["init"] == init], dodge(index, len(inits), 0.09), family(init, colour(cell)))
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(thousands)
    axes.set_title(CELLS[cell].title)


def _draw_family(axes, seeds, shift, style):
    mark = {name: value for name, value in style.items() if name not in ("linestyle", "color")}
    solved = seeds[seeds["solved"]]
    axes.plot(solved["gap"] * shift, solved["sequences"], "o", markersize=3.2, markeredgewidth=0.8, alpha=0.8, **mark)
    medians = seeds[seeds["median"] < float("inf")].drop_duplicates("gap").sort_values("gap")
    axes.plot(medians["gap"] * shift, medians["median"], linewidth=1.4, linestyle=style["linestyle"], color=style["color"])
    for gap, censored in seeds[~seeds["solved"]].groupby("gap"):
        x, budget, above = gap * shift, censored["budget"].max(), 1.12 if style["linestyle"] == "-" else 1.55
        axes.plot(x, budget, "x", markersize=4.5, color=style["color"])
        axes.annotate(len(censored), (x, budget * above), ha="center", fontsize=6.5, color=style["color"])
