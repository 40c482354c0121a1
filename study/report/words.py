"""Nets that explain their words: which of them a report shows."""

from study.report.trials import trained
from study.statistics.carrier import noun

ENOUGH = 0.9  # of the sentences are right: a net knows the cue


def known(frame):
    """Trained trials whose words were explained, with the kind of their cue, the accuracy of the record, and whether they know the cue."""
    runs = trained(frame if "words" in frame else frame.assign(words=None))
    runs = runs[runs["words"].notna()]
    accuracy = [found["accuracy"] for found in runs["words"]]
    return runs.assign(kind=[noun(task) for task in runs["task"]], accuracy=accuracy, knows=[right >= ENOUGH for right in accuracy])


def best(runs):
    """The trial with the largest gap at which a net is right often enough; else the one that is right most often."""
    ordered = runs.assign(far=runs["gap"].where(runs["knows"], 0))
    return ordered.sort_values(["far", "accuracy", "seed"], ascending=[False, False, True], kind="stable").iloc[0]
