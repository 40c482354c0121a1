"""Critical gap of each cell and family of starts."""

from kernels import CELLS
from study.report import tables
from study.report.arms import plain, where
from study.report.style import GREY, by_registry, colour, families, marker, start

PLACE = 1
TITLE = "How far back each cell learned to look"
CAPTION = (
    "Recall of one past cue. A seed's critical gap is the largest gap of the grid up to which it solved all; the "
    "mark is the median over seeds, the bar its 95 % order-statistic interval (none below six seeds). Filled, thick:"
    " within the whole budget of sequences. Hollow, thin: within half of it. An arrow leaves the grid: the true "
    "value lies beyond. Left: standard starts (uniform weights, forget bias 1). Right: long starts (orthogonal "
    "recurrent weights, or gate biases for long times)."
)
PARTS = {"whole": (-0.13, 2.6, True), "half": (0.2, 1.2, False)}


def data(frame):
    table = tables.critical_gap(where(plain(frame), task="recall/past"))
    return table.drop(columns=["direction", "merge", "units", "method"]) if len(table) else table


def draw(data, figure):
    cells, inits = by_registry(data["cell"]), families(data["init"])
    smallest, largest = data["smallest"].min(), data["largest"].max()
    below = smallest / 1.7
    grid = sorted({smallest, largest, *data["median"], *data["low"].dropna(), *data["high"].dropna()} - {0})
    figure.set_size_inches(figure.get_figwidth(), 1.1 + 0.48 * len(cells))
    for axes, init in zip(figure.subplots(1, len(inits), sharex=True, sharey=True, squeeze=False)[0], inits, strict=True):
        axes.axvspan(below / 1.35, (below * smallest)**0.5, color="#F2F2F2", zorder=0)
        for _, row in data[data["init"] == init].iterrows():
            offset, width, full = PARTS[row["part"]]
            y, tint = cells.index(row["cell"]) + offset, colour(row["cell"])
            low, middle, high = (below if value == 0 else value for value in row[["low", "median", "high"]])
            if low == low:
                axes.plot([low, high], [y, y], color=tint, linewidth=width, solid_capstyle="butt")
            axes.plot(middle, y, marker(row["cell"]), color=tint, markersize=7 if full else 5.5,
                      markerfacecolor=tint if full else "white")
            if (high if high == high else middle) >= row["largest"]:
                axes.annotate("", (largest * 1.4, y), (largest * 1.08, y),
                              arrowprops={"arrowstyle": "->", "color": tint, "linewidth": max(1, width / 1.6)})
            if full:
                axes.annotate(row["shown"].replace(">=", "≥"), (1.02, y), xycoords=("axes fraction", "data"), va="center",
                              fontsize=7.5, color=GREY)
        axes.set_xscale("log")
        axes.set_xticks([below, *grid], [f"<{smallest:g}", *(f"{gap:g}" for gap in grid)])
        axes.minorticks_off()
        axes.set_xlim(below / 1.35, largest * 1.5)
        axes.set_yticks(range(len(cells)), [CELLS[cell].title for cell in cells])
        axes.set_ylim(len(cells) - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
        axes.set_title(start(init), loc="left")
        axes.set_xlabel("critical gap (steps)")
