"""Right answers if the most important units are held at their means."""

import pandas as pd

from kernels import CELLS
from study.records.table import where
from study.report.names import by_registry
from study.report.style import GREY, colour, key
from study.report.words import known
from study.tasks import TASKS

PLACE = 1.7
TITLE = "How few units carry the cue"
CAPTION = (
    "Share of sentences in which a net tells the right word from the others: of the whole net, without the unit that matters most, and "
    "without the two that do. A unit is taken away by holding it, from the cue on, at its mean over all sentences: then it no longer "
    "knows which sentence it is. Where one unit less brings a net to chance (dotted), that unit carries the cue. Medians over the nets that "
    "are right in nine of ten sentences, at the largest gap at which a cell has such nets."
)
MARKS = {0: ("whole net", "o", 1.0), 1: ("one unit less", "s", 0.0), 2: ("two units less", "|", 1.0)}
"""{units held: (label, marker, filled or not)}"""


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
    tasks, columns = list(dict.fromkeys(data["task"])), 2
    rows = -(-len(tasks) // columns)
    most = max(len(_arms(of_task)) for _, of_task in data.groupby("task"))
    figure.set_size_inches(figure.get_figwidth(), 0.5 + rows * (0.7 + 0.21 * most))
    grid = figure.subplots(rows, min(columns, len(tasks)), sharex=True, squeeze=False).flat
    for unused in grid[len(tasks) :]:
        unused.set_axis_off()
    for task, axes in zip(tasks, grid):
        _draw_task(axes, where(data, task=task))
        axes.set_title(TASKS[task].title, loc="left", fontsize=8)
    handles = [key(label, linestyle="", **_mark(held, GREY)) for held, (label, *_) in MARKS.items()]
    figure.legend(handles=[*handles, key("chance", color=GREY, linestyle=":")], loc="outside upper left", ncols=4)


def _arms(rows):
    """[(cell, initialisation)] from the first cell of the registry on."""
    return [(cell, init) for cell in by_registry(rows["cell"]) for init in dict.fromkeys(where(rows, cell=cell)["init"])]


def _draw_task(axes, rows):
    arms, names = _arms(rows), []
    axes.axvline(rows["chance"].iloc[0], color=GREY, linestyle=":", linewidth=1.2)
    for place, (cell, init) in enumerate(arms):
        right = where(rows, cell=cell, init=init).set_index("held")
        shown = right["right"].reindex(list(MARKS))
        axes.plot([shown.min(), shown.max()], [place, place], color=colour(cell), linewidth=1, zorder=2)
        for held, share in shown.items():
            axes.plot(share, place, linestyle="", zorder=3, **_mark(held, colour(cell)))
        nets = right["seeds"].iloc[0]
        names.append(f"{CELLS[cell].title}, gap {right['gap'].iloc[0]}, {nets} net{'s' if nets > 1 else ''}")
    axes.set_yticks(range(len(arms)), names, fontsize=7.5)
    axes.set_ylim(len(arms) - 0.5, -0.5)
    axes.set_xlim(0, 1.03)
    axes.set_xticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    axes.grid(visible=False, axis="y")


def _mark(held, tint):
    _, marker, filled = MARKS[held]
    return {"marker": marker, "color": tint, "markersize": 9 if marker == "|" else 5, "markeredgecolor": tint,
            "markerfacecolor": tint if filled else "white", "markeredgewidth": 1.4}
