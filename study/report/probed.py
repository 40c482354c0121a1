"""What probes saw: their trials, medians over seeds, and how fast gradients fall beside how fast Jacobians shrink."""

import numpy as np
import pandas as pd

from kernels import CELLS
from study.report.arms import where
from study.report.style import by_registry, families, place, started
from study.statistics import intervals

KINS = {
    "no gate": lambda cell: "c" not in cell.states and not cell.retains,
    "memory c, no forget gate": lambda cell: "c" in cell.states and not cell.retains,
    "memory c, forget gate": lambda cell: "c" in cell.states and bool(cell.retains),
    "gates, no memory but h": lambda cell: "c" not in cell.states and bool(cell.retains),
}


def done(frame):
    """Probed trials that ended with a look."""
    return where(frame, method="probe", status="done")


def usual(frame):
    """Probed trials at the study's usual task and number of units, and of these each cell, start and `after` at its largest gap."""
    runs = done(frame)
    for knob in ("task", "units"):
        runs = runs[runs[knob].isin(runs[knob].mode()[:1])]
    return runs[runs["gap"] == runs.groupby(["cell", "init", "after"])["gap"].transform("max")]


def probed(frame):
    """The usual ones; a net that had learned has it said behind its start, in `init`."""
    runs = usual(frame)
    return runs.assign(init=[f"{init}-after {n:,}" if n else init for init, n in zip(runs["init"], runs["after"], strict=True)])


def kin(cell):
    """Which of KINS a cell is."""
    return next(name for name, has in KINS.items() if has(CELLS[cell]))


def arms(frame):
    """((cell, start), its probes as dicts) of each arm of the usual probes, in the order of registry and starts."""
    groups = probed(frame).groupby(["cell", "init"], sort=False)
    for (cell, init), runs in sorted(groups, key=lambda group: (place(group[0][0]), started(group[0][1]))):
        yield (cell, init), list(runs["probe"])


def two(inits):
    """The starts that small multiples show: the first two."""
    return families(inits)[:2]


def quartiles(values):
    """{"q1", "median", "q3"} of numbers, None being none of them; NaN where there are none."""
    found = np.array(list(values), dtype=float)
    found = found[~np.isnan(found)]
    return dict(zip(("q1", "median", "q3"), np.quantile(found, [0.25, 0.5, 0.75]) if len(found) else [np.nan] * 3, strict=True))


def falls(frame, name):
    """The norm `name` at each lag over that at lag 0: quartiles over seeds, where all of them have one."""
    rows = []
    for (cell, init), probes in arms(frame):
        seeds = [probe["norms"] for probe in probes if name in probe["norms"]]
        for k, lag in enumerate(min((norms["lag"] for norms in seeds), key=len, default=())):
            values = [norms[name][k] and norms[name][k] / norms[name][0] for norms in seeds if norms[name][0]]
            if values and None not in values:
                rows.append({"kin": kin(cell), "cell": cell, "init": init, "lag": lag, "seeds": len(values), **quartiles(values)})
    return pd.DataFrame(rows)


def spectra(frame):
    """One row an arm: the fitted slope of log |dL/dh| with its interval and R^2, the leading Lyapunov exponents, U.

    Medians over seeds; `low` and `high` are those of each fit's 95 % interval, `bound` that of the log of the largest
    singular value of U, which no exponent of a cell without gates exceeds (Pascanu, Mikolov & Bengio 2013).
    """
    rows = []
    for (cell, init), probes in arms(frame):
        fits = [fit for probe in probes if (fit := intervals.decay(probe["norms"]["lag"], probe["norms"]["h"]))]
        slopes, leading = quartiles(fit.slope for fit in fits), quartiles(probe["lyapunov"][0] for probe in probes)
        exponents = zip(*(probe["lyapunov"] for probe in probes), strict=True)
        rows.append({
            "kin": kin(cell), "cell": cell, "init": init, "seeds": len(probes), "slope": slopes["median"],
            "slope_q1": slopes["q1"], "slope_q3": slopes["q3"], "low": quartiles(fit.low for fit in fits)["median"],
            "high": quartiles(fit.high for fit in fits)["median"], "r2": quartiles(fit.r2 for fit in fits)["median"],
            "exponent": leading["median"], "exponent_q1": leading["q1"], "exponent_q3": leading["q3"],
            **{f"exponent_{k}": quartiles(values)["median"] for k, values in enumerate(exponents, 1) if k > 1},
            "bound": quartiles(np.log(max(probe["U"].values())) for probe in probes)["median"],
        })
    return pd.DataFrame(rows)


def table(frame):
    """The spectra, for REPORT.md."""
    return spectra(frame).drop(columns=["kin"], errors="ignore")


def grid(figure, cells, height=1.2, columns=4):
    """{cell: axes}: small multiples in the order of the registry, each named; what is left of the last row is empty."""
    cells = by_registry(cells)
    rows = -(-len(cells) // columns)
    figure.set_size_inches(figure.get_figwidth(), 0.6 + height * rows)
    axes = figure.subplots(rows, min(columns, len(cells)), sharex=True, sharey=True, squeeze=False)
    for panel in axes.flat[len(cells):]:
        panel.set_axis_off()
    for k, (cell, panel) in enumerate(zip(cells, axes.flat)):
        panel.set_title(CELLS[cell].title, fontsize=7.5, loc="left", pad=3)
        panel.tick_params(labelleft=k % columns == 0, labelbottom=k + columns >= len(cells))
    return dict(zip(cells, axes.flat))
