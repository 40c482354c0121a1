"""Norm of the gradient with respect to h against lag, all cells overlaid."""

import pandas as pd
from matplotlib.lines import Line2D

from kernels import CELLS
from study.report import falls, tables
from study.report.arms import plain, where
from study.report.style import by_registry, colour, families, line, start

PLACE = 6
TITLE = "How much of the gradient reaches back"
CAPTION = (
    "Norm of dL/dh at each lag before the read-out, relative to that at the read-out, on a log axis (recall of a "
    "past cue at the largest gap, float64). Lines are medians over seeds, bands quartiles. A straight line is an "
    "exponential; the number beside each cell is its fitted rate, the change of the log norm with each step back "
    "(median over seeds). The axis ends at 1e-12."
)


def data(frame):
    curves = falls.relative(frame, ["h"])
    if not len(curves):
        return pd.DataFrame()
    fits = tables.decay(where(plain(frame), task="recall/past"))
    return curves.merge(fits[["cell", "init", "when", "state", "slope", "slope_q1", "slope_q3", "r2"]], how="left")


def draw(data, figure):
    inits = families(data["init"])
    figure.set_size_inches(figure.get_figwidth(), 5.4)
    named = {}
    lowest = max(falls.LOWEST, data["q1"].min())
    for when, row in zip(falls.WHEN, figure.subplots(2, len(inits), sharex=True, sharey=True, squeeze=False), strict=True):
        for init, axes in zip(inits, row, strict=True):
            curves = data[(data["init"] == init) & (data["when"] == when)]
            for cell in by_registry(curves["cell"]):
                some = curves[curves["cell"] == cell]
                axes.fill_between(some["lag"], some["q1"], some["q3"], color=colour(cell), alpha=0.15, linewidth=0)
                axes.plot(some["lag"], some["median"], color=colour(cell), linestyle=line(cell), linewidth=1.6)
            falls.panel(axes, lowest, data["q3"].max())
            axes.set_ylabel("|dL/dh|, relative")
            axes.set_title(f"{start(init)}, {falls.WHEN[when]}", loc="left")
            axes.label_outer()
            named[axes] = [(f"{CELLS[cell].title} {some['slope'].iloc[0]:+.3f}", some["median"].iloc[-1], colour(cell))
                           for cell in by_registry(curves["cell"]) for some in [curves[curves["cell"] == cell]]]
    cells = [Line2D([], [], color=colour(cell), linestyle=line(cell), linewidth=1.6, label=CELLS[cell].title)
             for cell in by_registry(data["cell"])]
    figure.legend(handles=cells, loc="outside upper left", ncols=6)
    for axes, ends in named.items():  # after all panels, which share the limits that place the labels
        falls.labels(axes, ends)
