"""Success of one direction and of both, for a past cue and for cues on both sides."""

import pandas as pd

from kernels import CELLS
from study.records.table import where
from study.report import tables
from study.report.names import by_registry
from study.report.panels import share_axis
from study.report.style import DARK, colour, key
from study.report.trials import trained, with_pass_rule
from study.tasks import TASKS

PLACE = 4
TITLE = "What a second direction is worth"
CAPTION = (
    "Share of seeds that solve recall, with the cue in the past or with a cue on each side of the query, for nets that read "
    "in one direction or in both (and how these merge the two); 95 % Wilson intervals, long initialisation. With a cue on "
    "each side, a net that reads in one direction sees only one of the two cues before it answers, so it cannot solve the "
    "task."
)
NETS = {"forward": ("o", "white"), "reverse": ("<", "white"), "both, concat": ("s", None), "both, sum": ("v", None),
        "both, mean": ("^", None), "both, learned": ("D", None)}  # marker and fill


def data(frame):
    """Tasks and cells that were run in both directions, at the gaps where they were."""
    runs = where(with_pass_rule(trained(frame)), init="long")
    runs = runs[runs["task"].str.startswith("recall/")]
    both = where(runs, direction="both")[["task", "cell", "gap", "units"]].drop_duplicates()
    table = tables.success(runs.merge(both))
    if not len(table):
        return pd.DataFrame()
    table.insert(3, "net", table["direction"].where(table["direction"] != "both", "both, " + table["merge"]))
    return table[["task", "cell", "gap", "net", "trials", "solved", "rate", "rate_low", "rate_high"]]


def draw(data, figure):
    cells, tasks = by_registry(data["cell"]), sorted(set(data["task"]), reverse=True)
    nets, gaps = [net for net in NETS if net in set(data["net"])], sorted(set(data["gap"]))
    figure.set_size_inches(figure.get_figwidth(), 0.6 + 1.75 * len(tasks))
    for task, row in zip(tasks, figure.subplots(len(tasks), len(cells), sharey=True, squeeze=False), strict=True):
        for cell, axes in zip(cells, row, strict=True):
            for index, net in enumerate(nets):
                runs, (shape, fill) = where(data, task=task, cell=cell, net=net), NETS[net]
                if not len(runs):
                    continue
                x = [gaps.index(gap) + 0.16 * (index - (len(nets) - 1) / 2) for gap in runs["gap"]]
                axes.errorbar(x, runs["rate"], [runs["rate"] - runs["rate_low"], runs["rate_high"] - runs["rate"]], fmt=shape,
                              color=colour(cell), markerfacecolor=fill or colour(cell), markersize=5.5, elinewidth=1.1,
                              clip_on=False, zorder=3)
            axes.set_xticks(range(len(gaps)), [f"{gap:g}" for gap in gaps])
            axes.set_xlim(-0.6, len(gaps) - 0.4)
            axes.grid(axis="x", visible=False)
            share_axis(axes)
            axes.set_title(CELLS[cell].title)
            axes.set_xlabel("gap")
        row[0].set_ylabel(TASKS[task].title.replace(", ", ",\n") + "\nseeds that solve it", fontsize=8.5)
    handles = [key(net, marker=NETS[net][0], linestyle="", markerfacecolor=NETS[net][1] or DARK) for net in nets]
    figure.legend(handles=handles, loc="outside upper left", ncols=6)
