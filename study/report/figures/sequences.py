"""Sequences to solve against gap, log-log, one mark a seed."""

import pandas as pd

from kernels import CELLS
from study.report.names import by_family
from study.report.panels import Thousands, dodge, families_caption, families_legend, tasks_by_cells, thousands
from study.report.style import GREY, colour, family, key
from study.report.trials import forward, past_only, with_pass_rule
from study.statistics.success import survival

PLACE = 3
TITLE = "Sequences needed to solve the task"
CAPTION = (
    "Both axes are logarithmic; each mark is a seed. A cross on the dotted line stands for the seeds that had not solved "
    "the task when their budget ended (censored); the number beside it counts them, diverged seeds included. The line joins "
    "Kaplan-Meier medians, and breaks where fewer than half of the seeds solved the task."
)
GROUP = ["task", "cell", "init", "gap"]


def caption(data):
    return f"{CAPTION} {families_caption(data['init'])}".strip()


def data(frame):
    runs = past_only(with_pass_rule(forward(frame)))
    if not len(runs):
        return pd.DataFrame()
    tidy = runs[[*GROUP, "seed", "status", "sequences", "budget"]].copy()
    tidy.insert(5, "solved", runs["solved"].astype(bool))
    medians = [(*key, survival(seeds["sequences"], seeds["solved"]).median) for key, seeds in tidy.groupby(GROUP)]
    return tidy.merge(pd.DataFrame(medians, columns=[*GROUP, "median"]))


def draw(data, figure):
    tasks_by_cells(figure, data, 1.95, "sequences", _draw_cell)
    for axes in figure.axes:
        axes.set_ylim(data["sequences"].min() / 1.4, data["budget"].max() * 2.4)
    families_legend(figure, by_family(data["init"]), key("not solved when the budget ended", marker="x", linestyle=""))


def _draw_cell(axes, seeds, cell):
    axes.axhline(seeds["budget"].max(), color=GREY, linestyle=":", linewidth=1)
    inits = by_family(seeds["init"])
    for index, init in enumerate(inits):
        _draw_family(axes, seeds[seeds["init"] == init], dodge(index, len(inits), 0.09), family(init, colour(cell)))
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(thousands)
    axes.yaxis.set_minor_formatter(Thousands(labelOnlyBase=False))
    axes.set_title(CELLS[cell].title)


def _draw_family(axes, seeds, shift, style):
    mark = {name: value for name, value in style.items() if name not in ("linestyle", "color")}
    solved = seeds[seeds["solved"]]
    axes.plot(solved["gap"] * shift, solved["sequences"], "o", markersize=3.2, markeredgewidth=0.8, alpha=0.8, **mark)
    medians = seeds.drop_duplicates("gap").sort_values("gap")
    axes.plot(medians["gap"] * shift, medians["median"].replace(float("inf"), float("nan")), linewidth=1.4, linestyle=style["linestyle"], color=style["color"])
    for gap, censored in seeds[~seeds["solved"]].groupby("gap"):
        x, budget, above = gap * shift, censored["budget"].max(), 1.12 if style["linestyle"] == "-" else 1.55
        axes.plot(x, budget, "x", markersize=4.5, color=style["color"])
        axes.annotate(len(censored), (x, budget * above), ha="center", fontsize=6.5, color=style["color"])
