"""Time constants of the gates that retain, unit by unit."""

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from kernels import CELLS
from study.report import probed
from study.report.style import GREY, by_registry, start

PLACE = 23
TITLE = "For how long the gates keep a memory"
CAPTION = (
    "Time constants of the units, -1 / mean log f: the steps after which a gate has let all but 1/e of a memory go (GRU and its kin: "
    "1 - z for f). Dot: the median unit; thick: the middle half of the units; thin: all of them; each number a median over seeds. "
    "Grey line: the largest lag of the study. Cells without a gate that retains are not shown."
)
COLOURS = ("#D55E00", "#0072B2")
MARKERS = ("o", "s")
SHARES = {"least": 0, "q1": 0.25, "middle": 0.5, "q3": 0.75, "most": 1}


def data(frame):
    rows = []
    for (cell, init), probes in probed.arms(frame):
        if probes[0]["constants"]:
            seeds = [[np.inf if constant is None else constant for constant in probe["constants"]] for probe in probes]
            units = pd.DataFrame(np.array(seeds)).median()
            rows.append({"cell": cell, "init": init, "seeds": len(probes), "lag": probes[0]["norms"]["lag"][-1],
                         **{name: units.quantile(share) for name, share in SHARES.items()}})
    found = pd.DataFrame(rows)
    return found[found["init"].isin(probed.two(found["init"]))] if len(found) else found


def draw(data, figure):
    cells, inits = by_registry(data["cell"])[::-1], probed.two(data["init"])
    figure.set_size_inches(figure.get_figwidth(), 0.9 + 0.23 * len(cells))
    axes = figure.subplots()
    axes.axvline(data["lag"].max(), color=GREY, linewidth=0.9)
    axes.annotate(f"lag {data['lag'].max():,}", (data["lag"].max(), 1), (3, -2), xycoords=("data", "axes fraction"),
                  textcoords="offset points", fontsize=7.5, color=GREY, va="top")
    for k, init in enumerate(inits):
        for arm in data[data["init"] == init].itertuples():
            y = cells.index(arm.cell) + 0.17 * (1 - 2 * k) * (len(inits) > 1)
            axes.plot([arm.least, arm.most], [y, y], color=COLOURS[k], linewidth=0.9)
            axes.plot([arm.q1, arm.q3], [y, y], color=COLOURS[k], linewidth=3)
            axes.plot(arm.middle, y, MARKERS[k], color=COLOURS[k], markeredgecolor="white", markersize=5.5)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.set_yticks(range(len(cells)), [CELLS[cell].title for cell in cells])
    axes.set_xlabel("time constant (steps)")
    handles = [Line2D([], [], color=COLOURS[k], marker=MARKERS[k], linewidth=3, label=start(init)) for k, init in enumerate(inits)]
    figure.legend(handles=handles, loc="outside upper left", ncols=2)
