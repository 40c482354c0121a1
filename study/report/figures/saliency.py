"""Norm of the gradient with respect to the input against lag."""

from study.records.table import where
from study.report import gradient_norms
from study.report.names import by_family, init_label
from study.report.panels import LAG, small_multiples
from study.report.style import GREY, TWO, key

PLACE = 26
TITLE = "Which inputs still change the loss"
CAPTION = (
    "Norm of dL/dx at each lag, relative to lag 0, where the answer is read (log axis, medians over seeds): how much a "
    "small change of the input, that many steps before the answer, changes the loss. The axis ends at 1e-20; training has "
    "no use for what lies below."
)
LOWEST, HIGHEST = 1e-20, 1e5


def data(frame):
    return gradient_norms.of_probes(frame, "x")


def draw(data, figure):
    inits = by_family(data["init"])
    for cell, axes in small_multiples(figure, data["cell"], height=1.15).items():
        axes.axhline(1, color=GREY, linewidth=0.7)
        for init, (tint, dash, _) in zip(inits, TWO):
            curve = where(data, cell=cell, init=init)
            axes.plot(curve["lag"], curve["median"], dash, color=tint, linewidth=1.7)
        axes.set_yscale("log")
        axes.set_ylim(LOWEST, HIGHEST)
        axes.set_yticks([1, 1e-10, 1e-20])
    figure.supxlabel(LAG, fontsize=9)
    figure.supylabel("|dL/dx|, relative", fontsize=9)
    handles = [key(init_label(init), color=tint, linestyle=dash, linewidth=1.7) for init, (tint, dash, _) in zip(inits, TWO)]
    figure.legend(handles=handles, loc="outside upper left", ncols=2)
