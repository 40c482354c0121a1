"""Fitted slopes of the gradient beside the leading Lyapunov exponents."""

import pandas as pd
from matplotlib.ticker import FixedLocator, NullLocator

from kernels import CELLS
from study.report import probes
from study.report.names import by_family, by_registry, init_label
from study.report.style import GREY, colour, key

PLACE = 21
TITLE = "How fast the gradient falls, and how fast the Jacobian shrinks"
CAPTION = (
    "Filled: slope fitted to the log norm of dL/dh against lag, in nats a step (median over seeds; line: quartiles). "
    "Hollow: leading Lyapunov exponent of the same nets, the mean log growth of a small change of their states, along "
    "another sequence. Left of the grey line gradients vanish, right of it they explode. The axis is linear within 0.001 of "
    "0 and logarithmic beyond. A cell without a gate has orthogonal recurrent weights in its long initialisation. Where the "
    "two marks part, the norm is no exponential, or the lags are too few for the slowest directions to dominate."
)
LINEAR = 1e-3
TICKS = {-1: "-1", -0.1: "-.1", -0.01: "-.01", 0: "0", 0.01: ".01"}
SHOWN = ["cell", "init", "seeds", "slope", "slope_q1", "slope_q3", "low", "high", "r2", "exponent"]


def data(frame):
    table = probes.slopes(frame)
    return table[SHOWN] if len(table) else pd.DataFrame()


def draw(data, figure):
    cells, inits = by_registry(data["cell"])[::-1], by_family(data["init"])
    figure.set_size_inches(figure.get_figwidth(), 0.9 + 0.21 * len(cells))
    for init, axes in zip(inits, figure.subplots(1, len(inits), sharex=True, sharey=True, squeeze=False)[0], strict=True):
        axes.axvline(0, color=GREY, linewidth=0.8)
        for row in data[data["init"] == init].itertuples():
            y = cells.index(row.cell)
            axes.plot([row.slope_q1, row.slope_q3], [y, y], color=colour(row.cell), linewidth=2)
            axes.plot(row.exponent, y, "o", color="black", markerfacecolor="none", markersize=7, markeredgewidth=1.1)
            axes.plot(row.slope, y, "o", color=colour(row.cell), markersize=4)
        axes.set_xscale("symlog", linthresh=LINEAR, linscale=0.5)
        axes.xaxis.set_major_locator(FixedLocator(list(TICKS)))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xticklabels(list(TICKS.values()))
        axes.set_yticks(range(len(cells)), [CELLS[cell].title for cell in cells])
        axes.set_title(init_label(init).replace(" ", "\n"), fontsize=8, loc="left")
        axes.set_xlabel("nats a step", fontsize=8)
    handles = [key("slope of the gradient", linestyle="", marker="o", markersize=4),
               key("leading Lyapunov exponent", linestyle="", marker="o", markersize=7, markerfacecolor="none", color="black")]
    figure.legend(handles=handles, loc="outside upper left", ncols=2)
