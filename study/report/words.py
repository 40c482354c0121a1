"""Nets that explain their words: which of them a report shows."""

from study.report.trials import trained
from study.statistics.carrier import noun

ENOUGH = 0.9  # of the sentences are right: a net knows the cue


def known(frame):
    """Trained trials whose words were explained, with the kind of their cue, and the accuracy of the record."""
    runs = trained(frame if "words" in frame else frame.assign(words=None))
    runs = runs[runs["words"].notna()]
    return runs.assign(kind=[noun(task) for task in runs["task"]], accuracy=[found["accuracy"] for found in runs["words"]])


def best(runs):
    """The trial with the largest gap at which a net is right often enough; else the one that is right most often."""
    ordered = runs.assign(enough=runs["accuracy"] >= ENOUGH, far=runs["gap"].where(runs["accuracy"] >= ENOUGH, 0))
    return ordered.sort_values(["enough", "far", "accuracy", "seed"], ascending=[False, False, False, True], kind="stable").iloc[0]
