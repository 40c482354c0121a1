"""Probed nets: which of them a report shows, and their slopes beside their Lyapunov exponents."""

import numpy as np
import pandas as pd

from kernels import CELLS
from study.records.table import where
from study.report.names import by_family
from study.report.trials import crossed, grouped
from study.statistics.decay import fit_decay
from study.statistics.medians import quartiles

KINDS = {
    "no gate": lambda cell: "c" not in cell.states and not cell.retains,
    "memory c, no forget gate": lambda cell: "c" in cell.states and not cell.retains,
    "memory c, forget gate": lambda cell: "c" in cell.states and bool(cell.retains),
    "gates, no memory but h": lambda cell: "c" not in cell.states and bool(cell.retains),
}


def kind(cell):
    """Which of KINDS a cell is."""
    return next(name for name, matches in KINDS.items() if matches(CELLS[cell]))


def finished(frame):
    """Probed trials of arms that did not diverge."""
    return where(crossed(frame), method="probe", status="done")


def usual(frame):
    """Probed trials of the most frequent task and number of units; for each cell, init and `after`, at the largest gap."""
    runs = finished(frame)
    for knob in ("task", "units"):
        runs = runs[runs[knob].isin(runs[knob].mode()[:1])]
    return runs[runs["gap"] == runs.groupby(["cell", "init", "after"])["gap"].transform("max")]


def with_training_named(frame):
    """The usual probed trials; `init` also names the sequences that a net was trained on before it was probed."""
    runs = usual(frame)
    return runs.assign(init=[f"{init}-after {n:,}" if n else init for init, n in zip(runs["init"], runs["after"], strict=True)])


def groups(frame, inits=None):
    """((cell, init), the nets' probes) for each cell and initialisation in report order, of the first `inits` initialisations."""
    runs = with_training_named(frame)
    shown = by_family(runs["init"])[:inits]
    for group, nets in grouped(runs[runs["init"].isin(shown)], ["cell", "init"]):
        yield (group["cell"], group["init"]), list(nets["probe"])


def slopes(frame):
    """Slope of log |dL/dh| against lag beside the leading Lyapunov exponents and U: one row a cell and initialisation.

    Medians over seeds. `low` and `high` are those of each fit's 95 % interval; `bound` is that of the log of the largest
    singular value of U, which no exponent of a cell without gates exceeds (Pascanu, Mikolov & Bengio 2013).
    """
    rows = []
    for (cell, init), nets in groups(frame):
        fits = [fit for net in nets if (fit := fit_decay(net["norms"]["lag"], net["norms"]["h"]))]
        slope, leading = quartiles(fit.slope for fit in fits), quartiles(net["lyapunov"][0] for net in nets)
        exponents = zip(*(net["lyapunov"] for net in nets), strict=True)
        rows.append({
            "cell": cell, "init": init, "seeds": len(nets), "slope": slope["median"], "slope_q1": slope["q1"],
            "slope_q3": slope["q3"], "low": _median(fit.low for fit in fits), "high": _median(fit.high for fit in fits),
            "r2": _median(fit.r2 for fit in fits), "exponent": leading["median"], "exponent_q1": leading["q1"],
            "exponent_q3": leading["q3"], **{f"exponent_{k}": _median(values) for k, values in enumerate(exponents, 1) if k > 1},
            "bound": _median(log_bound(net) for net in nets),
        })
    return pd.DataFrame(rows)


def _median(values):
    return quartiles(values)["median"]


def log_bound(net):
    """Log of the largest singular value of U, over its blocks; NaN without U."""
    return np.log(max(net["U"].values(), default=np.nan))
