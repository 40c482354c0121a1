"""Norm of the gradient with respect to h against lag, for the probed nets of every cell."""

import pandas as pd

from kernels import CELLS
from study.report import falls, probed
from study.report.style import GREY, by_registry, colour, ink, line, start

PLACE = 20
TITLE = "How much of the gradient is left, step by step back"
CAPTION = (
    "Norm of dL/dh at each lag before the read-out, relative to that at the read-out, on a log axis (nets that have learned nothing "
    "unless their start says so, float64). Lines are medians over seeds. A straight line is an exponential; where it falls steeply "
    "the gradient has vanished. Below the grey line a ratio is less than the smallest number that float32 holds to full precision. "
    "Rows: kinds of cell. Lines that end leave float64 (below 1e-308)."
)
FLOAT32 = 1.2e-38
LOWEST, HIGHEST = 1e-300, 1e30


def data(frame):
    curves = probed.falls(frame, "h")
    return curves[curves["init"].isin(probed.two(curves["init"]))] if len(curves) else pd.DataFrame()


def draw(data, figure):
    inits, kins = probed.two(data["init"]), [kin for kin in probed.KINS if kin in set(data["kin"])]
    figure.set_size_inches(figure.get_figwidth(), 0.5 + 1.95 * len(kins))
    named = {}
    for kin, row in zip(kins, figure.subplots(len(kins), len(inits), sharex=True, sharey=True, squeeze=False), strict=True):
        for init, axes in zip(inits, row, strict=True):
            curves = data[(data["init"] == init) & (data["kin"] == kin)]
            for cell in by_registry(curves["cell"]):
                some = curves[curves["cell"] == cell]
                axes.plot(some["lag"], some["median"], color=colour(cell), linestyle=line(cell), linewidth=1.6)
            axes.set_yscale("log")
            axes.set_ylim(LOWEST, HIGHEST)
            axes.set_yticks([1, 1e-100, 1e-200, 1e-300])
            axes.axhline(FLOAT32, color=GREY, linewidth=0.8)
            axes.set_title(f"{kin}: {start(init)}", loc="left")
            axes.set_xlabel("lag (steps back from the read-out)")
            axes.set_ylabel("|dL/dh|, relative")
            axes.label_outer()
            named[axes] = [(CELLS[cell].title, curves[curves["cell"] == cell]["median"].iloc[-1], ink(cell))
                           for cell in by_registry(curves["cell"])]
    figure.axes[0].annotate("float32 ends here", (0.99, FLOAT32), (0, -3), xycoords=("axes fraction", "data"),
                            textcoords="offset points", va="top", ha="right", fontsize=7, color=GREY)
    for axes, ends in named.items():  # after all panels, which share the limits that place the labels
        falls.labels(axes, ends)
