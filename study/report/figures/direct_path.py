"""Norm of the gradient with respect to the memory cell against the product of the gates that hold it."""

import pandas as pd
from matplotlib.lines import Line2D

from kernels import CELLS
from study.report import falls
from study.report.style import FAMILIES, by_registry, colour, families

PLACE = 7
TITLE = "The direct path: the gradient of the memory, and the forget gates"
CAPTION = (
    "Cells with a memory c: norm of dL/dc at each lag, relative to that at the read-out (solid; median over seeds, quartile band), "
    "and the product of the forget gates from there to the read-out, norm over units, relative too (dotted). Where both "
    "fall together, the direct path carries the gradient. The axis ends at 1e-12."
)


def data(frame):
    curves = falls.relative(frame, ["c", "f"])
    return curves[["c" in CELLS[cell].states for cell in curves["cell"]]] if len(curves) else pd.DataFrame()


def draw(data, figure):
    cells, inits = by_registry(data["cell"]), families(data["init"])
    rows = [(init, when) for init in inits for when in falls.WHEN]
    figure.set_size_inches(figure.get_figwidth(), 0.6 + 1.55 * len(rows))
    lowest = max(falls.LOWEST, data["q1"].min())
    for (init, when), panels in zip(rows, figure.subplots(len(rows), len(cells), sharex=True, sharey=True, squeeze=False), strict=True):
        for cell, axes in zip(cells, panels, strict=True):
            curves = data[(data["init"] == init) & (data["when"] == when) & (data["cell"] == cell)]
            path, gates = (curves[curves["state"] == state] for state in ("c", "f"))
            axes.fill_between(path["lag"], path["q1"], path["q3"], color=colour(cell), alpha=0.2, linewidth=0)
            axes.plot(path["lag"], path["median"], color=colour(cell), linewidth=1.6)
            axes.plot(gates["lag"], gates["median"], ":", color="black", linewidth=1.5)
            falls.panel(axes, lowest, data["q3"].max())
            if (init, when) == rows[0]:
                axes.set_title(CELLS[cell].title)
            axes.set_xlabel("lag (steps)")
            axes.label_outer()
        panels[0].set_ylabel(f"{FAMILIES[init]},\n{falls.WHEN[when]}", fontsize=8.5)
    handles = [Line2D([], [], color="#444444", linewidth=1.6, label="|dL/dc|, relative"),
               Line2D([], [], color="black", linestyle=":", label="product of the forget gates")]
    figure.legend(handles=handles, loc="outside upper left", ncols=2)
