"""Accuracy on handwritten digits, read pixel by pixel, against the blank steps that follow."""

import pandas as pd
from matplotlib.ticker import PercentFormatter

from kernels import CELLS
from study.report.arms import plain
from study.report.style import GREY, by_registry, colour, families, family, legend, marker
from study.tasks import TASKS

PLACE = 8
TITLE = "Real handwriting, held over blank steps"
CAPTION = (
    "8 x 8 digits read pixel by pixel (64 steps), then a gap of blank steps, then the class; accuracy on the fixed "
    "test part at the end of the budget. Each mark is a seed, lines join medians. Filled and solid: long starts. "
    "Hollow and dashed: standard starts. Dotted: chance."
)


def data(frame):
    runs = plain(frame)
    runs = runs[(runs["task"] == "digits") & runs["test_n"].notna()] if len(runs) else runs
    if not len(runs):
        return pd.DataFrame()
    tidy = runs[["cell", "init", "gap", "seed", "test_n", "test_correct"]].copy()
    return tidy.assign(accuracy=tidy["test_correct"] / tidy["test_n"])


def draw(data, figure):
    cells, gaps = by_registry(data["cell"]), sorted(set(data["gap"]))
    figure.set_size_inches(max(3, min(1.2 + 2.1 * len(cells), figure.get_figwidth())), 2.5)
    chance = TASKS["digits"].chance["score"]
    for cell, axes in zip(cells, figure.subplots(1, len(cells), sharey=True, squeeze=False)[0], strict=True):
        mine = data[data["cell"] == cell]
        inits = families(mine["init"])
        for index, init in enumerate(inits):
            some = mine[mine["init"] == init]
            shift = 0.16 * (index - (len(inits) - 1) / 2)
            look = family(init, colour(cell))
            axes.plot([gaps.index(gap) + shift for gap in some["gap"]], some["accuracy"],
                      **(look | {"linestyle": ""}), marker=marker(cell), markersize=4.5)
            medians = some.groupby("gap")["accuracy"].median()
            axes.plot([gaps.index(gap) + shift for gap in medians.index], medians, color=look["color"],
                      linestyle=look["linestyle"], linewidth=1.4)
        axes.axhline(chance, color=GREY, linestyle=":", linewidth=1.2)
        axes.set_xticks(range(len(gaps)), [f"{gap:g}" for gap in gaps])
        axes.set_xlim(-0.4, len(gaps) - 0.6)
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set_title(CELLS[cell].title)
        axes.set_xlabel("blank steps")
    figure.axes[0].set_ylabel("test accuracy")
    legend(figure, families(data["init"]))
