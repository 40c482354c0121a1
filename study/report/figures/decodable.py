"""How well the cue can be read from the states, by the steps since."""

from textwrap import fill

import pandas as pd

from kernels import CELLS
from study.report.names import by_registry
from study.report.panels import panels_of_tasks
from study.report.style import colour, line
from study.report.words import known

PLACE = 1.8
TITLE = "How long the states tell the cue"
CAPTION = (
    "How often a linear read-out of all states of a layer names the cue, by the words since; it was fitted to other sentences, by ridge "
    "regression, so that differences of states far below a hundredth do not count. Lines are medians over seeds at the largest gap of each "
    "task; below each panel stands how many nets know the cue there (right in nine of ten sentences). A line that falls "
    "to chance (dotted) is that of nets that have lost the cue. A line above chance is not yet knowledge: a net may not use what its states "
    "tell. And a line below 100 % is not yet loss: where many cues are as many values of a single unit, they lie on a line, of which a "
    "linear read-out tells but the outer ones. At the end a net has to bring it into a form that its own head, which is linear, can read."
)


def data(frame):
    runs = known(frame)
    runs = runs[runs["gap"] == runs.groupby("task")["gap"].transform("max")]
    rows = []
    for (task, gap, cell, init), nets in runs.groupby(["task", "gap", "cell", "init"]):
        table = pd.DataFrame([found["decodable"]["right"] for found in nets["words"]], columns=nets["words"].iloc[0]["decodable"]["after"])
        rows += [{"task": task, "gap": gap, "cell": cell, "init": init, "seeds": len(nets), "knowing": nets["knows"].sum(), "chance": nets["words"].iloc[0]["chance"],
                  "after": after, "right": right} for after, right in table.median().items()]
    return pd.DataFrame(rows)


def draw(data, figure):
    for axes, panel in panels_of_tasks(figure, data):
        for cell, curve in panel.groupby("cell"):
            axes.plot(curve["after"], curve["right"], color=colour(cell), linestyle=line(cell), linewidth=1.5)
        axes.set_xlabel(f"words after the cue\n{_knowing(panel)}", fontsize=8)
    figure.supylabel("cue named right", fontsize=9)


def _knowing(panel):
    """How many nets of each cell know the cue, in words; cells without such nets are left out."""
    first = {cell: panel[panel["cell"] == cell].iloc[0] for cell in by_registry(panel["cell"])}
    counts = [f"{CELLS[cell].title} {row['knowing']} of {row['seeds']}" for cell, row in first.items() if row["knowing"]]
    return fill(f"known by {', '.join(counts) or 'no net'}", 32)
