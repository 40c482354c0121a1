"""Norm of the gradient with respect to h against lag, before and after training, all cells overlaid."""

import pandas as pd

from kernels import CELLS
from study.records.table import where
from study.report import gradient_norms, tables
from study.report.names import by_family, by_registry, init_label
from study.report.panels import label_ends, norm_axis
from study.report.style import colour, key, line, text_colour
from study.report.trials import forward

PLACE = 6
TITLE = "How much of the gradient reaches back"
SINCE = 5
CAPTION = (
    f"Norm of dL/dh at each lag, relative to lag {SINCE}, on a log axis (recall of a past cue at the largest gap, float64). Within "
    "the first steps back a cell with a memory loses what only its output saw, which says nothing of its reach. Lines are medians "
    "over seeds, bands quartiles. A straight line is an exponential. The number beside each cell is its fitted slope over all "
    "lags: the change of the log norm with each step back (median over seeds). The axis ends at 1e-12."
)


def data(frame):
    curves = gradient_norms.of_training(frame, ["h"], since=SINCE)
    if not len(curves):
        return pd.DataFrame()
    fits = tables.decay(where(forward(frame), task="recall/past"))
    return curves.merge(fits[["cell", "init", "when", "state", "slope", "slope_q1", "slope_q3", "r2"]], how="left")


def draw(data, figure):
    inits, cells, labels = by_family(data["init"]), by_registry(data["cell"]), {}
    figure.set_size_inches(figure.get_figwidth(), 5.4)
    rows = figure.subplots(2, len(inits), sharex=True, sharey=True, squeeze=False)
    for when, row in zip(gradient_norms.WHEN, rows, strict=True):
        for init, axes in zip(inits, row, strict=True):
            labels[axes] = []
            for cell in cells:
                curve = where(data, init=init, when=when, cell=cell)
                if len(curve):
                    axes.fill_between(curve["lag"], curve["q1"], curve["q3"], color=colour(cell), alpha=0.15, linewidth=0)
                    axes.plot(curve["lag"], curve["median"], color=colour(cell), linestyle=line(cell), linewidth=1.6)
                    labels[axes].append((f"{CELLS[cell].title} {curve['slope'].iloc[0]:+.3f}", curve["median"].iloc[-1],
                                         text_colour(cell)))
            norm_axis(axes, data["q1"].min(), data["q3"].max())
            axes.set_ylabel(f"|dL/dh| over that at lag {SINCE}", fontsize=8)
            axes.set_title(f"{init_label(init)}, {gradient_norms.WHEN[when]}", loc="left")
            axes.label_outer()
    handles = [key(CELLS[cell].title, color=colour(cell), linestyle=line(cell), linewidth=1.6) for cell in cells]
    figure.legend(handles=handles, loc="outside upper left", ncols=6)
    for axes, ends in labels.items():  # after all panels, because they share their limits
        label_ends(axes, ends)
