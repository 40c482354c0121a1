"""One unit along one sentence, with one cue and with another."""

import pandas as pd

from kernels import CELLS
from study.records.table import where
from study.report.names import by_registry
from study.report.style import GREY, PALE, TWO, key
from study.report.words import best, known
from study.statistics.carrier import carrier, percent

PLACE = 14
TITLE = "The unit that remembers, word by word"
CAPTION = (
    "A sentence that the nets have not learned from (solid), and the same with another cue in place of its own (dashed): which word is "
    "right at the end depends on the cue alone. Above: the unit of an LSTM without which most is lost, or of another cell where no LSTM "
    "knows the cue. Below: that of a tanh RNN with the same seed. Where the lines are apart (grey), the unit knows which cue it was; "
    "where they are one, it does not. Dotted: the cue, and the step at which the last word is predicted. Gates run from 0 to 1. Of each "
    "kind of sentence the largest gap is drawn at which the cell is right in nine of ten sentences, or else its best one."
)
CELL, OTHER = "lstm", "rnn"
ROWS = {"i": "input\ngate i", "f": "forget\ngate f", "o": "output\ngate o", "z": "update\ngate z", "r": "reset\ngate r", "c": "memory c",
        "h": "state h"}
GATES = "ifozr"
STYLES = ({"color": TWO[1][0]}, {"color": TWO[0][0], "linestyle": (0, (4, 2))})  # of the sentence, and of the one with another cue


def data(frame):
    rows = []
    for kind, runs in known(frame).groupby("kind"):
        able = [CELL, *by_registry(where(runs, knows=True)["cell"])]
        gated = [cell for cell in able if cell != OTHER and where(runs, cell=cell)["knows"].any()] or [CELL]
        of_cell = where(runs, cell=gated[0])
        if len(of_cell):
            chosen = best(of_cell)
            others = where(runs, cell=OTHER, **{knob: chosen[knob] for knob in ("task", "gap", "seed")})
            for run in (chosen, *([best(others)] if len(others) else [])):
                rows += _rows(kind, run)
    return pd.DataFrame(rows)


def _rows(kind, run):
    found, rows = run["words"], []
    text, pair = found["text"], found["pair"]
    net = {"kind": kind, "task": run["task"], "gap": run["gap"], "seed": run["seed"], "cell": run["cell"], "init": run["init"],
           "unit": found["units"]["unit"][0], "carrier": carrier(found, run["task"])}
    for of, trace in enumerate(found["traces"][:2]):
        said = {name: values[of] for name, values in pair.items()}
        for name in (name for name in ROWS if name in trace and (name != "h" or "c" not in trace)):
            rows += [net | {"of": of} | said | {"name": name, "step": step, "word": word, "from_cue": step - text["cue"], "value": value}
                     for step, word, value in zip(text["steps"], text["words"], trace[name], strict=True)]
    return rows


def draw(data, figure):
    blocks = [block for _, block in data.groupby("kind", sort=False)]
    panels = [list(dict.fromkeys(zip(block["cell"], block["name"]))) for block in blocks]
    figure.set_size_inches(figure.get_figwidth(), sum(1.6 + 0.6 * len(of_block) for of_block in panels))
    parts = figure.subfigures(len(blocks), 1, squeeze=False)[:, 0]
    for block, of_block, part in zip(blocks, panels, parts, strict=True):
        _draw_block(block, of_block, part)


def _draw_block(block, panels, part):
    grid = part.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    first = block.iloc[0]
    steps = block[(block[["cell", "name", "of"]] == first[["cell", "name", "of"]]).all(axis=1)]
    both = block.groupby("of").first()
    cue, read = int((steps["from_cue"] < 0).sum()), len(steps) - 1
    for (cell, name), axes in zip(panels, grid, strict=True):
        lines = where(block, cell=cell, name=name)
        values = [line["value"].to_numpy() for _, line in lines.groupby("of")]
        axes.fill_between(range(read + 1), *values, color=PALE, linewidth=0)
        for line, style in zip(values, STYLES):
            axes.plot(range(read + 1), line, linewidth=1.5, **style)
        for step in (cue, read):
            axes.axvline(step, color=GREY, linewidth=0.9, linestyle=":")
        axes.set_ylabel(ROWS[name], rotation=0, ha="right", va="center", fontsize=8)
        axes.set_ylim(*((-0.08, 1.08) if name in GATES else (None, None)))
        axes.grid(visible=False)
        axes.tick_params(axis="x", length=0)
        if (cell, name) == next(panel for panel in panels if panel[0] == cell):
            axes.set_title(_title(lines), loc="left", fontsize=8)
    texts = [*steps["word"], " / ".join(both["right"])]
    texts[cue] = " / ".join(both["cue"])
    grid[-1].set_xticks(range(read + 2), texts, rotation=90, fontsize=7 if read < 45 else 6)
    for step in (cue, read + 1):
        grid[-1].get_xticklabels()[step].set_fontweight("bold")
    grid[-1].set_xlim(-0.5, read + 1.5)
    handles = [key(f"{row.cue} ... {row.right}", **style) for row, style in zip(both.itertuples(), STYLES)]
    part.legend(handles=handles, loc="outside upper left", ncols=2, title=f"The {first['kind']}, gap {first['gap']}", alignment="left")


def _title(lines):
    first, second = lines.groupby("of").first().itertuples()
    return (f"{CELLS[first.cell].title}, unit {first.unit}. The net says \"{first.answer}\" ({percent(first.p)}), and with the other cue "
            f"\"{second.answer}\" ({percent(second.p)}).\n{first.carrier}")
