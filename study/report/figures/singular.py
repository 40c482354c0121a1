"""Singular values of the Jacobian between states k steps apart."""

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from study.report import probed
from study.report.style import GREY, start

PLACE = 22
TITLE = "What the Jacobian lets through"
CAPTION = (
    "Singular values of d state_t / d state_{t-k}, all states of the cell stacked, against k (log axis, so that a straight line is an exponential; "
    "medians over seeds, float64). Thick: the largest, the most that any change of the states can keep. Thin: the one at an eighth and at a "
    "quarter of their number, so a wide gap means that few directions survive. Dotted, for cells without gates: the largest "
    "singular value of U to the power k, which the largest cannot exceed (Pascanu, Mikolov & Bengio 2013). Computed by rotations in a "
    "fixed order, so their bits hold; those below 1e-13 of the largest are rounding, and left out."
)
RANKS = {0: "largest", 1: "eighth", 2: "quarter"}
COLOURS = ("#D55E00", "#0072B2")
LOWEST, HIGHEST = 1e-60, 1e5


def data(frame):
    rows = []
    for (cell, init), probes in probed.arms(frame):
        bound = np.exp(probed.quartiles(np.log(max(probe["U"].values())) for probe in probes)["median"])
        for k, lag in enumerate(probes[0]["jacobian"]["lag"]):
            for rank, name in RANKS.items():
                values = [probe["jacobian"]["values"][k][rank] for probe in probes]
                if None not in values:
                    limit = float(bound) ** lag if probed.kin(cell) == "no gate" and not rank else np.nan
                    rows.append({"cell": cell, "init": init, "k": lag, "rank": name, "seeds": len(values),
                                 "median": probed.quartiles(values)["median"], "bound": limit})
    found = pd.DataFrame(rows)
    return found[found["init"].isin(probed.two(found["init"]))] if len(found) else found


def draw(data, figure):
    inits = probed.two(data["init"])
    for cell, axes in probed.grid(figure, data["cell"]).items():
        axes.axhline(1, color=GREY, linewidth=0.7)
        for init, tint, dash in zip(inits, COLOURS, ("--", "-")):
            some = data[(data["cell"] == cell) & (data["init"] == init)]
            for rank in RANKS.values():
                values = some[some["rank"] == rank]
                axes.plot(values["k"], values["median"], dash, color=tint, linewidth=1.9 if rank == "largest" else 0.8)
            largest = some[some["rank"] == "largest"]
            axes.plot(largest["k"], largest["bound"], ":", color=tint, linewidth=1.3)
        axes.set_yscale("log")
        axes.set_ylim(LOWEST, HIGHEST)
        axes.set_yticks([1, 1e-20, 1e-40, 1e-60])
        axes.set_xticks([0, 100, 200])
    figure.supxlabel("k (steps)", fontsize=9)
    figure.supylabel("singular value", fontsize=9)
    handles = [Line2D([], [], color=tint, linestyle=dash, linewidth=1.9, label=start(init))
               for init, tint, dash in zip(inits, COLOURS, ("--", "-"))]
    handles.append(Line2D([], [], color="#444444", linestyle=":", label="bound by U"))
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
