"""How the gradient falls with the lag: norms relative to the read-out, over seeds, and panels that show them.

Shared by the figures of gradients; the numbers are medians and quartiles over the seeds of an arm at its largest gap.
"""

import numpy as np
import pandas as pd

from study.report.arms import plain, where
from study.report.style import GREY

WHEN = {"start": "at the start", "end": "after training"}
LOWEST, HIGHEST = 1e-12, 1e6
"""Where the axis ends: what falls below has vanished for any purpose of float32."""


def relative(frame, states, task="recall/past"):
    """Norms of the given states at each lag over that at lag 0: median and quartiles over seeds, with a fitted median slope.

    Only lags that all seeds were probed at; a seed whose norm is 0 or not finite at a lag has none there. Empty where the study does not have the task.
    """
    runs, rows = where(plain(frame), task=task), []
    for (cell, init), arm in runs.groupby(["cell", "init"]):
        arm = arm[arm["gap"] == arm["gap"].max()]
        for when in WHEN:
            for state in states:
                rows += _arm([norms[when] for norms in arm["norms"] if state in norms.get(when, ())], state,
                             {"cell": cell, "init": init, "gap": arm["gap"].iloc[0], "when": when, "state": state})
    return pd.DataFrame(rows)


def _arm(seeds, state, arm):
    curves = [pd.Series(norms[state], norms["lag"], float) / (norms[state][0] or np.nan) for norms in seeds]
    if not curves:
        return []
    table = pd.DataFrame(curves)[sorted(set.intersection(*(set(norms["lag"]) for norms in seeds)))]
    quartiles = table.quantile([0.25, 0.5, 0.75])
    return [arm | {"lag": lag, "seeds": int(table[lag].notna().sum()), "q1": some[0.25], "median": some[0.5], "q3": some[0.75]}
            for lag, some in quartiles.items() if some.notna().all()]


def panel(axes, lowest, highest):
    """A panel of relative norms against lag, on a log axis from `lowest` to about `highest`, within bounds."""
    axes.set_yscale("log")
    axes.set_ylim(lowest, min(HIGHEST, 10 * highest))
    axes.axhline(1, color=GREY, linewidth=0.7)
    axes.set_xlabel("lag (steps back from the read-out)")


def labels(axes, ends):
    """Direct labels right of the panel: (text, y, colour) each, moved apart where they would touch."""
    low, high = np.log(axes.get_ylim())
    order = sorted(ends, key=lambda end: end[1])
    at = [(np.log(max(y, axes.get_ylim()[0])) - low) / (high - low) for _, y, _ in order]
    apart = 0.085
    for k in range(1, len(at)):
        at[k] = max(at[k], at[k - 1] + apart)
    for k in range(len(at) - 1, -1, -1):
        at[k] = min(at[k], 1 - apart * (len(at) - 1 - k))
    for (text, _, tint), y in zip(order, at, strict=True):
        axes.annotate(text, (1.02, y), xycoords="axes fraction", va="center", fontsize=7.5, color=tint)
