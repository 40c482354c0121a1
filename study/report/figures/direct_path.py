"""Norm of the gradient with respect to the memory, all paths and the direct one, and the product of the forget gates."""

import pandas as pd
from matplotlib.lines import Line2D

from kernels import CELLS
from study.report import falls
from study.report.style import by_registry, colour, families, start

PLACE = 7
TITLE = "The direct path: the gradient of the memory, and the forget gates"
CAPTION = (
    "Cells with a memory c, norms relative to the read-out, medians over seeds. Solid, with quartiles: dL/dc at each"
    " lag, by all paths. Dashed: by the direct path from c to c alone, nothing through U or peepholes. Dotted: "
    "product of the forget gates from there to the read-out, norm over units. Where the solid line lies above the "
    "others, paths through h and the gates carry more than the direct one. The axis ends at 1e-12."
)


def data(frame):
    curves = falls.relative(frame, ["c", "direct", "f"])
    return curves[["c" in CELLS[cell].states for cell in curves["cell"]]] if len(curves) else pd.DataFrame()


def draw(data, figure):
    cells, inits = by_registry(data["cell"]), families(data["init"])
    rows = [(init, when) for init in inits for when in falls.WHEN]
    figure.set_size_inches(figure.get_figwidth(), 0.6 + 1.55 * len(rows))
    lowest = max(falls.LOWEST, data["q1"].min())
    grid = figure.subplots(len(rows), len(cells), sharex=True, sharey=True, squeeze=False)
    for (init, when), panels in zip(rows, grid, strict=True):
        for cell, axes in zip(cells, panels, strict=True):
            curves = data[(data["init"] == init) & (data["when"] == when) & (data["cell"] == cell)]
            path, direct, gates = (curves[curves["state"] == state] for state in ("c", "direct", "f"))
            axes.fill_between(path["lag"], path["q1"], path["q3"], color=colour(cell), alpha=0.2, linewidth=0)
            axes.plot(path["lag"], path["median"], color=colour(cell), linewidth=1.6)
            axes.plot(direct["lag"], direct["median"], "--", color=colour(cell), linewidth=1.6)
            axes.plot(gates["lag"], gates["median"], ":", color="black", linewidth=1.5)
            falls.panel(axes, lowest, data["q3"].max())
            if (init, when) == rows[0]:
                axes.set_title(CELLS[cell].title)
            axes.set_xlabel("lag (steps)")
            axes.label_outer()
        panels[0].set_ylabel(f"{start(init)},\n{falls.WHEN[when]}", fontsize=8.5)
    handles = [Line2D([], [], color="#444444", linewidth=1.6, label="|dL/dc|, all paths"),
               Line2D([], [], color="#444444", linewidth=1.6, linestyle="--", label="direct path alone"),
               Line2D([], [], color="black", linestyle=":", label="product of the forget gates")]
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
