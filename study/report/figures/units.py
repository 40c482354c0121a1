"""Right answers if the most important units are held at their means, by how many are."""

import pandas as pd

from study.report.panels import panels_of_tasks
from study.report.style import colour, line, marker
from study.report.words import known

PLACE = 16
TITLE = "How few units carry the cue"
CAPTION = (
    "Share of sentences in which a net tells the right word from the others, if its n most important units are held, from the cue on, "
    "at their means over all sentences: then they no longer know which sentence it is. Where the line falls to chance at one, a single "
    "unit carries the cue. Medians over the seeds that are right in nine of ten sentences, at the largest gap of each cell with such a "
    "seed."
)


def data(frame):
    runs = known(frame)
    runs = runs[runs["knows"].astype(bool)]
    runs = runs[runs["gap"] == runs.groupby(["task", "cell", "init"])["gap"].transform("max")]
    rows = []
    for (task, gap, cell, init), nets in runs.groupby(["task", "gap", "cell", "init"]):
        table = pd.DataFrame([{0: found["accuracy"], **dict(zip(*found["together"].values()))} for found in nets["words"]])
        net = {"task": task, "gap": gap, "cell": cell, "init": init, "seeds": len(nets), "chance": nets["words"].iloc[0]["chance"]}
        rows += [net | {"held": held, "right": right} for held, right in table.median().items()]
    return pd.DataFrame(rows)


def draw(data, figure):
    for axes, panel in panels_of_tasks(figure, data):
        for cell, curve in panel.groupby("cell"):
            style = dict(color=colour(cell), linestyle=line(cell), marker=marker(cell))
            axes.plot(curve["held"], curve["right"], markersize=4, linewidth=1.3, **style)
        axes.set_xlabel("units held")
    figure.supylabel("right answers", fontsize=9)
