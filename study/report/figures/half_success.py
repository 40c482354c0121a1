"""Half-success gap of each cell and family of initialisations."""

from kernels import CELLS
from study.records.table import where
from study.report import tables
from study.report.names import FAMILIES, by_family, by_registry, init_label
from study.report.style import GREY, colour, marker
from study.report.trials import forward

PLACE = 1
TITLE = "How far back each cell learned to look"
CAPTION = (
    "Recall of one past cue. The half-success gap is the gap that half of the seeds solve within their budget, by a logistic "
    "curve through the success rates at the tested gaps, which are the ticks. Bars: 95 % intervals. A mark or bar in the grey "
    "strip lies beyond the tested gaps. Right of each panel: gap and interval. May be too small: at some gap a better learning rate may "
    "exist, or none of those tried solved the task. Standard initialisation: uniform weights, forget bias 1. Long initialisation: "
    "orthogonal recurrent weights for the RNN; for gated cells, gate biases drawn for memory times up to a chosen horizon. Other initialisations are not drawn."
)
BEYOND = 1.7  # how far outside of the tested gaps a mark stands that lies beyond them
SHOWN = ["cell", "init", "value", "low", "high", "gaps", "shown", "lr_doubt"]


def data(frame):
    table = tables.half_success(where(forward(frame), task="recall/past"))
    if not len(table):
        return table
    families = table["init"].isin(FAMILIES)
    return table.loc[families if families.any() else slice(None), ["task", *SHOWN]].reset_index(drop=True)


def draw(data, figure):
    cells, inits = by_registry(data["cell"]), by_family(data["init"])
    gaps = sorted({int(gap) for row in data["gaps"] for gap in str(row).split()})
    below, above = gaps[0] / BEYOND, gaps[-1] * BEYOND
    figure.set_size_inches(figure.get_figwidth(), 0.8 + 0.36 * len(cells))
    for init, axes in zip(inits, figure.subplots(1, len(inits), sharex=True, sharey=True, squeeze=False)[0], strict=True):
        for strip in ((below / 1.3, gaps[0] / 1.25), (gaps[-1] * 1.25, above * 1.3)):
            axes.axvspan(*strip, color="#EEEEEE", zorder=0)
        for row in data[data["init"] == init].itertuples():
            y, tint = cells.index(row.cell), colour(row.cell)
            low, middle, high = (min(max(value, below), above) for value in (row.low, row.value, row.high))
            axes.plot([low, high], [y, y], color=tint, linewidth=2.4, solid_capstyle="butt")
            axes.plot(middle, y, marker(row.cell), color=tint, markersize=7)
            doubted = "" if row.lr_doubt != row.lr_doubt else "\nmay be too small"
            axes.annotate(row.shown + doubted, (1.02, y), xycoords=("axes fraction", "data"), va="center", fontsize=7.5, color=GREY)
        axes.set_xscale("log")
        axes.set_xticks([below, *gaps, above], [f"<{gaps[0]}", *map(str, gaps), f">{gaps[-1]}"], fontsize=7.5)
        axes.minorticks_off()
        axes.set_xlim(below / 1.3, above * 1.3)
        axes.set_yticks(range(len(cells)), [CELLS[cell].title for cell in cells])
        axes.set_ylim(len(cells) - 0.5, -0.5)
        axes.grid(axis="y", visible=False)
        axes.tick_params(axis="y", length=0)
        axes.set_title(init_label(init), loc="left")
        axes.set_xlabel("half-success gap (steps)")
