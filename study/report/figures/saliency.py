"""Norm of the gradient with respect to the input against lag."""

import pandas as pd
from matplotlib.lines import Line2D

from study.report import probed
from study.report.style import GREY, start

PLACE = 26
TITLE = "Which inputs the loss still feels"
CAPTION = (
    "Norm of dL/dx at each lag before the read-out, relative to that at the read-out (log axis, medians over seeds): how much a change of "
    "the input so many steps ago changes the loss. The axis ends at 1e-20; what falls below it is lost to training for any purpose."
)
COLOURS = ("#D55E00", "#0072B2")
LOWEST, HIGHEST = 1e-20, 1e5


def data(frame):
    curves = probed.falls(frame, "x")
    return curves[curves["init"].isin(probed.two(curves["init"]))] if len(curves) else pd.DataFrame()


def draw(data, figure):
    inits = probed.two(data["init"])
    for cell, axes in probed.grid(figure, data["cell"], height=1.15).items():
        axes.axhline(1, color=GREY, linewidth=0.7)
        for init, tint, dash in zip(inits, COLOURS, ("--", "-")):
            some = data[(data["cell"] == cell) & (data["init"] == init)]
            axes.plot(some["lag"], some["median"], dash, color=tint, linewidth=1.7)
        axes.set_yscale("log")
        axes.set_ylim(LOWEST, HIGHEST)
        axes.set_yticks([1, 1e-10, 1e-20])
    figure.supxlabel("lag (steps back from the read-out)", fontsize=9)
    figure.supylabel("|dL/dx|, relative", fontsize=9)
    handles = [Line2D([], [], color=tint, linestyle=dash, linewidth=1.7, label=start(init))
               for init, tint, dash in zip(inits, COLOURS, ("--", "-"))]
    figure.legend(handles=handles, loc="outside upper left", ncols=2)
