"""Time constants of the gates that retain, unit by unit."""

import numpy as np
import pandas as pd

from kernels import CELLS
from study.report import probes
from study.report.names import by_family, by_registry, init_label
from study.report.style import GREY, TWO, key

PLACE = 23
TITLE = "For how long the gates keep a memory"
CAPTION = (
    "Time constants of the units, -1 / mean log f: the number of steps after which 1/e of a memory is left behind a forget "
    "gate f (in cells with an update gate z, the part of the state that z keeps stands for f). Mark: the median unit. Thick "
    "line: the middle half of the units. Thin line: all units. Each number is a median over seeds. Grey line: the largest "
    "lag of the study. Cells without a gate that retains are left out."
)
SHARES = {"least": 0, "q1": 0.25, "middle": 0.5, "q3": 0.75, "most": 1}


def data(frame):
    rows = []
    for (cell, init), nets in probes.groups(frame, inits=2):
        if nets[0]["constants"]:
            seeds = [[np.inf if constant is None else constant for constant in net["constants"]] for net in nets]
            units = pd.DataFrame(np.array(seeds)).median()
            rows.append({"cell": cell, "init": init, "seeds": len(nets), "lag": nets[0]["norms"]["lag"][-1],
                         **{name: units.quantile(share) for name, share in SHARES.items()}})
    return pd.DataFrame(rows)


def draw(data, figure):
    cells, inits = by_registry(data["cell"])[::-1], by_family(data["init"])
    figure.set_size_inches(figure.get_figwidth(), 0.9 + 0.23 * len(cells))
    axes = figure.subplots()
    axes.axvline(data["lag"].max(), color=GREY, linewidth=0.9)
    axes.annotate(f"lag {data['lag'].max():,}", (data["lag"].max(), 1), (3, -2), xycoords=("data", "axes fraction"),
                  textcoords="offset points", fontsize=7.5, color=GREY, va="top")
    for k, (init, (tint, _, marker)) in enumerate(zip(inits, TWO)):
        for row in data[data["init"] == init].itertuples():
            y = cells.index(row.cell) + 0.17 * (1 - 2 * k) * (len(inits) > 1)
            axes.plot([row.least, row.most], [y, y], color=tint, linewidth=0.9)
            axes.plot([row.q1, row.q3], [y, y], color=tint, linewidth=3)
            axes.plot(row.middle, y, marker, color=tint, markeredgecolor="white", markersize=5.5)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.set_yticks(range(len(cells)), [CELLS[cell].title for cell in cells])
    axes.set_xlabel("time constant (steps)")
    handles = [key(init_label(init), color=tint, marker=marker, linewidth=3) for init, (tint, _, marker) in zip(inits, TWO)]
    figure.legend(handles=handles, loc="outside upper left", ncols=2)
