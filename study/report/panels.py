"""Parts that several figures share: axes, small multiples, legends, labels beside lines."""

import numpy as np
from matplotlib.ticker import LogFormatter, MaxNLocator, NullLocator

from kernels import CELLS
from study.report.names import by_family, by_registry, init_label
from study.report.style import DARK, GREY, colour, family, key, line
from study.tasks import TASKS

VANISHED, EXPLODED = 1e-12, 1e6
"""Where an axis of relative norms ends: float32 training has no use for what lies beyond."""
LAG = "lag (steps before the answer)"


def log_axis(axes, values, label):
    """Horizontal log axis whose only ticks are the given values."""
    values = sorted(set(values))
    axes.set_xscale("log")
    axes.set_xticks(values, [f"{value:g}" for value in values])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(label)


def gap_axis(axes, gaps, label):
    """The log axis of a grid's gaps."""
    log_axis(axes, gaps, label)
    axes.set_xlim(min(gaps) / 1.3, max(gaps) * 1.3)


def share_axis(axes):
    """Vertical axis from 0 to 100 %."""
    axes.set_ylim(-0.03, 1.03)
    axes.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])


def norm_axis(axes, lowest, highest):
    """Vertical log axis of relative norms, from `lowest` to about `highest`, within bounds, with a line at 1."""
    axes.set_yscale("log")
    axes.set_ylim(max(VANISHED, lowest), min(EXPLODED, 10 * highest))
    axes.axhline(1, color=GREY, linewidth=0.7)
    axes.set_xlabel(LAG)


def thousands(value, _=None):
    """Text of a tick: 2000 is 2k."""
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


class Thousands(LogFormatter):
    """Ticks of a log axis as `thousands` writes them, where Matplotlib would label them."""

    def __call__(self, value, position=None):
        return thousands(value) if super().__call__(value, position) else ""


def dodge(index, count, step=0.045):
    """Factor that moves the index-th of `count` points apart on a log axis."""
    return float(np.exp(step * (2 * index - count + 1)))


def families_legend(figure, inits, *more):
    """Legend above all panels: what filled and hollow mean, and `more` entries."""
    handles = [key(init_label(init), marker="o", **family(init, DARK)) for init in inits]
    figure.legend(handles=[*handles, *more], loc="outside upper left", ncols=4)


def families_caption(inits):
    """What filled and hollow mean, for a caption."""
    told = {"long": "Filled and solid: long initialisation. ", "standard": "Hollow and dashed: standard initialisation. "}
    return "".join(told.get(init, "") for init in by_family(inits)[::-1]) if len(set(inits)) > 1 else ""


def small_multiples(figure, cells, height=1.2, columns=4):
    """{cell: axes}, one panel a cell in the order of the registry, each named."""
    cells = by_registry(cells)
    rows = -(-len(cells) // columns)
    figure.set_size_inches(figure.get_figwidth(), 0.6 + height * rows)
    axes = figure.subplots(rows, min(columns, len(cells)), sharex=True, sharey=True, squeeze=False)
    for unused in axes.flat[len(cells):]:
        unused.set_axis_off()
    for k, (cell, panel) in enumerate(zip(cells, axes.flat)):
        panel.set_title(CELLS[cell].title, fontsize=7.5, loc="left", pad=3)
        panel.tick_params(labelleft=k % columns == 0, labelbottom=k + columns >= len(cells))
    return dict(zip(cells, axes.flat))


def tasks_by_cells(figure, data, height, label, draw):
    """A row of panels per task, with a panel over gaps for each cell that has data: draw(axes, its data, cell)."""
    cells, tasks = by_registry(data["cell"]), list(dict.fromkeys(data["task"]))
    figure.set_size_inches(figure.get_figwidth(), 0.6 + height * len(tasks))
    for task, row in zip(tasks, figure.subplots(len(tasks), len(cells), sharey=True, squeeze=False), strict=True):
        of_task = data[data["task"] == task]
        for cell, axes in zip(cells, row, strict=True):
            of_cell = of_task[of_task["cell"] == cell]
            axes.set_visible(len(of_cell) > 0)
            if len(of_cell):
                draw(axes, of_cell, cell)
                gap_axis(axes, set(of_task["gap"]), TASKS[task].axis)
        first = next(axes for axes in row if axes.get_visible())
        first.set_ylabel(f"{TASKS[task].title}\n{label}", fontsize=8.5)
        first.tick_params(labelleft=True)


def panels_of_tasks(figure, data, columns=3):
    """Yield (axes, rows) of a panel for each task and initialisation, with a vertical axis of shares.

    `data` has the columns task, gap, init and cell, and may have chance, at which a line is drawn. The legend above has the cells.
    """
    groups, inits = list(data.groupby(["task", "init"], sort=False)), data["init"].nunique()
    rows = -(-len(groups) // columns)
    figure.set_size_inches(figure.get_figwidth(), 0.6 + 1.9 * rows)
    grid = figure.subplots(rows, min(columns, len(groups)), sharey=True, squeeze=False).flat
    for unused in grid[len(groups) :]:
        unused.set_axis_off()
    for ((task, init), panel), axes in zip(groups, grid):
        if "chance" in panel:
            axes.axhline(panel["chance"].iloc[0], color=GREY, linestyle=":", linewidth=1.2)
        axes.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
        yield axes, panel
        share_axis(axes)
        of_init = f", {init_label(init)}" if inits > 1 else ""
        gaps = dict.fromkeys([panel["gap"].min(), panel["gap"].max()])  # each cell may have its own
        axes.set_title(f"{TASKS[task].title}\ngap {' to '.join(map(str, gaps))}{of_init}", loc="left", fontsize=8)
    handles = [key(CELLS[cell].title, color=colour(cell), linestyle=line(cell)) for cell in by_registry(data["cell"])]
    chance = [key("chance", color=GREY, linestyle=":")] if "chance" in data else []
    figure.legend(handles=[*handles, *chance], loc="outside upper left", ncols=6)


def label_ends(axes, ends):
    """Label lines right of the panel: (text, y, colour) each, moved apart where they would touch. Set the limits before."""
    low, high = np.log(axes.get_ylim())
    order = sorted(ends, key=lambda end: end[1])
    heights = [(np.log(max(y, axes.get_ylim()[0])) - low) / (high - low) for _, y, _ in order]
    apart = 0.085
    for k in range(1, len(heights)):
        heights[k] = max(heights[k], heights[k - 1] + apart)
    for k in range(len(heights) - 1, -1, -1):
        heights[k] = min(heights[k], 0.97 - apart * (len(heights) - 1 - k))
    for (text, _, tint), height in zip(order, heights, strict=True):
        axes.annotate(text, (1.02, height), xycoords="axes fraction", va="center", fontsize=7.5, color=tint)
