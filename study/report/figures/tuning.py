"""Success against learning rate, a line for each arm at each gap."""

from textwrap import fill

import numpy as np
import pandas as pd

from kernels import CELLS
from study.plan.arm import ARM
from study.report.names import init_label
from study.report.panels import log_axis
from study.report.style import DARK, GREY, PALE, colour, key
from study.report.trials import grouped, with_pass_rule
from study.tasks import TASKS
from study.trial.knobs import DEFAULTS

PLACE = 10
TITLE = "Which learning rates solve the task"
CAPTION = (
    "Tuning trials: one panel for each arm, one line for each gap. The height of a line above its base is the share of seeds that solve "
    "the task with that learning rate, up to all of them at the next line's base. A disc is the rate that was chosen; a hollow one is "
    "untuned: no rate solved the task, or the best one is the smallest or the largest that was tried."
)
OFTEN = ("horizon", "budget", "clip")  # knobs that often follow from others: named only where arms would have the same name otherwise
COLUMNS, HEIGHT, WIDTH = 4, 0.8, 26  # panels in a row; the height of a line where all seeds are solved, in units of its place; letters of a line of a title


def data(frame):
    runs = with_pass_rule(frame[(frame["purpose"] == "select") & frame["lr_chosen"].notna()])
    if not len(runs):
        return pd.DataFrame()
    rows = []
    for row, seeds in grouped(runs.assign(arm=_names(runs)), ["task", "cell", "arm", "gap", "lr"]):
        first = seeds.iloc[0]
        rows.append(row | {"seeds": len(seeds), "rate": seeds["solved"].eq(True).mean(), "chosen": row["lr"] == first["lr_chosen"],
                           "lr_doubt": first["lr_doubt"]})
    return pd.DataFrame(rows)


def _names(runs):
    """The name of the arm of each run: its cell, its initialisation, and the knobs in which arms differ that are not at their defaults."""
    others = [knob for knob in ARM if knob not in ("task", "cell", "lr", "purpose", "init", "scheme", "forget_bias", "chrono")]
    differing = [knob for knob in others if runs[knob].nunique(dropna=False) > 1]
    named = {knob: pd.Series(True, runs.index) for knob in differing if knob not in OFTEN}
    same = ["task", "cell", "init", *named]
    for knob in (knob for knob in differing if knob in OFTEN):
        values = runs.groupby([*same, "gap"], dropna=False)[knob].transform(lambda column: column.nunique(dropna=False))
        named[knob] = values.groupby([runs[other] for other in same], dropna=False).transform("max") > 1
    inits = runs["init"].nunique() > 1
    return [", ".join([CELLS[run["cell"]].title, *([_short(run["init"])] if inits else []),
                       *(_value(knob, run[knob]) for knob in named if named[knob][k] and not _usual(knob, run[knob]))])
            for k, run in runs.iterrows()]


def _usual(knob, value):
    return value == DEFAULTS[knob] or pd.isna(value)


def _value(knob, value):
    return f"{knob} {value:g}" if isinstance(value, float) else f"{knob} {value}"


def _short(init):
    return init_label(init).removesuffix(" initialisation")


def draw(data, figure):
    arms = list(data.groupby(["task", "arm"], sort=False))
    most = max(arm["gap"].nunique() for _, arm in arms)
    rows = -(-len(arms) // COLUMNS)
    figure.set_size_inches(figure.get_figwidth(), 0.7 + (0.45 + 0.17 * most) * rows)
    grid = figure.subplots(rows, min(COLUMNS, len(arms)), sharex=True, squeeze=False).flat
    for unused in grid[len(arms):]:
        unused.set_axis_off()
    for k, (((task, name), arm), axes) in enumerate(zip(arms, grid)):
        _draw_arm(axes, arm)
        several = fill(TASKS[task].title, WIDTH) + "\n" if data["task"].nunique() > 1 else ""
        axes.set_title(several + fill(name, WIDTH), fontsize=7.5, loc="left", pad=3)
        log_axis(axes, data["lr"], "")
        lowest = k + COLUMNS >= len(arms)
        axes.tick_params(bottom=lowest, labelbottom=lowest)
    figure.supxlabel("learning rate", fontsize=9)
    figure.supylabel("gap", fontsize=9)
    mark = {"marker": "o", "linestyle": "", "markeredgecolor": DARK}
    figure.legend(handles=[key("chosen", **mark), key("chosen, but untuned", markerfacecolor="white", **mark)],
                  loc="outside upper left", ncols=2)


def _draw_arm(axes, arm):
    gaps, tint = sorted(set(arm["gap"])), colour(arm["cell"].iloc[0])
    for place, gap in enumerate(gaps):
        line = arm[arm["gap"] == gap].sort_values("lr")
        height = place + HEIGHT * line["rate"]
        axes.fill_between(line["lr"], place, height, color=tint, alpha=0.25, linewidth=0)
        axes.plot(line["lr"], height, color=tint, linewidth=1.2)
        axes.plot(line["lr"], np.full(len(line), place), "|", color=GREY, markersize=2.5, markeredgewidth=0.6)
        chosen = line["chosen"]
        axes.plot(line["lr"][chosen], height[chosen], "o", color=tint, markersize=4.5, zorder=3,
                  markerfacecolor="white" if line["lr_doubt"].notna().any() else tint)
    axes.set_yticks(range(len(gaps)), [f"{gap:,}" for gap in gaps], fontsize=7)
    axes.set_ylim(-0.15, len(gaps))
    axes.grid(axis="y", color=PALE)
    axes.tick_params(axis="x", labelsize=6.5, labelrotation=90)
