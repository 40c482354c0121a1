"""How every figure looks: one colour, line and marker a cell, by its place in the registry; one fill a family of starts.

A reader who sees no colour tells cells apart by line and marker, and families by filled and hollow.
"""

import re
from io import BytesIO

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from kernels import CELLS

# Okabe & Ito 2008, neighbours far apart; yellow last, for it is weak on white
COLOURS = ["#D55E00", "#0072B2", "#56B4E9", "#CC79A7", "#009E73", "#E69F00", "#000000", "#F0E442"]
INKS = {"#F0E442": "#857A00", "#56B4E9": "#2A86BA", "#E69F00": "#B07A00"}
LINES = ["-", (0, (6, 2)), (0, (1, 1.2)), (0, (6, 2, 1, 2)), (0, (3, 1.5)), (0, (8, 2, 1, 1, 1, 2))]
MARKERS = ["o", "s", "D", "v", "^", "P", "X", "*", "p", "h", "<"]    # 8 colours, 6 lines, 11 markers: any two tell 24 cells apart
FAMILIES = {"standard": "standard start", "long": "long start"}
GREY, PALE = "#555555", "#DDDDDD"
WIDTH = 7.4
RENDERER = f"Matplotlib {mpl.__version__}"

RC = {
    "font.family": "DejaVu Sans", "font.size": 9, "axes.titlesize": 9.5, "axes.labelsize": 9, "legend.fontsize": 8.5,
    "xtick.labelsize": 8, "ytick.labelsize": 8, "axes.spines.top": False, "axes.spines.right": False,
    "axes.edgecolor": GREY, "xtick.color": GREY, "ytick.color": GREY, "xtick.labelcolor": "black",
    "ytick.labelcolor": "black", "axes.grid": True, "grid.color": PALE, "grid.linewidth": 0.6, "axes.axisbelow": True,
    "legend.frameon": False, "figure.constrained_layout.use": True, "svg.hashsalt": "longlag", "svg.fonttype": "none",
    "path.simplify": False,
}


# Coordinates to a hundredth of a point: smaller, and the same bytes where a processor's last digit differs
COORDINATES, DIGITS = re.compile(r'\b(?:d|x|y|transform)="[^"]*"'), re.compile(r"(\.\d\d)\d+")
INDENT = re.compile(r"\n *")


def place(cell):
    return list(CELLS).index(cell)


def by_registry(cells):
    """The cells, once each, in the order of the registry."""
    return sorted(set(cells), key=place)


def colour(cell):
    return COLOURS[place(cell) % len(COLOURS)]


def ink(cell):
    """The cell's colour, dark enough for letters."""
    return INKS.get(colour(cell), colour(cell))


def line(cell):
    return LINES[place(cell) % len(LINES)]


def marker(cell):
    return MARKERS[place(cell) % len(MARKERS)]


def family(init, tint):
    """Marker and line of a family of starts: long is solid and filled, standard dashed and hollow."""
    solid = init == "long"
    return {"linestyle": "-" if solid else (0, (4, 2)), "color": tint, "markeredgecolor": tint,
            "markerfacecolor": tint if solid else "white"}


def families(inits):
    """The starts, once each: the families first, then what was crossed."""
    return sorted(set(inits), key=started)


def started(init):
    """Where a start stands among others."""
    return list(FAMILIES).index(init) if init in FAMILIES else len(FAMILIES), init


def start(init):
    """What a start is called in figures."""
    return FAMILIES.get(init, f"{init.replace('-', ', ')} start")


def dodge(index, count, step=0.045):
    """Factor that sets the index-th of `count` points apart on a log axis."""
    return float(np.exp(step * (2 * index - count + 1)))


def gap_axis(axes, gaps, label):
    """Log axis whose only ticks are the gaps of the grid."""
    axes.set_xscale("log")
    axes.set_xticks(sorted(gaps), [f"{gap:g}" for gap in sorted(gaps)])
    axes.xaxis.set_minor_locator(mpl.ticker.NullLocator())
    axes.set_xlim(min(gaps) / 1.3, max(gaps) * 1.3)
    axes.set_xlabel(label)


def legend(figure, inits, *more):
    """What filled and hollow mean, and the further handles given, above all panels."""
    handles = [Line2D([], [], marker="o", label=start(init), **family(init, "#444444")) for init in inits]
    figure.legend(handles=[*handles, *more], loc="outside upper left", ncols=4)


def thousands(value, _=None):
    return f"{value / 1000:g}k" if value >= 1000 else f"{value:g}"


def svg(draw, data):
    """The figure that `draw(data, figure)` makes, as SVG; the same bytes wherever Matplotlib is the same."""
    with mpl.rc_context({**mpl.rcParamsDefault, **RC}):
        figure = Figure(figsize=(WIDTH, 4))
        draw(data, figure)
        buffer = BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": RENDERER}, facecolor="white")
    text = INDENT.sub("\n", buffer.getvalue().decode())
    return COORDINATES.sub(lambda found: DIGITS.sub(r"\1", found[0]), text)
