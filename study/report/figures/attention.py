"""Where nets with an attention head look: the weights of the steps, for a few answers."""

import pandas as pd

from study.records.table import where
from study.report.names import by_registry
from study.report.panels import small_multiples

PLACE = 10
TITLE = "Where attention looks"
CAPTION = (
    "After training, for the first seed of each cell at its largest gap that is solved (or else the smallest): each line is an "
    "answer to a sequence that the net has not learned from. The darker a step, the larger its weight (black: 1). The mark is the "
    "step at which the answer is read. Long sequences are drawn in up to 32 stretches of steps, with the sums of their weights."
)
LEAST = 0.005  # smaller weights are white


def data(frame):
    looking = frame[frame["alpha"].notna() & (frame["purpose"] == "train")] if "alpha" in frame else frame[:0]
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
    answers = zip(alpha["sequence"], alpha["read"], alpha["length"], alpha["weights"], strict=True)
    return [net | {"answer": answer, "sequence": sequence, "read": read, "from": first, "to": min(last, length), "weight": weight}
            for answer, (sequence, read, length, weights) in enumerate(answers)
            for first, last, weight in zip(steps, ends, weights, strict=True) if first < length]


def draw(data, figure):
    for cell, axes in small_multiples(figure, data["cell"], height=1.9, columns=2).items():
        shown = where(data, cell=cell)
        seen = shown[shown["weight"] >= LEAST]
        tints = [str(1 - weight) for weight in seen["weight"].clip(0, 1)]
        axes.barh(seen["answer"], seen["to"] - seen["from"], 0.8, seen["from"], color=tints, linewidth=0)
        lines = shown.groupby("answer").agg({"read": "first", "to": "max"})
        axes.barh(lines.index, lines["to"], 0.8, 0, facecolor="none", edgecolor="#BBBBBB", linewidth=0.5)
        axes.plot(lines["read"] + 0.5, lines.index, "v", color="#D55E00", markersize=4)
        axes.set_yticks(lines.index, lines.index + 1)
        axes.set_ylim(len(lines) - 0.5, -0.5)
        axes.grid(visible=False)
        axes.set_title(f"{axes.get_title(loc='left')}, gap {shown['gap'].iloc[0]}", fontsize=7.5, loc="left", pad=3)
        axes.tick_params(labelbottom=True)
    figure.supxlabel("step", fontsize=9)
    figure.supylabel("answer", fontsize=9)
