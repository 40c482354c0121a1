"""Fitted slopes of the gradient beside the leading Lyapunov exponents."""

import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from kernels import CELLS
from study.report import probed
from study.report.style import GREY, by_registry, colour, families, start

PLACE = 21
TITLE = "How fast the gradient falls, and how fast the Jacobian shrinks"
CAPTION = (
    "Filled: slope fitted to the log norm of dL/dh against lag, in nats a step (median over seeds, line: quartiles). Hollow: leading "
    "Lyapunov exponent of the same nets, the mean log growth of a small change of their states, along another sequence. Left of "
    "the grey line gradients vanish, right of it they explode. The axis is linear within 0.001 of 0 and logarithmic beyond. "
    "A cell without a gate starts orthogonal in its long start. Where the two marks part, the norm is no exponential, or the lags are too few for its slowest directions to win."
)
LINEAR = 1e-3
TICKS = {-1: "-1", -0.1: "-.1", -0.01: "-.01", 0: "0", 0.01: ".01"}


def data(frame):
    found = probed.spectra(frame)
    kept = ["cell", "init", "seeds", "slope", "slope_q1", "slope_q3", "low", "high", "r2", "exponent"]
    return found[kept] if len(found) else pd.DataFrame()


def draw(data, figure):
    cells, inits = by_registry(data["cell"])[::-1], families(data["init"])
    figure.set_size_inches(figure.get_figwidth(), 0.9 + 0.21 * len(cells))
    for init, axes in zip(inits, figure.subplots(1, len(inits), sharex=True, sharey=True, squeeze=False)[0], strict=True):
        axes.axvline(0, color=GREY, linewidth=0.8)
        for arm in data[data["init"] == init].itertuples():
            y = cells.index(arm.cell)
            axes.plot([arm.slope_q1, arm.slope_q3], [y, y], color=colour(arm.cell), linewidth=2)
            axes.plot(arm.exponent, y, "o", color="black", markerfacecolor="none", markersize=7, markeredgewidth=1.1)
            axes.plot(arm.slope, y, "o", color=colour(arm.cell), markersize=4)
        axes.set_xscale("symlog", linthresh=LINEAR, linscale=0.5)
        axes.xaxis.set_major_locator(FixedLocator(list(TICKS)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticklabels(list(TICKS.values()))
        axes.set_yticks(range(len(cells)), [CELLS[cell].title for cell in cells])
        axes.set_title(start(init), fontsize=8, loc="left")
        axes.set_xlabel("nats a step", fontsize=8)
    handles = [Line2D([], [], linestyle="", marker="o", markersize=4, color="#444444", label="slope of the gradient"),
               Line2D([], [], linestyle="", marker="o", markersize=7, markerfacecolor="none", color="black",
                      label="leading Lyapunov exponent")]
    figure.legend(handles=handles, loc="outside upper left", ncols=2)
