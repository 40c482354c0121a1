"""One unit along one sentence, with one cue and with another."""

import pandas as pd

from kernels import CELLS
from study.records.table import where
from study.report.style import GREY, TWO, key
from study.report.trials import trained
from study.statistics.carrier import carrier, noun, percent

PLACE = 14
TITLE = "The unit that remembers, word by word"
CAPTION = (
    "A sentence that the nets have not learned from, and the same with another cue in place of its own (dashed). Above: the unit of "
    "an LSTM that matters most for the word at the end. Below: that of a tanh RNN with the same seed. Gates run from 0 to 1. Where "
    "the two lines are apart, the unit still knows which cue it was; where they are one, it has lost it. Of each kind of sentence "
    "the largest gap is drawn at which an LSTM is right nine times out of ten (or else its best one)."
)
CELL, OTHER = "lstm", "rnn"
ROWS = {"i": "input\ngate i", "f": "forget\ngate f", "o": "output\ngate o", "c": "memory c", "h": "state h"}
SHOWN = {CELL: ("i", "f", "o", "c"), OTHER: ("h",)}
ENOUGH = 0.9


def known(frame):
    """Trained trials whose words were explained, with the kind of their cue, and the accuracy of the record."""
    runs = trained(frame)
    runs = runs[runs["words"].notna()] if "words" in runs else runs[:0]
    return runs.assign(kind=[noun(task) for task in runs["task"]], accuracy=[found["accuracy"] for found in runs.get("words", ())])


def best(runs):
    """The trial with the largest gap at which a net is right often enough; else the one that is right most often."""
    ordered = runs.assign(enough=runs["accuracy"] >= ENOUGH, far=runs["gap"].where(runs["accuracy"] >= ENOUGH, 0))
    return ordered.sort_values(["enough", "far", "accuracy", "seed"], ascending=[False, False, False, True], kind="stable").iloc[0]


def data(frame):
    rows = []
    for kind, runs in known(frame).groupby("kind"):
        of_cell = where(runs, cell=CELL)
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
        for name in SHOWN[run["cell"]]:
            rows += [net | {"of": of} | said | {"name": name, "step": step, "word": word, "from_cue": step - text["cue"], "value": value}
                     for step, word, value in zip(text["steps"], text["words"], trace[name], strict=True)]
    return rows


def draw(data, figure):
    blocks = list(data.groupby("kind", sort=False))
    figure.set_size_inches(figure.get_figwidth(), sum(1.5 + 0.62 * block.groupby("cell")["name"].nunique().sum() for _, block in blocks))
    for (kind, block), part in zip(blocks, figure.subfigures(len(blocks), 1, squeeze=False)[:, 0], strict=True):
        _draw_block(kind, block, part)


def _draw_block(kind, block, part):
    panels = [(cell, name) for cell, names in SHOWN.items() if cell in set(block["cell"]) for name in names]
    grid = part.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    words = where(block, cell=CELL, of=0, name="c")
    cues, rights = block.groupby("of")["cue"].first(), block.groupby("of")["right"].first()
    cue = (words["from_cue"] == 0).to_numpy().nonzero()[0][0]
    for (cell, name), axes in zip(panels, grid, strict=True):
        lines = where(block, cell=cell, name=name)
        for of, line in lines.groupby("of"):
            tint, _, _ = TWO[1 - of]
            axes.plot(range(len(line)), line["value"], color=tint, linestyle="-" if of == 0 else (0, (4, 2)), linewidth=1.5)
        axes.axvline(cue, color=GREY, linewidth=0.8, linestyle=":")
        axes.axvline(len(words) - 1, color=GREY, linewidth=0.8, linestyle=":")
        axes.set_ylabel(ROWS[name], rotation=0, ha="right", va="center", fontsize=8)
        axes.set_ylim(*((-0.08, 1.08) if name in "ifo" else (None, None)))
        axes.grid(visible=False, axis="x")
        if name == SHOWN[cell][0]:
            axes.set_title(_title(lines), loc="left", fontsize=8)
    texts = words["word"].tolist()
    texts[cue] = " / ".join(cues)
    grid[-1].set_xticks(range(len(texts)), texts, rotation=90, fontsize=7 if len(texts) <= 45 else 6)
    for at in (cue, len(texts) - 1):
        grid[-1].get_xticklabels()[at].set_fontweight("bold")
    grid[-1].set_xlim(-0.5, len(texts) - 0.5)
    styles = [dict(color=TWO[1][0]), dict(color=TWO[0][0], linestyle=(0, (4, 2)))]
    handles = [key(f"after \"{cue}\", to be \"{right}\"", **style) for cue, right, style in zip(cues, rights, styles)]
    part.legend(handles=handles, loc="outside upper left", ncols=2, title=f"The {kind} at gap {block['gap'].iloc[0]}", alignment="left")


def _title(lines):
    first = lines.iloc[0]
    said = [f"\"{row.answer}\" ({percent(row.p)})" for row in lines.groupby("of").first().itertuples()]
    return f"{CELLS[first['cell']].title}, unit {first['unit']}. Net says {' and '.join(said)}.\n{first['carrier']}"
