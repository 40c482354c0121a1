"""Gates and states of one unit along one sequence."""

import pandas as pd

from kernels import CELLS
from study.records.table import where
from study.report import probes
from study.report.names import by_family, by_registry, init_label

PLACE = 25
TITLE = "One unit, one sequence"
CAPTION = (
    "Gates and states of one unit of the first seed, at up to 32 steps of one sequence before the answer; time runs from left "
    "to right, on a log axis of the lag. It is the unit with the longest time constant. Where a forget gate f stands at 1 and "
    "an input gate i near 0, the memory c does not change. A GRU keeps 1 - z of h."
)
SHOWN = ("lstm", "gru")
COLOURS = {"i": "#009E73", "f": "#D55E00", "o": "#0072B2", "z": "#CC79A7", "r": "#000000", "h": "#000000", "c": "#E69F00"}
LINES = {"i": (0, (6, 2)), "f": "-", "o": (0, (1, 1.2)), "z": (0, (6, 2, 1, 2)), "r": (0, (3, 1.5)), "h": (0, (1, 1.2)), "c": "-"}
PARTS = {"gates": "ifozr", "states": "hc"}


def data(frame):
    rows = []
    for (cell, init), nets in probes.groups(frame, inits=2):
        trace = nets[0]["trace"]
        for name in COLOURS if cell in SHOWN else ():
            rows += [{"cell": cell, "init": init, "unit": trace["units"][0], "lag": lag, "name": name, "value": value}
                     for lag, value in zip(trace["lag"], trace.get(name, [()])[0])]
    return pd.DataFrame(rows)


def draw(data, figure):
    inits, rows = by_family(data["init"]), [(cell, part) for cell in by_registry(data["cell"]) for part in PARTS]
    figure.set_size_inches(figure.get_figwidth(), 0.6 + 1.3 * len(rows))
    grid = figure.subplots(len(rows), len(inits), sharex=True, sharey="row", squeeze=False)
    for (cell, part), panels in zip(rows, grid, strict=True):
        for init, axes in zip(inits, panels, strict=True):
            for name in PARTS[part]:
                values = where(data, cell=cell, init=init, name=name)
                axes.plot(values["lag"] + 1, values["value"], color=COLOURS[name], linestyle=LINES[name], linewidth=1.5)
                if len(values):
                    axes.annotate(name, (1, values["value"].iloc[0]), (4, 0), textcoords="offset points", color=COLOURS[name],
                                  va={"h": "bottom", "c": "top"}.get(name, "center"), fontsize=8.5)
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:,g}")
            axes.set_xlim(data["lag"].max() + 1, 1)
            axes.set_ylim(*((-0.05, 1.05) if part == "gates" else (None, None)))
            axes.set_title(f"{CELLS[cell].title}, {init_label(init)}" if part == "gates" else "", loc="left")
            axes.set_xlabel("1 + lag (steps before the answer)")
            axes.label_outer()
        panels[0].set_ylabel(part)
