"""Learning curves, one line a seed, with the chance level."""

import pandas as pd

from kernels import CELLS
from study.records.table import where
from study.report.names import by_family, by_registry, init_label
from study.report.panels import share_axis, thousands
from study.report.style import GREY, colour
from study.report.trials import forward
from study.tasks import TASKS

PLACE = 5
TITLE = "Learning curves"
CAPTION = (
    "Share of right answers in training, each judged before the update that learns from it, on recall of a past cue at one "
    "gap in the middle of the grid. Each line is a seed; it ends in a dot where the seed solved the task. Dotted: chance, "
    "the best that a net can do without the past."
)
TASK = "recall/past"


def data(frame):
    runs = where(forward(frame), task=TASK, record="full")
    if not len(runs):
        return pd.DataFrame()
    gaps = sorted(set(runs["gap"]))
    rows = []
    for _, run in where(runs, gap=gaps[len(gaps) // 2]).iterrows():
        points = zip(run["curve"]["sequences"], run["curve"]["score"], strict=True)
        rows += [{"cell": run["cell"], "init": run["init"], "gap": run["gap"], "seed": run["seed"],
                  "solved": bool(run["solved"]), "sequences": sequences, "score": score} for sequences, score in points]
    return pd.DataFrame(rows)


def draw(data, figure):
    cells, inits = by_registry(data["cell"]), by_family(data["init"])
    chance = TASKS[TASK].chance["score"]
    figure.set_size_inches(figure.get_figwidth(), 0.5 + 1.7 * len(inits))
    for init, row in zip(inits, figure.subplots(len(inits), len(cells), sharex=True, sharey=True, squeeze=False), strict=True):
        for cell, axes in zip(cells, row, strict=True):
            axes.axhline(chance, color=GREY, linestyle=":", linewidth=1.2)
            for _, run in where(data, cell=cell, init=init).groupby("seed"):
                axes.plot(run["sequences"], run["score"], color=colour(cell), linewidth=0.9, alpha=0.75)
                if run["solved"].iloc[0]:
                    axes.plot(run["sequences"].iloc[-1], run["score"].iloc[-1], "o", color=colour(cell), markersize=3.5)
            axes.xaxis.set_major_formatter(thousands)
            axes.locator_params(axis="x", nbins=3)
            share_axis(axes)
            axes.set_title(CELLS[cell].title if init == inits[0] else "")
            axes.set_xlabel("sequences")
            axes.label_outer()
        row[0].set_ylabel(f"{init_label(init)}\nright answers", fontsize=8.5)
    figure.axes[0].annotate("chance", (1, chance), (-2, -10), xycoords=("axes fraction", "data"), textcoords="offset points",
                            ha="right", fontsize=7.5, color=GREY)
    figure.suptitle(f"gap {data['gap'].iloc[0]}", x=0.005, ha="left", fontsize=9)
