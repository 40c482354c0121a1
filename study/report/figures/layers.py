"""Norm of the gradient with respect to h against lag in each layer of nets of several layers, before and after training."""

import pandas as pd

from kernels import CELLS
from study.records.table import at_largest_gap, where
from study.report.gradient_norms import WHEN, relative
from study.report.names import init_label
from study.report.panels import label_ends, norm_axis
from study.report.style import colour, text_colour
from study.report.trials import STACK, grouped, trained

PLACE = 11
TITLE = "How much of the gradient reaches back in each layer"
CAPTION = (
    "Norm of dL/dh at each lag in each layer, relative to the same layer's at lag 0, where the answer is read, on a log axis "
    "(recall of a past cue at the largest gap, float64, nets of several layers). Layer 0 reads the sequence; the head reads the "
    "last one, drawn darkest. Lines are medians over seeds, bands quartiles. The axis ends at 1e-12."
)
KNOBS = ["cell", "init", *STACK]


def data(frame):
    runs = where(trained(frame), direction="forward", task="recall/past", head="last", record="full")
    rows = []
    for net, runs in grouped(runs[runs["layers"] > 1], KNOBS):
        runs = at_largest_gap(runs)
        for when in WHEN:
            seeds = [norms[when] for norms in runs["norms"] if when in norms]
            for layer in range(net["layers"]):
                of_layer = [norms if not layer else {"lag": norms["lag"]} | norms["layers"][layer - 1] for norms in seeds]
                rows += [net | {"gap": runs["gap"].iloc[0], "when": when, "layer": layer} | row for row in relative(of_layer, "h")]
    return pd.DataFrame(rows)


def draw(data, figure):
    nets = list(data.groupby(KNOBS, sort=False))
    figure.set_size_inches(figure.get_figwidth(), 0.4 + 1.9 * len(nets))
    labels = {}
    for (net, of_net), row in zip(nets, figure.subplots(len(nets), len(WHEN), sharex=True, sharey=True, squeeze=False), strict=True):
        cell, init, layers, stack, tied = net
        for when, axes in zip(WHEN, row, strict=True):
            labels[axes] = []
            for layer, curve in where(of_net, when=when).groupby("layer"):
                shade = dict(color=colour(cell), alpha=(layer + 1) / layers)
                axes.fill_between(curve["lag"], curve["q1"], curve["q3"], color=colour(cell), alpha=0.1, linewidth=0)
                axes.plot(curve["lag"], curve["median"], linewidth=1.6, **shade)
                labels[axes].append((f"layer {layer}", curve["median"].iloc[-1], text_colour(cell)))
            norm_axis(axes, data["q1"].min(), data["q3"].max())
            axes.set_ylabel("|dL/dh|, relative")
            made = f"{CELLS[cell].title}, {layers} layers{'' if stack == 'plain' else f', {stack}'}{', tied' if tied else ''}"
            axes.set_title(f"{made}\n{init_label(init)}, {WHEN[when]}", loc="left", fontsize=8)
            axes.label_outer()
    for axes, ends in labels.items():  # after all panels, because they share their limits
        label_ends(axes, ends)
