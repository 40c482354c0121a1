"""Which trials belong together: the arms of a study, and the ones that a figure compares."""

import numpy as np

from study.tasks import TASKS
from study.trial.knobs import KNOBS

ARM = ["task", "cell", "init", "direction", "merge", "units", "method"]
"""What makes an arm; its trials differ in gap and seed only."""


def pooled(frame):
    """A line on the knobs in which trials of one arm, gap and seed differ, "" where there are none."""
    keys = [*ARM, "after", "gap", "seed"]
    knobs = [knob for knob in KNOBS if knob not in keys and knob in frame]
    values = where(frame, purpose="train").groupby(keys, dropna=False)[knobs].nunique(dropna=False)
    several = [knob for knob in knobs if (values[knob] > 1).any()]
    if not several:
        return ""
    return f"Trials that differ in {' or '.join(several)} stand in one arm here; `export` tells them apart."


def where(frame, **knobs):
    """Rows whose knobs have the given values."""
    return frame[np.logical_and.reduce([np.ones(len(frame), bool), *(frame[knob] == value for knob, value in knobs.items())])]


def trained(frame):
    """Trials that were trained, without those that only chose a learning rate or guessed."""
    return where(frame, purpose="train", method="bptt")


def learned(frame):
    """Trials that tried to solve their task, by training or guessing."""
    return frame[(frame["purpose"] == "train") & (frame["method"] != "probe")]


def plain(frame):
    """Trained forward trials at the study's usual number of units."""
    runs = where(trained(frame), direction="forward")
    return runs[runs["units"] == runs["units"].mode().iloc[0]] if len(runs) else runs


def passable(frame):
    """Trials of tasks that can be solved: all that have a pass rule."""
    return frame[~frame["task"].isin([name for name, task in TASKS.items() if task.rule is None])]


def one_sided(frame):
    """Trials of tasks that a forward net can solve."""
    return frame[~frame["task"].isin(["recall/both", "recall/future"])]
