"""Where nets with an attention head look: the weights of the steps, for a few answers."""

import pandas as pd
from matplotlib.patches import Patch

from study.records.table import where
from study.report.names import by_registry
from study.report.panels import small_multiples
from study.report.style import key
from study.report.trials import trained, usual_size

PLACE = 0
TITLE = "Where attention looks"
CAPTION = (
    "After training, for the first seed of each cell at its largest gap that is solved (or else the smallest): each line is an "
    "answer to a sequence that the net has not learned from. The darker a step, the more of the answer's attention it gets; all "
    "steps of a line get 100 % together, and shades go by the square root. In recall of a past cue, the hollow mark is the cue. Long "
    "sequences are drawn in up to 32 stretches of steps, with the sums of their weights."
)
MARK = {"marker": "v", "color": "#D55E00", "linestyle": ""}
CUE = MARK | {"markerfacecolor": "white"}
EXAMPLES = (0.01, 0.1, 1)  # weights whose shades the legend shows


def data(frame):
    nets = usual_size(trained(frame))
    looking = nets[nets["alpha"].notna()] if "alpha" in nets else nets[:0]
    rows = []
    for cell in by_registry(looking["cell"]):
        runs = where(looking, cell=cell)
        solved = runs[runs["solved"].eq(True)]
        shown = (solved if len(solved) else runs).sort_values(["gap", "seed"], ascending=[not len(solved), True], kind="stable")
        rows += _rows(shown.iloc[0])
    return pd.DataFrame(rows)


def _rows(run):
    alpha = run["alpha"]
    steps = alpha["steps"]
    ends = [*steps[1:], 2 * steps[-1] - steps[-2] if len(steps) > 1 else 1]
    net = {"cell": run["cell"], "task": run["task"], "gap": run["gap"], "seed": run["seed"]}
    back = run["gap"] if run["task"] == "recall/past" else None
    answers = zip(alpha["sequence"], alpha["read"], alpha["length"], alpha["weights"], strict=True)
    return [net | {"answer": answer, "sequence": sequence, "cue": back and read - back, "read": read, "from": first,
                   "to": min(last, length), "weight": weight}
            for answer, (sequence, read, length, weights) in enumerate(answers)
            for first, last, weight in zip(steps, ends, weights, strict=True) if first < length]


def draw(data, figure):
    for cell, axes in small_multiples(figure, data["cell"], height=1.9, columns=2).items():
        shown = where(data, cell=cell)
        axes.barh(shown["answer"], shown["to"] - shown["from"], 0.8, shown["from"], color=list(map(_shade, shown["weight"])), linewidth=0)
        lines = shown.groupby("answer").agg({"cue": "first", "read": "first", "to": "max"})
        axes.barh(lines.index, lines["to"], 0.8, 0, facecolor="none", edgecolor="#BBBBBB", linewidth=0.5)
        for step, mark in (("read", MARK), ("cue", CUE)):
            axes.plot(lines[step] + 0.5, lines.index, markersize=4, **mark)
        axes.set_yticks(lines.index, lines.index + 1)
        axes.set_ylim(len(lines) - 0.5, -0.5)
        axes.grid(visible=False)
        axes.set_title(f"{axes.get_title(loc='left')}, gap {shown['gap'].iloc[0]}", fontsize=7.5, loc="left", pad=3)
        axes.tick_params(labelbottom=True)
    figure.supxlabel("step", fontsize=9)
    figure.supylabel("answer", fontsize=9)
    marks = [key("cue", **CUE)] * bool(data["cue"].notna().any()) + [key("step at which the answer is read", **MARK)]
    shades = [Patch(facecolor=_shade(weight), edgecolor="#BBBBBB", label=f"{weight:.0%}") for weight in EXAMPLES]
    figure.legend(handles=marks + shades, loc="outside upper left", ncols=5)


def _shade(weight):
    """A grey by the square root of the weight, so that a weight spread over a hundred steps is seen."""
    return str(1 - min(max(weight, 0), 1) ** 0.5)
