"""Norm of the gradient with respect to h against lag, for the probed nets of every cell."""

from kernels import CELLS
from study.records.table import where
from study.report import gradient_norms, probes
from study.report.names import by_family, by_registry, init_label
from study.report.panels import LAG, label_ends
from study.report.style import GREY, colour, line, text_colour

PLACE = 20
TITLE = "How much of the gradient is left, step by step back"
CAPTION = (
    "Norm of dL/dh at each lag, relative to lag 0, where the answer is read, on a log axis (float64; the nets are "
    "untrained, unless their initialisation says otherwise). Lines are medians over seeds. A straight line is an "
    "exponential; where it falls steeply the gradient has vanished. Below the grey line a ratio is less than the smallest "
    "number that float32 holds to full precision. Rows: kinds of cell. A line ends where a seed's norm leaves float64 "
    "(below 1e-308), or at the largest lag that all seeds have."
)
FLOAT32 = 1.2e-38
LOWEST, HIGHEST = 1e-300, 1e30


def data(frame):
    return gradient_norms.of_probes(frame, "h")


def draw(data, figure):
    inits, kinds, labels = by_family(data["init"]), [kind for kind in probes.KINDS if kind in set(data["kind"])], {}
    figure.set_size_inches(figure.get_figwidth(), 0.5 + 1.95 * len(kinds))
    for kind, row in zip(kinds, figure.subplots(len(kinds), len(inits), sharex=True, sharey=True, squeeze=False), strict=True):
        for init, axes in zip(inits, row, strict=True):
            curves, labels[axes] = where(data, init=init, kind=kind), []
            for cell in by_registry(curves["cell"]):
                curve = curves[curves["cell"] == cell]
                axes.plot(curve["lag"], curve["median"], color=colour(cell), linestyle=line(cell), linewidth=1.6)
                labels[axes].append((CELLS[cell].title, curve["median"].iloc[-1], text_colour(cell)))
            axes.set_yscale("log")
            axes.set_ylim(LOWEST, HIGHEST)
            axes.set_yticks([1, 1e-100, 1e-200, 1e-300])
            axes.axhline(FLOAT32, color=GREY, linewidth=0.8)
            axes.set_title(init_label(init) if kind == kinds[0] else "", loc="left")
            axes.set_xlabel(LAG)
            axes.set_ylabel(f"{kind}\n|dL/dh|, relative", fontsize=8)
            axes.label_outer()
    figure.axes[0].annotate("float32 ends here", (0.99, FLOAT32), (0, -3), xycoords=("axes fraction", "data"),
                            textcoords="offset points", va="top", ha="right", fontsize=7, color=GREY)
    for axes, ends in labels.items():  # after all panels, because they share their limits
        label_ends(axes, ends)
