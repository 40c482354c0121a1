"""Random searches: how their trials ended, and which knobs made the difference."""

import numpy as np
import pandas as pd

from study.records.table import where
from study.statistics.importance import judged, shares


def importance(frame):
    """One row a search and term: the share of the variance of its results, with its interval, and how its trials ended.

    A search is the draws at one value of each axis; a draw has the mean over its seeds. Searches of probes and guesses are left out, and
    those of tasks with a pass rule and tasks without.
    """
    runs = where(frame[frame["search"] != ""], purpose="train", method="bptt")
    rows = []
    for (search, drawn), trials in runs.groupby(["search", "drawn"], sort=False):
        results, knobs = judged(trials), drawn.split()
        if results is None:
            continue
        draws = trials[knobs].assign(result=results).groupby(knobs, sort=False, dropna=False)["result"].mean().reset_index()
        found = shares(tuple(draws["result"]), **{knob: tuple(draws[knob]) for knob in knobs})
        diverged = trials["status"].eq("diverged").sum()
        ended = {"draws": len(draws), "trials": len(trials), "solved": trials["solved"].eq(True).sum(), "diverged": diverged}
        rows += [{"search": search, **ended, "term": term} | dict(zip(("share", "low", "high"), np.round(found[term], 3))) for term in found]
    return pd.DataFrame(rows)


def drawn(frame):
    """How many trials were drawn, and what leaves them out; "" if there are none."""
    runs = frame[frame["search"] != ""]
    if not len(runs):
        return ""
    searches = runs["search"].nunique()
    knobs = "; ".join(", ".join(names.split()) for names in runs["drawn"].unique())
    return (f"{len(runs)} trials are draws of {searches} random {'search' if searches == 1 else 'searches'} (drawn: {knobs}). Each draw has knobs of its own, so "
            "it is in no arm: figures and tables leave these trials out, but for those of the importance of knobs.")
