"""Critical gap of each cell and family of initialisations."""

from kernels import CELLS
from study.records.table import where
from study.report import tables
from study.report.names import by_family, by_registry, init_label
from study.report.style import DARK, GREY, colour, key, marker
from study.report.trials import forward

PLACE = 1
TITLE = "How far back each cell learned to look"
CAPTION = (
    "Recall of one past cue. The critical gap of a seed is the largest gap of the grid up to which it solved every gap. "
    "Marks: medians over seeds. Bars: 95 % intervals of the median, between order statistics (none below six seeds). An "
    "arrow: the true value may lie beyond the grid. Right of each panel: median and interval within the whole budget. "
    "Standard initialisation: uniform weights, forget bias 1. Long initialisation: orthogonal recurrent weights for the "
    "RNN; for gated cells, gate biases drawn for memory times up to a chosen horizon."
)
PARTS = {"whole": (-0.13, 2.6, 7, True), "half": (0.2, 1.2, 5.5, False)}  # vertical offset, line width, marker size, filled


def data(frame):
    table = tables.critical_gaps(where(forward(frame), task="recall/past"))
    return table.drop(columns=["direction", "merge", "units", "method"]) if len(table) else table


def draw(data, figure):
    cells, inits = by_registry(data["cell"]), by_family(data["init"])
    smallest, largest = data["smallest"].min(), data["largest"].max()
    below = smallest / 1.7  # where a critical gap below the grid is drawn
    grid = sorted({smallest, largest, *data["median"], *data["low"].dropna(), *data["high"].dropna()} - {0})
    figure.set_size_inches(figure.get_figwidth(), 1.3 + 0.48 * len(cells))
    for init, axes in zip(inits, figure.subplots(1, len(inits), sharex=True, sharey=True, squeeze=False)[0], strict=True):
        axes.axvspan(below / 1.35, (below * smallest)**0.5, color="#F2F2F2", zorder=0)
        for _, row in data[data["init"] == init].iterrows():
            _draw_gap(axes, row, cells.index(row["cell"]), below)
        axes.set_xscale("log")
        axes.set_xticks([below, *grid], [f"<{smallest:g}", *(f"{gap:g}" for gap in grid)])
        axes.minorticks_off()
        axes.set_xlim(below / 1.35, largest * 1.5)
        axes.set_yticks(range(len(cells)), [CELLS[cell].title for cell in cells])
        axes.set_ylim(len(cells) - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
        axes.set_title(init_label(init), loc="left")
        axes.set_xlabel("critical gap (steps)")
    handles = [key(label, marker="o", linewidth=width, markersize=size, markerfacecolor=DARK if filled else "white")
               for label, (_, width, size, filled) in zip(("within the whole budget", "within half of it"), PARTS.values())]
    figure.legend(handles=handles, loc="outside upper left", ncols=2)


def _draw_gap(axes, row, y, below):
    """Mark, bar and arrow of one critical gap; as text, too, if it is that of the whole budget."""
    offset, width, size, whole = PARTS[row["part"]]
    y, tint = y + offset, colour(row["cell"])
    low, middle, high = (below if value == 0 else value for value in row[["low", "median", "high"]])
    if low == low:
        axes.plot([low, high], [y, y], color=tint, linewidth=width, solid_capstyle="butt")
    axes.plot(middle, y, marker(row["cell"]), color=tint, markersize=size, markerfacecolor=tint if whole else "white")
    if (high if high == high else middle) >= row["largest"]:
        axes.annotate("", (row["largest"] * 1.4, y), (row["largest"] * 1.08, y),
                      arrowprops={"arrowstyle": "->", "color": tint, "linewidth": max(1, width / 1.6)})
    if whole:
        axes.annotate(row["shown"].replace(">=", "≥"), (1.02, y), xycoords=("axes fraction", "data"), va="center",
                      fontsize=7.5, color=GREY)
