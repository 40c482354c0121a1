"""Norm of the gradient of the memory by all paths and by the direct one, and the product of the forget gates."""

import pandas as pd

from kernels import CELLS
from study.records.table import where
from study.report import gradient_norms
from study.report.names import by_family, by_registry, init_label
from study.report.panels import norm_axis
from study.report.style import colour, key

PLACE = 7
TITLE = "The direct path: the gradient of the memory, and the forget gates"
CAPTION = (
    "Cells with a memory c, on recall of a past cue at the largest gap. Norms are relative to lag 0, where the answer is "
    "read; lines are medians over seeds. Solid, with quartiles: dL/dc by all paths. Dashed: by the direct path from c to c "
    "alone, nothing through U or peepholes. Dotted: the norm over units of the product of the forget gates from the lag to "
    "the answer. Where the solid line lies above the others, paths through h and the gates carry more than the direct one. "
    "The axis ends at 1e-12."
)


def data(frame):
    curves = gradient_norms.of_training(frame, ["c", "direct", "f"])
    return curves[["c" in CELLS[cell].states for cell in curves["cell"]]] if len(curves) else pd.DataFrame()


def draw(data, figure):
    cells = by_registry(data["cell"])
    rows = [(init, when) for init in by_family(data["init"]) for when in gradient_norms.WHEN]
    figure.set_size_inches(figure.get_figwidth(), 0.6 + 1.55 * len(rows))
    grid = figure.subplots(len(rows), len(cells), sharex=True, sharey=True, squeeze=False)
    for (init, when), panels in zip(rows, grid, strict=True):
        for cell, axes in zip(cells, panels, strict=True):
            curves = where(data, init=init, when=when, cell=cell)
            path, direct, gates = (curves[curves["state"] == state] for state in ("c", "direct", "f"))
            axes.fill_between(path["lag"], path["q1"], path["q3"], color=colour(cell), alpha=0.2, linewidth=0)
            axes.plot(path["lag"], path["median"], color=colour(cell), linewidth=1.6)
            axes.plot(direct["lag"], direct["median"], "--", color=colour(cell), linewidth=1.6)
            axes.plot(gates["lag"], gates["median"], ":", color="black", linewidth=1.5)
            norm_axis(axes, data["q1"].min(), data["q3"].max())
            axes.set_title(CELLS[cell].title if (init, when) == rows[0] else "")
            axes.label_outer()
        panels[0].set_ylabel(f"{init_label(init)},\n{gradient_norms.WHEN[when]}", fontsize=8)
    handles = [key("|dL/dc|, all paths", linewidth=1.6), key("direct path alone", linewidth=1.6, linestyle="--"),
               key("product of the forget gates", linestyle=":", color="black")]
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
