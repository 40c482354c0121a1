"""Figures as SVG: the same bytes wherever Matplotlib is the same, whatever backend, settings and locale its user has."""

import os
import re
import sys
from contextlib import suppress
from io import BytesIO

if "matplotlib" not in sys.modules and "MPLBACKEND" in os.environ:
    # Matplotlib refuses to be imported where this names a backend that is not installed, although a Figure needs none.
    backend = os.environ.pop("MPLBACKEND")
    import matplotlib as mpl

    os.environ["MPLBACKEND"] = backend
    with suppress(ValueError):
        mpl.rcParams["backend"] = backend

import matplotlib as mpl
from matplotlib.figure import Figure

from study.report.style import GREY, PALE

WIDTH = 7.4  # inches
RENDERER = f"Matplotlib {mpl.__version__}"
SETTINGS = {
    "font.family": "DejaVu Sans", "font.size": 9, "axes.titlesize": 9.5, "axes.labelsize": 9, "legend.fontsize": 8.5,
    "xtick.labelsize": 8, "ytick.labelsize": 8, "axes.spines.top": False, "axes.spines.right": False,
    "axes.edgecolor": GREY, "xtick.color": GREY, "ytick.color": GREY, "xtick.labelcolor": "black",
    "ytick.labelcolor": "black", "axes.grid": True, "grid.color": PALE, "grid.linewidth": 0.6, "axes.axisbelow": True,
    "legend.frameon": False, "figure.constrained_layout.use": True, "svg.hashsalt": "longlag", "svg.fonttype": "none",
    "path.simplify": False,
}

# Coordinates are cut to a hundredth of a point: the last digits of a coordinate differ between processors.
COORDINATES, DIGITS = re.compile(r'\b(?:d|x|y|transform)="[^"]*"'), re.compile(r"(\.\d\d)\d+")
INDENT = re.compile(r"\n *")
# Ids are numbered: Matplotlib hashes them from all digits of coordinates.
NAMED, EMPTY = re.compile(r'<g(?: id="[^"]*")?>'), re.compile(r"<g\b[^>]*/>\n")
REFERENCE, ID = re.compile(r'(?:href="#|url\(#)([\w.-]+)'), re.compile(r'(\bid="|href="#|url\(#)([\w.-]+)')


def svg(draw, data):
    """The figure that `draw(data, figure)` makes, as the text of an SVG."""
    defaults = {name: value for name, value in mpl.rcParamsDefault.items() if name != "backend"}
    with mpl.rc_context({**defaults, **SETTINGS}):
        figure = Figure(figsize=(WIDTH, 4))
        draw(data, figure)
        buffer = BytesIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": RENDERER}, facecolor="white")
    text = INDENT.sub("\n", buffer.getvalue().decode("utf-8"))
    return _ungrouped(_numbered(COORDINATES.sub(lambda match: DIGITS.sub(r"\1", match[0]), text)))


def _numbered(text):
    """The SVG with ids by the order in which something refers to them."""
    numbers = {name: f"r{k}" for k, name in enumerate(dict.fromkeys(REFERENCE.findall(text)))}
    return ID.sub(lambda match: match[1] + numbers.get(match[2], match[2]), text)


def _ungrouped(text):
    """The SVG without the groups that only name what is in them: nothing refers to these names."""
    kept, bare = [], []
    for line in EMPTY.sub("", text).split("\n"):
        if line.startswith("<g"):
            bare.append(bool(NAMED.fullmatch(line)))
        if not (line.startswith("<g") and bare[-1] or line == "</g>" and bare.pop()):
            kept.append(line)
    return "\n".join(kept)
