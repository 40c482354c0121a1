"""Success of one direction and of both, for a past cue and for cues on both sides."""

import pandas as pd
from matplotlib.lines import Line2D

from kernels import CELLS
from study.report import tables
from study.report.arms import passable, trained
from study.report.style import by_registry, colour
from study.tasks import TASKS

PLACE = 4
TITLE = "What a second direction is worth"
CAPTION = (
    "Share of seeds that solve recall with the cue in the past, or with a cue on each side of the query, by nets "
    "that read in one direction or in both; 95 % Wilson intervals, long starts. A net that sees one side only cannot"
    " name the pair of two cues."
)
LOOKS = {"forward": ("o", "white"), "reverse": ("<", "white"), "both, concat": ("s", None), "both, sum": ("v", None),
         "both, mean": ("^", None), "both, learned": ("D", None)}


def data(frame):
    """Tasks and cells that were run in both directions, at the gaps where they were."""
    runs = passable(trained(frame))
    runs = runs[runs["init"].eq("long") & runs["task"].str.startswith("recall/")]
    both = runs[runs["direction"] == "both"][["task", "cell", "gap", "units"]].drop_duplicates()
    table = tables.success(runs.merge(both))
    if not len(table):
        return pd.DataFrame()
    name = table["direction"].where(table["direction"] != "both", "both, " + table["merge"])
    table.insert(3, "net", name)
    return table[["task", "cell", "gap", "net", "trials", "solved", "rate", "rate_low", "rate_high"]]


def draw(data, figure):
    cells, tasks = by_registry(data["cell"]), sorted(set(data["task"]), reverse=True)
    figure.set_size_inches(figure.get_figwidth(), 0.6 + 1.75 * len(tasks))
    nets = [net for net in LOOKS if net in set(data["net"])]
    for task, row in zip(tasks, figure.subplots(len(tasks), len(cells), sharey=True, squeeze=False), strict=True):
        for cell, axes in zip(cells, row, strict=True):
            runs = data[(data["task"] == task) & (data["cell"] == cell)]
            gaps = sorted(set(data["gap"]))
            for index, net in enumerate(nets):
                some = runs[runs["net"] == net]
                if not len(some):
                    continue
                at = [gaps.index(gap) + 0.16 * (index - (len(nets) - 1) / 2) for gap in some["gap"]]
                shape, fill = LOOKS[net]
                axes.errorbar(at, some["rate"], [some["rate"] - some["rate_low"], some["rate_high"] - some["rate"]], fmt=shape,
                              color=colour(cell), markerfacecolor=fill or colour(cell), markersize=5.5, elinewidth=1.1,
                              clip_on=False, zorder=3)
            axes.set_xticks(range(len(gaps)), [f"{gap:g}" for gap in gaps])
            axes.set_xlim(-0.6, len(gaps) - 0.4)
            axes.grid(axis="x", visible=False)
            axes.set_ylim(-0.03, 1.03)
            axes.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])
            axes.set_title(CELLS[cell].title)
            axes.set_xlabel("gap")
        title = TASKS[task].title.replace(", ", ",\n")
        row[0].set_ylabel(f"{title}\nsolved", fontsize=8.5)
    handles = [Line2D([], [], marker=LOOKS[net][0], linestyle="", color="#444444", markerfacecolor=LOOKS[net][1] or "#444444",
                      label=net) for net in nets]
    figure.legend(handles=handles, loc="outside upper left", ncols=6)
