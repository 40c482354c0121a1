"""Gates and states of one unit along one sequence."""

import pandas as pd

from kernels import CELLS
from study.report import probed
from study.report.style import by_registry, start

PLACE = 25
TITLE = "One unit, one sequence"
CAPTION = (
    "Gates and states of one unit of the first seed on the way to the read-out, at a few steps of one sequence; time runs from left to "
    "right, on a log axis of the lag. The unit is the one whose gates keep longest. Where a forget gate f stands at 1 and an input "
    "gate i near 0, the memory c stays what it was. Letters as in each cell's file: a GRU keeps 1 - z of h."
)
SHOWN = ("lstm", "gru")
COLOURS = {"i": "#009E73", "f": "#D55E00", "o": "#0072B2", "z": "#CC79A7", "r": "#000000", "h": "#000000", "c": "#E69F00"}
LINES = {"i": (0, (6, 2)), "f": "-", "o": (0, (1, 1.2)), "z": (0, (6, 2, 1, 2)), "r": (0, (3, 1.5)), "h": (0, (1, 1.2)), "c": "-"}
STATES = ("h", "c")


def data(frame):
    rows = []
    for (cell, init), probes in probed.arms(frame):
        trace = probes[0]["trace"]
        rows += [{"cell": cell, "init": init, "unit": trace["units"][0], "lag": lag, "name": name, "value": value}
                 for name in COLOURS if cell in SHOWN and name in trace
                 for lag, value in zip(trace["lag"], trace[name][0], strict=True)]
    found = pd.DataFrame(rows)
    return found[found["init"].isin(probed.two(found["init"]))] if len(found) else found


def draw(data, figure):
    cells, inits = by_registry(data["cell"]), probed.two(data["init"])
    rows = [(cell, part) for cell in cells for part in ("gates", "states")]
    figure.set_size_inches(figure.get_figwidth(), 0.6 + 1.3 * len(rows))
    grid = figure.subplots(len(rows), len(inits), sharex=True, sharey="row", squeeze=False)
    for (cell, part), panels in zip(rows, grid, strict=True):
        for init, axes in zip(inits, panels, strict=True):
            some = data[(data["cell"] == cell) & (data["init"] == init)]
            for name in (name for name in COLOURS if (name in STATES) == (part == "states")):
                values = some[some["name"] == name]
                axes.plot(values["lag"] + 1, values["value"], color=COLOURS[name], linestyle=LINES[name], linewidth=1.5)
                if len(values):
                    axes.annotate(name, (1, values["value"].iloc[0]), (4, 0), textcoords="offset points", color=COLOURS[name],
                                  va={"h": "bottom", "c": "top"}.get(name, "center"), fontsize=8.5)
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
            axes.set_xlim(data["lag"].max() + 1, 1)
            axes.set_ylim(*((-0.05, 1.05) if part == "gates" else (None, None)))
            axes.set_title(f"{CELLS[cell].title}, {start(init)}" if part == "gates" else "", loc="left")
            axes.set_xlabel("steps to the read-out, and one")
            axes.label_outer()
        panels[0].set_ylabel(part)
