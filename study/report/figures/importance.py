"""Which knobs made the difference in a random search, alone and in pairs."""

from textwrap import fill

from study.report import searches
from study.report.style import DARK, key
from study.statistics.importance import REST

PLACE = 9
TITLE = "Which knobs make the difference"
CAPTION = (
    "Random searches: the share of the variance of their results that each drawn knob explains alone (filled), two knobs "
    "explain together beyond what each does alone (hollow; the five largest), and what is left: the luck of the seeds, and more "
    "than two knobs together (cross). A result is the log of the sequences to solve the task, where an unsolved trial counts "
    "its budget; without a pass rule, the test loss, at most that of the best constant answer. By functional analysis of "
    "variance of a Gaussian process; bars are 95 % intervals of resampled draws, which show the luck of the draws only: the "
    "process underrates pairs, and results that jump. Shares hold for the ranges that were drawn from: from a narrower one a "
    "knob matters less."
)
PAIRS, COLUMNS = 5, 2
MARK = {"color": DARK, "linestyle": "", "markersize": 6}
MARKS = {"one knob": MARK | {"marker": "o"}, "two knobs together": MARK | {"marker": "o", "markerfacecolor": "white"},
         "what is left": MARK | {"marker": "x"}}


def data(frame):
    table = searches.importance(frame)
    table = table[table["share"].notna()] if len(table) else table
    if not len(table):
        return table
    order = table.groupby("term")["share"].mean().sort_values(ascending=False, kind="stable").index
    alone, pairs = ([term for term in order if _kind(term) == kind] for kind in ("one knob", "two knobs together"))
    shown = [*alone, *pairs[:PAIRS], REST]
    table = table.assign(place=table["term"].map({term: place for place, term in enumerate(shown)}))
    return table[table["place"].notna()].sort_values("place", kind="stable")


def draw(data, figure):
    terms = list(data["term"].unique())
    panels = list(data.groupby("search", sort=False))
    rows = -(-len(panels) // COLUMNS)
    figure.set_size_inches(figure.get_figwidth(), 0.9 + rows * (0.6 + 0.19 * len(terms)))
    grid = figure.subplots(rows, min(COLUMNS, len(panels)), sharex=True, sharey=True, squeeze=False)
    for unused in grid.flat[len(panels):]:
        unused.set_axis_off()
    for k, (axes, (search, found)) in enumerate(zip(grid.flat, panels)):
        for row in found.itertuples():
            y = terms.index(row.term)
            axes.plot([row.low, row.high], [y, y], color=DARK, linewidth=2)
            axes.plot(row.share, y, **MARKS[_kind(row.term)])
        axes.set_xlim(-0.03, 1.03)
        axes.set_xticks([0, 0.5, 1], ["0", "50 %", "100 %"])
        axes.set_yticks(range(len(terms)), terms)
        axes.set_ylim(len(terms) - 0.5, -0.5)
        axes.tick_params(labelbottom=k + COLUMNS >= len(panels))
        axes.set_title(f"{fill(search, 50)}\n{found['draws'].iloc[0]} draws", loc="left", fontsize=8)
    figure.supxlabel("share of the variance", fontsize=9)
    figure.legend(handles=[key(kind, **mark) for kind, mark in MARKS.items()], loc="outside upper left", ncols=3)


def _kind(term):
    return "what is left" if term == REST else "two knobs together" if " x " in term else "one knob"
