"""Norm of the gradient with respect to h against lag, for the probed nets of every cell."""

from kernels import CELLS
from study.records.table import where
from study.report import gradient_norms, probes
from study.report.names import by_family, by_registry, init_label
from study.report.panels import LAG, label_ends
from study.report.style import GREY, colour, line, text_colour

PLACE = 20
SINCE = 5
TITLE = "How much of the gradient is left, step by step back"
CAPTION = (
    f"Norm of dL/dh at each lag, relative to lag {SINCE}; both axes are logarithmic, so an exponential falls off like a cliff at its "
    "time constant (float64; the nets are untrained, unless their initialisation says otherwise). Lines are medians over seeds. "
    "The number beside each cell is its time constant, -1 / fitted slope of the log norm over all lags: the number of steps after "
    "which 1/e is left (none where the norm grows). Rows: kinds of cell. The axis ends at 1e-6."
)
LOWEST, HIGHEST = 1e-6, 1e2


def data(frame):
    curves = gradient_norms.of_probes(frame, "h", SINCE)
    return curves.merge(probes.slopes(frame)[["cell", "init", "slope"]]) if len(curves) else curves


def draw(data, figure):
    inits, kinds, labels = by_family(data["init"]), [kind for kind in probes.KINDS if kind in set(data["kind"])], {}
    figure.set_size_inches(figure.get_figwidth(), 0.5 + 1.95 * len(kinds))
    for kind, row in zip(kinds, figure.subplots(len(kinds), len(inits), sharex=True, sharey=True, squeeze=False), strict=True):
        for init, axes in zip(inits, row, strict=True):
            curves, labels[axes] = where(data, init=init, kind=kind), []
            for cell in by_registry(curves["cell"]):
                curve = curves[curves["cell"] == cell]
                axes.plot(curve["lag"], curve["median"], color=colour(cell), linestyle=line(cell), linewidth=1.6)
                labels[axes].append((CELLS[cell].title + _constant(curve["slope"].iloc[0]), curve["median"].iloc[-1], text_colour(cell)))
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.set_ylim(LOWEST, HIGHEST)
            axes.xaxis.set_major_formatter("{x:g}")
            axes.axhline(1, color=GREY, linewidth=0.8)
            axes.set_title(init_label(init) if kind == kinds[0] else "", loc="left")
            axes.set_xlabel(LAG)
            axes.set_ylabel(f"{kind}\n|dL/dh|, relative", fontsize=8)
            axes.label_outer()
    for axes, ends in labels.items():  # after all panels, because they share their limits
        label_ends(axes, ends)


def _constant(slope):
    return f", {-1 / slope:,.3g}" if slope < 0 else ""
