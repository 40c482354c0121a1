"""How often the far word is right, against its distance: a panel for each condition of the language tasks."""

import pandas as pd

from kernels import CELLS
from study.records.table import where
from study.report.names import by_registry
from study.report.panels import dodge, gap_axis, share_axis
from study.report.style import GREY, colour, key, line, marker
from study.report.trials import forward
from study.tasks import TASKS

PLACE = 1.5
TITLE = "Is the far word right?"
CAPTION = (
    "Share of new texts in which the net prefers the right word at the far end of a dependency, by the words between (gap, log axis); "
    "means over seeds, with bars from the worst seed to the best. Upper row: the tongue of a country, the first choice among all words; "
    "the pronoun of a name, `he` against `she`, where no name stands before it, one of the same gender, or one of the other gender, which "
    "it replaces. Below: `is` against `are` of a subject, with attractors (other nouns) between, all of its number (middle row) or all of "
    "the opposite one (lower row). Grey band: the near control, a place three words after its noun in the texts of the first panel. "
    "Dotted: chance. Values that are a little below it are those of nets that guess."
)
NEAR, PAIR = "near", 1 / 2
CONTROL = {"color": "#BBBBBB", "linestyle": "-", "linewidth": 5, "marker": "", "alpha": 0.7}
PANELS = {
    ("language/country", ""): (0, 0, "country"),
    ("language/gender", "no name before"): (0, 1, "one name"),
    ("language/gender", "same gender before"): (0, 2, "same gender before"),
    ("language/gender", "other gender before"): (0, 3, "other gender before"),
    ("language/number/0", ""): (1, 0, "number, no attractor"),
    **{(f"language/number/{n}", f"{kind} attractors"): (row, n, f"{n} {kind} attractor{'s' if n > 1 else ''}")
       for n in (1, 2, 3) for row, kind in ((1, "same"), (2, "opposite"))},
}  # fmt: skip
"""{(task, kind of condition): (row, column, title)}"""


def data(frame):
    runs = forward(frame)
    runs = runs[runs["test_conditions"].notna()] if "test_conditions" in runs else runs[:0]
    rows = [{"task": run["task"], "kind": kind, "cell": run["cell"], "gap": run["gap"], "seed": run["seed"], "right": right}
            for _, run in runs.iterrows() for kind, right in _kinds(run["test_conditions"], TASKS[run["task"]].chance["score"]).items()]
    if not rows:
        return pd.DataFrame()
    groups = pd.DataFrame(rows).groupby(["task", "kind", "cell", "gap"], sort=False)["right"]
    return groups.agg(seeds="size", right="mean", lowest="min", highest="max").reset_index()


def _kinds(conditions, chance):
    """{kind: share of right answers}: conditions that differ in their class alone are one kind.

    Of two effect words, the right one has to be above the other; of several, above all words.
    """
    counts = {}
    for name, (pairs, first, above) in conditions.items():
        right = above if chance == PAIR else first
        kind = NEAR if name == NEAR else name.partition(", ")[2]
        asked, answered = counts.get(kind, (0, 0))
        counts[kind] = asked + pairs, answered + right
    return {kind: answered / asked for kind, (asked, answered) in counts.items()}


def draw(data, figure):
    data = data.fillna({"kind": ""})
    shown = {key: panel for key, panel in PANELS.items() if len(where(data, task=key[0], kind=key[1]))}
    rows = sorted({row for row, *_ in shown.values()})
    figure.set_size_inches(figure.get_figwidth(), 0.8 + 1.75 * len(rows))
    grid = figure.subplots(len(rows), 4, sharey=True, squeeze=False)
    for axes in grid.flat:
        axes.set_visible(False)
    for (task, kind), (row, column, title) in shown.items():
        axes = grid[rows.index(row), column]
        axes.set_visible(True)
        axes.axhline(TASKS[task].chance["score"], color=GREY, linestyle=":", linewidth=1.2)
        _draw_near(axes, where(data, task=task, kind=NEAR))
        _draw_far(axes, where(data, task=task, kind=kind))
        share_axis(axes)
        gap_axis(axes, data["gap"], "gap")
        axes.set_title(title, fontsize=8)
        axes.tick_params(labelleft=True)
    handles = [key(CELLS[cell].title, color=colour(cell), linestyle=line(cell), marker=marker(cell)) for cell in by_registry(data["cell"])]
    near = [key("near control", **CONTROL)] if len(where(data, kind=NEAR)) else []
    figure.legend(handles=handles + near, loc="outside upper left", ncols=6)
    figure.supylabel("right word preferred", fontsize=9)


def _draw_near(axes, near):
    for cell in by_registry(near["cell"]):
        shares = where(near, cell=cell).sort_values("gap")
        axes.plot(shares["gap"], shares["right"], **CONTROL, zorder=1)


def _draw_far(axes, far):
    cells = by_registry(far["cell"])
    for index, cell in enumerate(cells):
        shares = where(far, cell=cell).sort_values("gap")
        bars = [shares["right"] - shares["lowest"], shares["highest"] - shares["right"]]
        axes.errorbar(shares["gap"] * dodge(index, len(cells), 0.025), shares["right"], bars, color=colour(cell), linestyle=line(cell),
                      marker=marker(cell), markersize=4, elinewidth=0.8, linewidth=1.2, clip_on=False, zorder=3)
