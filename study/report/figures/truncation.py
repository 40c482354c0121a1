"""Angle between the exact gradient and the truncated one of 1997."""

import numpy as np
import pandas as pd

from kernels import CELLS
from study.report import probes
from study.report.names import by_family, by_registry, init_label
from study.report.style import GREY, colour
from study.report.trials import grouped
from study.statistics.medians import quartiles

PLACE = 27
TITLE = "How far the truncated gradient points from the exact one"
CAPTION = (
    "Angle between two gradients of the layer's weights: the exact one, by all paths, and the truncated one, whose errors "
    "flow back along the states' own paths alone (Hochreiter & Schmidhuber 1997), for cells with a memory c. At 0 degrees "
    "both have the same direction, at 90 the truncated one is of no help, beyond that it points the wrong way. Dots are "
    "medians over seeds, lines quartiles; nets that were trained before they were probed have the number of sequences "
    "beside them."
)


def data(frame):
    rows = []
    for group, nets in grouped(probes.usual(frame), ["cell", "init", "after"]):
        cosines = [net["cosine"] for net in nets["probe"] if net["cosine"] is not None]
        if cosines:
            rows.append({**group, "seeds": len(cosines), **quartiles(np.degrees(np.arccos(np.clip(cosines, -1, 1))))})
    return pd.DataFrame(rows)


def draw(data, figure):
    inits, counts = by_family(data["init"]), sorted(set(data["after"]))
    rows = [(cell, after) for cell in by_registry(data["cell"])[::-1] for after in counts[::-1]]
    figure.set_size_inches(figure.get_figwidth(), 0.8 + 0.22 * len(rows))
    for init, axes in zip(inits, figure.subplots(1, len(inits), sharex=True, sharey=True, squeeze=False)[0], strict=True):
        axes.axvline(90, color=GREY, linewidth=0.8)
        for row in data[data["init"] == init].itertuples():
            y = rows.index((row.cell, row.after))
            axes.plot([row.q1, row.q3], [y, y], color=colour(row.cell), linewidth=2)
            axes.plot(row.median, y, "o", color=colour(row.cell), markersize=5)
        axes.set_xlim(0, 180)
        axes.set_xticks([0, 90, 180], ["0°", "90°", "180°"])
        axes.set_yticks(range(len(rows)), [_label(cell, after, counts) for cell, after in rows])
        axes.set_title(init_label(init).replace(" ", "\n"), fontsize=8, loc="left")
    figure.supxlabel("angle", fontsize=9)


def _label(cell, after, counts):
    title = CELLS[cell].title
    return title if len(counts) == 1 else f"{title if after == counts[0] else ''}  {after:,}"
