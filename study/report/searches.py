"""Random searches: how their trials ended, and which knobs made the difference."""

import numpy as np
import pandas as pd

from study.records.table import where
from study.statistics.importance import judged, shares


def importance(frame):
    """One row a search and term: the share of the variance of its results, with its interval, and how its trials ended.

    A search is the draws at one value of each axis; a draw has the mean over its seeds. Left out are probes, guesses, and searches
    over tasks with a pass rule and tasks without.
    """
    runs = where(_of_searches(frame), purpose="train", method="bptt")
    rows = []
    for (search, drawn), trials in runs.groupby(["search", "drawn"], sort=False):
        results, knobs = judged(trials), drawn.split()
        if results is None:
            continue
        draws = trials[knobs].assign(result=results).groupby(knobs, sort=False, dropna=False)["result"].mean().reset_index()
        found = shares(tuple(draws["result"]), **{knob: tuple(draws[knob]) for knob in knobs})
        ended = {"draws": len(draws), "trials": len(trials), "solved": trials["solved"].eq(True).sum(),
                 "diverged": trials["status"].eq("diverged").sum()}
        rows += [{"search": search, **ended, "term": term, "share": share, "low": low, "high": high}
                 for term, (share, low, high) in ((term, np.round(numbers, 3)) for term, numbers in found.items())]
    return pd.DataFrame(rows)


def drawn(frame):
    """How many trials were drawn, and what leaves them out; "" if there are none."""
    runs = _of_searches(frame)
    if not len(runs):
        return ""
    count = runs["search"].nunique()
    of = "a random search" if count == 1 else f"{count} random searches"
    knobs = "; ".join(names.replace(" ", ", ") for names in runs["drawn"].unique())
    return (f"{len(runs)} trials are draws of {of} ({knobs}). Each draw has knobs of its own, so it is in no arm: figures and tables "
            "leave these trials out, except those of the importance of knobs.")


def _of_searches(frame):
    return frame[frame["drawn"] != ""]
