"""Learning curves, one line a seed, with the chance level."""

import pandas as pd

from kernels import CELLS
from study.report.arms import plain, where
from study.report.style import GREY, by_registry, colour, families, start, thousands
from study.tasks import TASKS

PLACE = 5
TITLE = "Learning curves"
CAPTION = (
    "Share of right answers in training, before each update, on recall of a past cue at one gap in the middle of the"
    " grid; each line is a seed, and ends in a dot where it solved the task. Dotted: chance, the best that a net "
    "which ignores the past can do."
)
TASK = "recall/past"


def data(frame):
    runs = where(plain(frame), task=TASK)
    if not len(runs):
        return pd.DataFrame()
    gaps = sorted(set(runs["gap"]))
    runs = runs[runs["gap"] == gaps[len(gaps) // 2]]
    points = [
        {"cell": run["cell"], "init": run["init"], "gap": run["gap"], "seed": run["seed"], "solved": bool(run["solved"]),
         "sequences": at, "score": score}
        for _, run in runs.iterrows() for at, score in zip(run["curve"]["sequences"], run["curve"]["score"], strict=True)]
    return pd.DataFrame(points)


def draw(data, figure):
    cells, inits = by_registry(data["cell"]), families(data["init"])
    chance = TASKS[TASK].chance["score"]
    figure.set_size_inches(figure.get_figwidth(), 0.5 + 1.7 * len(inits))
    for init, row in zip(inits, figure.subplots(len(inits), len(cells), sharex=True, sharey=True, squeeze=False), strict=True):
        for cell, axes in zip(cells, row, strict=True):
            axes.axhline(chance, color=GREY, linestyle=":", linewidth=1.2)
            for _, run in data[(data["cell"] == cell) & (data["init"] == init)].groupby("seed"):
                axes.plot(run["sequences"], run["score"], color=colour(cell), linewidth=0.9, alpha=0.75)
                if run["solved"].iloc[0]:
                    axes.plot(run["sequences"].iloc[-1], run["score"].iloc[-1], "o", color=colour(cell), markersize=3.5)
            axes.xaxis.set_major_formatter(thousands)
            axes.locator_params(axis="x", nbins=3)
            axes.set_ylim(0, 1.04)
            axes.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])
            if row is not None and init == inits[0]:
                axes.set_title(CELLS[cell].title)
            if init == inits[-1]:
                axes.set_xlabel("sequences")
        row[0].set_ylabel(f"{start(init)}\nright answers")
    figure.axes[0].annotate("chance", (1, chance), (-2, -10), xycoords=("axes fraction", "data"), textcoords="offset points",
                            ha="right", fontsize=7.5, color=GREY)
    figure.suptitle(f"gap {data['gap'].iloc[0]}", x=0.005, ha="left", fontsize=9)
