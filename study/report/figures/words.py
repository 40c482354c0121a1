"""One unit along one sentence, with one cue and with another."""

from textwrap import fill

import numpy as np
import pandas as pd

from kernels import CELLS
from study.records.table import where
from study.report.style import GREY, PALE, TWO, key
from study.report.words import blocks, known
from study.statistics.carrier import carrier, percent

PLACE = 1.6
TITLE = "The unit that remembers, word by word"
CAPTION = (
    "A sentence that the nets have not learned from (blue), and the same with another cue in place of its own (dashed): which word is "
    "right at the end depends on the cue alone. For each kind of cue: the cell that keeps it over the largest gap in most of its nets, and "
    "below it an LSTM and a tanh RNN that read the same sentence; at the end an LSTM where most LSTMs know the cue, if none is above. The "
    "unit is the one without which most is lost. Apart: the distance of its two memories, on a scale of its own, beyond the three digits of "
    "the record. Where it is 0, the unit does not tell which cue it was; where it is not, the net may still make no use of it. Gates run from "
    "0 to 1, and are drawn of nets that know the cue. Dotted: the cue, and the step at which the last word is predicted."
)
MEMORY, APART, DIGITS = ("c", "h"), "apart", 3
ROWS = {"i": "input\ngate i", "f": "forget\ngate f", "o": "output\ngate o", "z": "update\ngate z", "r": "reset\ngate r", "c": "memory c",
        "h": "state h", APART: "apart"}
STYLES = ({"color": TWO[1][0]}, {"color": TWO[0][0], "linestyle": (0, (4, 2))})  # of the sentence, and of the one with another cue


def data(frame):
    rows = []
    for number, nets in enumerate(blocks(known(frame))):
        for _, run in nets.iterrows():
            rows += _rows(number, run)
    return pd.DataFrame(rows)


def _rows(number, run):
    found, rows = run["words"], []
    text, pair, traces = found["text"], found["pair"], found["traces"][:2]
    net = {"block": number, "kind": run["kind"], "task": run["task"], "gap": run["gap"], "seed": run["seed"], "cell": run["cell"], "init": run["init"],
           "nets": run["nets"], "knowing": run["knowing"], "unit": found["units"]["unit"][0], "carrier": carrier(found, run["task"])}
    memory = next(name for name in MEMORY if name in traces[0])
    gates = [name for name in ROWS if run["knows"] and name in traces[0] and name not in MEMORY]
    for of, trace in enumerate(traces):
        said = {name: values[of] for name, values in pair.items()}
        for name in (*gates, memory):
            rows += [net | {"of": of} | said | {"name": name, "step": step, "word": word, "from_cue": step - text["cue"], "value": value}
                     for step, word, value in zip(text["steps"], text["words"], trace[name], strict=True)]
    return rows


def draw(data, figure):
    of_data = [block for _, block in data.groupby("block")]
    panels = [_panels(block) for block in of_data]
    heights = [1.7 + 0.6 * len(of_block) for of_block in panels]
    figure.set_size_inches(figure.get_figwidth(), sum(heights))
    parts = figure.subfigures(len(of_data), 1, squeeze=False, height_ratios=heights)[:, 0]
    for block, of_block, part in zip(of_data, panels, parts, strict=True):
        _draw_block(block, of_block, part)


def _panels(block):
    """[(cell, what is drawn)]: the memory is followed by how far both sentences are apart in it."""
    names = dict.fromkeys(zip(block["cell"], block["name"]))
    return [(cell, shown) for cell, name in names for shown in ((name, APART) if name in MEMORY else (name,))]


def _draw_block(block, panels, part):
    grid = part.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    first = block.iloc[0]
    steps = block[(block[["cell", "name", "of"]] == first[["cell", "name", "of"]]).all(axis=1)]
    both = block.groupby("of").first()
    cue, read = int((steps["from_cue"] < 0).sum()), len(steps) - 1
    for (cell, name), axes in zip(panels, grid, strict=True):
        of_cell = where(block, cell=cell)
        if name == APART:
            _draw_apart(axes, *_pair(of_cell[of_cell["name"].isin(MEMORY)]))
        else:
            _draw_pair(axes, name, *_pair(where(of_cell, name=name)))
        for step in (cue, read):
            axes.axvline(step, color=GREY, linewidth=0.9, linestyle=":")
        axes.set_ylabel(ROWS[name], rotation=0, ha="right", va="center", fontsize=8)
        axes.grid(visible=False)
        axes.tick_params(axis="x", length=0)
        if (cell, name) == next(panel for panel in panels if panel[0] == cell):
            axes.set_title(_title(of_cell), loc="left", fontsize=8)
    texts = [*steps["word"], both["right"].iloc[0]]
    grid[-1].set_xticks(range(read + 2), texts, rotation=90, fontsize=7 if read < 45 else 6)
    for step in (cue, read + 1):
        grid[-1].get_xticklabels()[step].set_fontweight("bold")
    grid[-1].set_xlim(-0.5, read + 1.5)
    names = f"{both['cue'].iloc[0]} ... {both['right'].iloc[0]}", "another cue in its place"
    handles = [key(name, **style) for name, style in zip(names, STYLES)]
    part.legend(handles=handles, loc="outside upper left", ncols=2, title=f"The {first['kind']}, gap {first['gap']}", alignment="left")


def _pair(lines):
    """The values of both sentences."""
    return [line["value"].to_numpy() for _, line in lines.groupby("of")]


def _draw_pair(axes, name, one, other):
    for line, style in zip((one, other), STYLES):
        axes.plot(line, linewidth=1.5, **style)
    if name not in MEMORY:
        axes.set_ylim(-0.08, 1.08)


def _draw_apart(axes, one, other):
    apart = _apart(one, other)
    axes.fill_between(range(len(apart)), apart, color=PALE, linewidth=0)
    axes.plot(apart, color=GREY, linewidth=1.2)
    most = float(f"{apart.max():.2g}") or 1.0
    axes.set_ylim(-0.05 * most, 1.15 * most)
    axes.set_yticks([0, most], ["0", f"{most:g}"])


def _apart(one, other):
    """The distance of numbers of DIGITS digits; 0 where it is one of the last digit."""
    apart, largest = np.abs(one - other), np.maximum(np.abs(one), np.abs(other))
    last = 10.0 ** (np.floor(np.log10(np.where(largest > 0, largest, 1))) - DIGITS + 1)
    return np.where(apart < 1.5 * last, 0, apart)


def _title(lines):
    first, second = lines.groupby("of").first().itertuples()
    says = f'"{first.answer}" ({percent(first.p)}), with "{second.cue}" in its place "{second.answer}" ({percent(second.p)})'
    like = f"{first.knowing} of {first.nets} such nets know the {first.kind}"
    return fill(f"{CELLS[first.cell].title}, seed {first.seed}, unit {first.unit}: {says}. {like}. {first.carrier}", 104)
