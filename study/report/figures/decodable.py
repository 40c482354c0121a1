"""How well the cue can be read from the states, by the steps since."""

import pandas as pd

from study.report.words import known
from study.report.panels import panels_of_tasks
from study.report.style import colour, line

PLACE = 15
TITLE = "How long the states tell the cue"
CAPTION = (
    "How often a linear read-out of all states of a layer names the cue, by the words since; it was fitted to other sentences, by ridge "
    "regression, so that differences of states far below a hundredth do not count. Lines are medians over seeds at the largest gap of "
    "each task. Dotted: chance. A net may not use what its states tell; and it may know more: many cues that are so many values of a "
    "single unit lie on a line, where a linear read-out tells but the outer ones."
)


def data(frame):
    runs = known(frame)
    runs = runs[runs["gap"] == runs.groupby("task")["gap"].transform("max")]
    rows = []
    for (task, gap, cell, init), nets in runs.groupby(["task", "gap", "cell", "init"]):
        table = pd.DataFrame([found["decodable"]["right"] for found in nets["words"]], columns=nets["words"].iloc[0]["decodable"]["after"])
        rows += [{"task": task, "gap": gap, "cell": cell, "init": init, "seeds": len(nets), "chance": nets["words"].iloc[0]["chance"],
                  "after": after, "right": right} for after, right in table.median().items()]
    return pd.DataFrame(rows)


def draw(data, figure):
    for axes, panel in panels_of_tasks(figure, data):
        for cell, curve in panel.groupby("cell"):
            axes.plot(curve["after"], curve["right"], color=colour(cell), linestyle=line(cell), linewidth=1.5)
        axes.set_xlabel("words after the cue")
    figure.supylabel("cue named right", fontsize=9)
