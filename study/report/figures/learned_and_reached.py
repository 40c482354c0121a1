"""Half-success gap of each arm against the time constant of its gradient before training."""

import pandas as pd
from matplotlib.ticker import NullFormatter

from kernels import CELLS
from study.records.table import where
from study.report import tables
from study.report.figures import half_success
from study.report.figures.success import RING
from study.report.names import by_family, by_registry
from study.report.panels import families_legend
from study.report.style import colour, family, key, marker
from study.report.trials import forward

PLACE = 0.5
TITLE = "How far back a cell learned to look, by how far back its gradient reached before"
CAPTION = (
    "Recall of one past cue; each mark is a cell with one initialisation, both axes are logarithmic. Across: the time constant of the "
    "gradient in the nets before training, -1 / fitted slope of log |dL/dh| against lag, the steps after which 1/e is left (median over "
    "seeds; bars: quartiles). Where the norm is no exponential, as in gated cells with long initialisation, it says only how slowly the "
    "norm falls. Up: the gap that half of the seeds learned within their budget, with its 95 % interval; a mark in the grey strip lies "
    "beyond the tested gaps. Filled: long initialisation. Hollow: standard initialisation. Ringed: untuned, a better learning rate may exist. Arms whose gradient grows are left out."
)
BEYOND = 1.5  # how far outside of the tested gaps a mark stands that lies beyond them
RAISED = 1.09  # marks that lie beyond stand above each other
SHOWN = ["task", "cell", "init", "seeds", "constant", "constant_q1", "constant_q3", "value", "low", "high", "gaps", "shown", "lr_doubt"]


def data(frame):
    half, falls = half_success.data(frame), tables.decay(where(forward(frame), task="recall/past"))
    if not len(half) or not len(falls):
        return pd.DataFrame()
    arms = half.merge(where(falls, state="h", when="start")[["cell", "init", "seeds", "slope", "slope_q1", "slope_q3"]])
    arms = arms[arms["slope_q3"] < 0]
    return arms.assign(**{f"constant{end}": -1 / arms[f"slope{end}"] for end in ("", "_q1", "_q3")})[SHOWN]


def draw(data, figure):
    gaps = sorted({int(gap) for row in data["gaps"] for gap in str(row).split()})
    below, above = gaps[0] / BEYOND, gaps[-1] * BEYOND
    figure.set_size_inches(figure.get_figwidth(), 4.4)
    axes = figure.subplots()
    axes.set_xscale("log")
    axes.set_yscale("log")
    for strip in ((below / 1.3, gaps[0] / 1.25), (gaps[-1] * 1.25, above * 1.5)):
        axes.axhspan(*strip, color="#EEEEEE", zorder=0)
    rank = 0
    for row in data.itertuples():
        low, middle, high = (min(max(value, below), above) for value in (row.low, row.value, row.high))
        if low == above:  # nothing but "beyond": no bar, and marks side by side instead of one on the other
            low = middle = high = above * RAISED ** (rank % 4)
            rank += 1
        axes.plot([row.constant, row.constant], [low, high], color=colour(row.cell), linewidth=1.4)
        axes.plot([row.constant_q1, row.constant_q3], [middle, middle], color=colour(row.cell), linewidth=1.4)
        axes.plot(row.constant, middle, marker(row.cell), markersize=8, markeredgewidth=1.6, **family(row.init, colour(row.cell)))
        if row.lr_doubt == row.lr_doubt:
            axes.plot(row.constant, middle, **RING | {"markersize": 14})
    axes.set_yticks([below, *gaps, above], [f"<{gaps[0]}", *map(str, gaps), f">{gaps[-1]}"])
    axes.set_ylim(below / 1.3, above * 1.5)
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("time constant of the gradient before training (steps)")
    axes.set_ylabel("gap that half of the seeds learned (steps)")
    cells = [key(CELLS[cell].title, color=colour(cell), marker=marker(cell), linestyle="") for cell in by_registry(data["cell"])]
    untuned = [key("untuned", **RING)] if data["lr_doubt"].notna().any() else []
    families_legend(figure, by_family(data["init"]), *cells, *untuned)
