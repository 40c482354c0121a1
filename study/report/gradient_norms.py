"""Gradient norms at each lag, relative to the norm at the step where the answer is read, or some steps before."""

import pandas as pd

from study.records.table import at_largest_gap, where
from study.report import probes
from study.report.trials import forward, grouped
from study.statistics.medians import quartiles

WHEN = {"start": "before training", "end": "after training"}


def relative(seeds, name, since=0):
    """Quartiles over seeds of the norm `name` at each lag from `since` on, divided by that at the first of these lags.

    A lag counts where every seed was probed and has a finite norm. A seed whose first norm is 0 is left out.

    Parameters
    ----------
    seeds : one dict a seed, {"lag": [...], name: [...], ...}

    Returns
    -------
    list of {"lag", "seeds", "q1", "median", "q3"}
    """
    curves = [pd.Series(norms[name], norms["lag"], float).loc[since:] for norms in seeds if name in norms]
    curves = [curve / curve.iloc[0] for curve in curves if len(curve) and curve.iloc[0]]
    if not curves:
        return []
    table = pd.concat(curves, axis=1, join="inner").dropna()
    return [{"lag": lag, "seeds": table.shape[1], **quartiles(norms)} for lag, norms in table.iterrows()]


def of_training(frame, names, task="recall/past", since=0):
    """Relative norms of trained forward nets at each arm's largest gap, before and after training."""
    rows = []
    for arm, runs in grouped(where(forward(frame), task=task, record="full"), ["cell", "init"]):
        runs = at_largest_gap(runs)
        for when in WHEN:
            for name in names:
                seeds = [norms[when] for norms in runs["norms"] if when in norms]
                key = {**arm, "gap": runs["gap"].iloc[0], "when": when, "state": name}
                rows += [key | row for row in relative(seeds, name, since)]
    return pd.DataFrame(rows)


def of_probes(frame, name, since=0):
    """Relative norms of probed nets, for the first two initialisations."""
    rows = [{"kind": probes.kind(cell), "cell": cell, "init": init, **row}
            for (cell, init), nets in probes.groups(frame, inits=2) for row in relative([net["norms"] for net in nets], name, since)]
    return pd.DataFrame(rows)
