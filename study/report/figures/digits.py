"""Accuracy on handwritten digits, read pixel by pixel, against the blank steps that follow."""

import pandas as pd
from matplotlib.ticker import PercentFormatter

from kernels import CELLS
from study.report.names import by_family, by_registry
from study.report.panels import families_legend
from study.report.style import GREY, colour, family, marker
from study.report.trials import forward
from study.tasks import TASKS

PLACE = 8
TITLE = "Real handwriting, held over blank steps"
CAPTION = (
    "8 x 8 digits, read pixel by pixel (64 steps), then a gap of blank steps, then the answer. Accuracy on the fixed test "
    "part when the budget is spent. Each mark is a seed; lines join medians. Filled and solid: long initialisation. Hollow "
    "and dashed: standard initialisation. Dotted: chance. Dash-dotted, on the same parts: logistic regression of the 64 pixels (.90) "
    "and the nearest neighbour (.956)."
)
OTHERS = {"chance": (TASKS["digits"].chance["score"], ":"), "logistic regression": (0.90, "-."), "nearest neighbour": (0.956, "-.")}


def data(frame):
    runs = forward(frame)
    runs = runs[(runs["task"] == "digits") & runs["test_n"].notna()] if len(runs) else runs
    if not len(runs):
        return pd.DataFrame()
    tidy = runs[["cell", "init", "gap", "seed", "test_n", "test_correct"]]
    return tidy.assign(accuracy=tidy["test_correct"] / tidy["test_n"])


def draw(data, figure):
    cells, gaps = by_registry(data["cell"]), sorted(set(data["gap"]))
    figure.set_size_inches(max(3, min(1.2 + 2.1 * len(cells), figure.get_figwidth())), 2.5)
    for cell, axes in zip(cells, figure.subplots(1, len(cells), sharey=True, squeeze=False)[0], strict=True):
        runs = data[data["cell"] == cell]
        inits = by_family(runs["init"])
        for index, init in enumerate(inits):
            shift = 0.16 * (index - (len(inits) - 1) / 2)
            _draw_family(axes, runs[runs["init"] == init], lambda gap: gaps.index(gap) + shift, family(init, colour(cell)))
        for height, dashes in OTHERS.values():
            axes.axhline(height, color=GREY, linestyle=dashes, linewidth=1)
        axes.set_xticks(range(len(gaps)), [f"{gap:g}" for gap in gaps])
        axes.set_xlim(-0.4, len(gaps) - 0.6)
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.set_title(CELLS[cell].title)
        axes.set_xlabel("blank steps")
    figure.axes[0].set_ylabel("test accuracy")
    for name, (height, _) in OTHERS.items():
        beside = height + {"logistic regression": -0.02, "nearest neighbour": 0.02}.get(name, 0)
        figure.axes[-1].annotate(name, (1.02, beside), xycoords=("axes fraction", "data"), va="center", fontsize=7, color=GREY)
    families_legend(figure, by_family(data["init"]))


def _draw_family(axes, runs, x, style):
    shape = marker(runs["cell"].iloc[0])
    axes.plot(runs["gap"].map(x), runs["accuracy"], **(style | {"linestyle": ""}), marker=shape, markersize=4.5)
    medians = runs.groupby("gap")["accuracy"].median()
    axes.plot([x(gap) for gap in medians.index], medians, color=style["color"], linestyle=style["linestyle"], linewidth=1.4)
