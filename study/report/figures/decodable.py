"""How well the cue can be read from the states, by the steps since."""

import pandas as pd

from kernels import CELLS
from study.report.figures.words import known
from study.report.names import by_registry, init_label
from study.report.panels import share_axis
from study.report.style import GREY, colour, key, line
from study.tasks import TASKS

PLACE = 15
TITLE = "How long the states tell the cue"
CAPTION = (
    "How often a linear read-out of all states of a layer names the cue, by the words since; it was fitted to other sentences, by ridge "
    "regression, so that differences of states far below a hundredth do not count. Lines are medians over seeds at the largest gap of "
    "each task. Dotted: chance. Whether the net itself uses what its states tell is another matter."
)
COLUMNS = 3


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
    groups = list(data.groupby(["task", "init"], sort=False))
    rows, inits = -(-len(groups) // COLUMNS), data["init"].nunique()
    figure.set_size_inches(figure.get_figwidth(), 0.6 + 1.9 * rows)
    grid = figure.subplots(rows, min(COLUMNS, len(groups)), sharey=True, squeeze=False).flat
    for unused in grid[len(groups) :]:
        unused.set_axis_off()
    for ((task, init), panel), axes in zip(groups, grid):
        axes.axhline(panel["chance"].iloc[0], color=GREY, linestyle=":", linewidth=1.2)
        for cell, curve in panel.groupby("cell"):
            axes.plot(curve["after"], curve["right"], color=colour(cell), linestyle=line(cell), linewidth=1.5)
        share_axis(axes)
        axes.set_title(f"{TASKS[task].title}\ngap {panel['gap'].iloc[0]}{f', {init_label(init)}' if inits > 1 else ''}", loc="left", fontsize=8)
        axes.set_xlabel("words after the cue")
    figure.supylabel("cue named right", fontsize=9)
    handles = [key(CELLS[cell].title, color=colour(cell), linestyle=line(cell)) for cell in by_registry(data["cell"])]
    figure.legend(handles=[*handles, key("chance", color=GREY, linestyle=":")], loc="outside upper left", ncols=4)
