"""How every figure looks: each cell has one colour, line and marker by its place in the registry, each family one fill.

A reader who sees no colour tells cells apart by line and marker, and families by filled and hollow.
"""

from matplotlib.lines import Line2D

from study.report.names import cell_place

# Okabe & Ito 2008, neighbours far apart; in place of their yellow, which is weak on white, the olive of Tol 2021
COLOURS = ["#D55E00", "#0072B2", "#56B4E9", "#CC79A7", "#009E73", "#E69F00", "#000000", "#999933"]
TEXT_COLOURS = {"#999933": "#6B6B1F", "#56B4E9": "#2A86BA", "#E69F00": "#B07A00"}
LINES = ["-", (0, (6, 2)), (0, (1, 1.2)), (0, (6, 2, 1, 2)), (0, (3, 1.5)), (0, (8, 2, 1, 1, 1, 2))]
MARKERS = ["o", "s", "D", "v", "^", "P", "X", "*", "p", "h", "<"]
AGAIN = 24  # cells, after which 8 colours and 6 lines begin to repeat; then colours shift, so that any two of the three tell 48 apart
TWO = (("#D55E00", "--", "o"), ("#0072B2", "-", "s"))
"""Colour, line and marker of the two initialisations of a figure whose panels are cells."""
GREY, PALE, DARK = "#555555", "#DDDDDD", "#444444"


def colour(cell):
    place = cell_place(cell)
    return COLOURS[(place + place // AGAIN) % len(COLOURS)]


def text_colour(cell):
    """The cell's colour, dark enough for letters."""
    return TEXT_COLOURS.get(colour(cell), colour(cell))


def line(cell):
    return LINES[cell_place(cell) % len(LINES)]


def marker(cell):
    return MARKERS[cell_place(cell) % len(MARKERS)]


def family(init, tint):
    """Marker and line of a family of initialisations: long is solid and filled, standard is dashed and hollow."""
    solid = init == "long"
    return {"linestyle": "-" if solid else (0, (4, 2)), "color": tint, "markeredgecolor": tint,
            "markerfacecolor": tint if solid else "white"}


def key(label, **style):
    """An entry of a legend."""
    return Line2D([], [], **{"color": DARK, "label": label, **style})
