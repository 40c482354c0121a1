"""Singular values of the Jacobian between states k steps apart."""

import numpy as np
import pandas as pd

from study.records.table import where
from study.report import probes
from study.report.names import by_family, init_label
from study.report.panels import small_multiples
from study.report.style import GREY, TWO, key
from study.statistics.medians import quartiles

PLACE = 22
TITLE = "What the Jacobian lets through"
CAPTION = (
    "Singular values of d state_t / d state_{t-k}, all states of the cell stacked, against k (log axis, so that a straight "
    "line is an exponential; medians over seeds, float64). Thick: the largest, the most that can be left of any change of "
    "the states. Thin: the values at an eighth and at a quarter of their number; a wide gap means that few directions "
    "survive. Dotted, for cells without gates: the largest singular value of U to the power k, which the largest cannot "
    "exceed (Pascanu, Mikolov & Bengio 2013). Computed by rotations in a fixed order, so that they have the same bits "
    "everywhere; values below 1e-13 of the largest are rounding, and left out."
)
RANKS = {0: "largest", 1: "eighth", 2: "quarter"}
LOWEST, HIGHEST = 1e-60, 1e5


def data(frame):
    rows = []
    for (cell, init), nets in probes.groups(frame, inits=2):
        bound = np.exp(quartiles(map(probes.log_bound, nets))["median"])
        for k, lag in enumerate(nets[0]["jacobian"]["lag"]):
            for rank, name in RANKS.items():
                values = [net["jacobian"]["values"][k][rank] for net in nets]
                if None not in values:
                    limit = float(bound) ** lag if probes.kind(cell) == "no gate" and not rank else np.nan
                    rows.append({"cell": cell, "init": init, "k": lag, "rank": name, "seeds": len(values),
                                 "median": quartiles(values)["median"], "bound": limit})
    return pd.DataFrame(rows)


def draw(data, figure):
    inits = by_family(data["init"])
    for cell, axes in small_multiples(figure, data["cell"]).items():
        axes.axhline(1, color=GREY, linewidth=0.7)
        for init, (tint, dash, _) in zip(inits, TWO):
            for rank in RANKS.values():
                values = where(data, cell=cell, init=init, rank=rank)
                axes.plot(values["k"], values["median"], dash, color=tint, linewidth=1.9 if rank == "largest" else 0.8)
                axes.plot(values["k"], values["bound"], ":", color=tint, linewidth=1.3)
        axes.set_yscale("log")
        axes.set_ylim(LOWEST, HIGHEST)
        axes.set_yticks([1, 1e-20, 1e-40, 1e-60])
        axes.set_xticks([0, 100, 200])
    figure.supxlabel("k (steps)", fontsize=9)
    figure.supylabel("singular value", fontsize=9)
    handles = [key(init_label(init), color=tint, linestyle=dash, linewidth=1.9) for init, (tint, dash, _) in zip(inits, TWO)]
    figure.legend(handles=[*handles, key("bound by U", linestyle=":")], loc="outside upper left", ncols=3)
