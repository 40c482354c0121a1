"""Angle between the exact gradient and the truncated one of 1997."""

import numpy as np
import pandas as pd

from kernels import CELLS
from study.report import probed
from study.report.style import GREY, by_registry, colour, families, place, start, started

PLACE = 27
TITLE = "How far the truncated gradient points from the exact one"
CAPTION = (
    "Angle between the gradient of the layer's weights by all paths and the one that lets errors flow back along the states' own "
    "paths alone (Hochreiter & Schmidhuber 1997), for cells with a memory c, against the sequences learned from: 0 degrees is "
    "the same direction, 90 no help, more the wrong way. Dots are medians over seeds, lines quartiles."
)


def data(frame):
    runs, rows = probed.usual(frame), []
    groups = runs.groupby(["cell", "init", "after"], sort=False)
    for (cell, init, after), some in sorted(groups, key=lambda group: (place(group[0][0]), started(group[0][1]), group[0][2])):
        angles = [np.degrees(np.arccos(min(1, max(-1, probe["cosine"])))) for probe in some["probe"] if probe["cosine"] is not None]
        if angles:
            rows.append({"cell": cell, "init": init, "after": after, "seeds": len(angles), **probed.quartiles(angles)})
    return pd.DataFrame(rows)


def draw(data, figure):
    cells, inits, moments = by_registry(data["cell"]), families(data["init"]), sorted(set(data["after"]))
    rows = [(cell, after) for cell in cells[::-1] for after in moments[::-1]]
    figure.set_size_inches(figure.get_figwidth(), 0.8 + 0.22 * len(rows))
    for init, axes in zip(inits, figure.subplots(1, len(inits), sharex=True, sharey=True, squeeze=False)[0], strict=True):
        axes.axvline(90, color=GREY, linewidth=0.8)
        for arm in data[data["init"] == init].itertuples():
            y = rows.index((arm.cell, arm.after))
            axes.plot([arm.q1, arm.q3], [y, y], color=colour(arm.cell), linewidth=2)
            axes.plot(arm.median, y, "o", color=colour(arm.cell), markersize=5)
        axes.set_xlim(0, 180)
        axes.set_xticks([0, 90, 180], ["0°", "90°", "180°"])
        axes.set_yticks(range(len(rows)), [_name(cell, after, moments) for cell, after in rows])
        axes.set_title(start(init), fontsize=8, loc="left")
    figure.supxlabel("angle", fontsize=9)


def _name(cell, after, moments):
    title = CELLS[cell].title
    return title if len(moments) == 1 else f"{title if after == moments[0] else ''}  {after:,}"
