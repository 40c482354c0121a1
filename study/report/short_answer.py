"""The short answer of a study whose nets explain their words: which cell keeps which cue how far, how a net does it, how sure that is."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from kernels import CELLS
from study.records.table import where
from study.report.names import by_registry
from study.report.trials import grouped, trained
from study.report.words import ENOUGH, LSTM, blocks, counted, known, reached
from study.statistics.carrier import carriers, percent
from study.statistics.doubts import doubts
from study.tasks import TASKS

RNN = "rnn"
STEP = {
    "rnn": "h = tanh(W x + U h'): the whole state is written anew at each word",
    "lstm": "c = f c' + i g: the forget gate f holds the memory c, the input gate i lets a word in; h = o tanh(c) is read",
    "peephole": "as the LSTM, but the gates also see the memory c",
    "coupled": "as the LSTM, but i = 1 - f: what lets a word in fades the memory",
    "gru": "h = (1 - z) h' + z n: the update gate z holds the state at 0 and writes it at 1; there is no second memory",
}
"""What a cell does with its state at each word; without biases."""
MEMORY = {"c": "memory c", "h": "state h"}
WRITES = {"z": "update", "i": "input"}  # gates that let a word into the memory
LATER = 5  # words after the cue at which the read-out of the tanh RNN is told


def short_answer(frame):
    """`sentences` and a `table` of reached gaps; None of a study without explained nets."""
    runs = known(frame)
    if not len(runs):
        return None
    sentences = [_farthest(runs), _one_net(blocks(runs)[0].iloc[0]), _few_units(runs), _lacking(runs), _sure(frame)]
    return SimpleNamespace(sentences=[sentence for sentence in sentences if sentence], table=_table(runs))


def _farthest(runs):
    """Where the cell stands that keeps most, and where the plain LSTM and the tanh RNN do."""
    rows = reached(runs)
    best = rows.groupby("cell")["far"].sum().pipe(lambda sums: sums[sums == sums.max()])
    cells = dict.fromkeys([*by_registry(best.index), *(cell for cell in (LSTM, RNN) if cell in set(rows["cell"]))])
    kept = [f"the {CELLS[cell].title} keeps {_kept(where(rows, cell=cell))}" for cell in cells]
    said = "; ".join(kept)
    return f"**How far.** {said[0].upper()}{said[1:]} (a cell keeps a cue over a gap if most of its nets know it there)."


def _kept(rows):
    ranges = {kind: _range(of_kind["far"]) for kind, of_kind in rows.groupby("kind")}
    if len(set(ranges.values())) == 1 < len(ranges):
        return f"the {', the '.join(ranges)} each over {rows['far'].iloc[0]} words"
    return ", ".join(f"the {kind} over {gaps}" for kind, gaps in ranges.items())


def _range(gaps):
    low, high = gaps.min(), gaps.max()
    return "no gap tried" if not high else f"{high} words" if low == high else f"{low or 'none'} to {high} words"


def _one_net(net):
    """What the unit that carries the cue does at it, after it and at the end, in the net that a figure draws first."""
    found, text = net["words"], net["words"]["text"]
    one, other = found["traces"][:2]
    gate = next((name for name in WRITES if name in one), None)
    if not (net["knows"] and gate):
        return ""
    cue, memory, pair = text["steps"].index(text["cue"]), "c" if "c" in one else "h", found["pair"]
    held = np.median(one[gate][cue + 1 :])
    return (
        f"**How.** In the {CELLS[net['cell']].title} of seed {net['seed']} at gap {net['gap']}, as drawn below, unit {one['unit']} matters "
        f"most. *Written*: at `{pair['cue'][0]}` its {WRITES[gate]} gate {gate} is {one[gate][cue]:g} and its {MEMORY[memory]} becomes "
        f"{one[memory][cue]:g}; with `{pair['cue'][1]}` in the same place it becomes {other[memory][cue]:g}. *Shut in and held*: over the "
        f"words that follow, {gate} is {held:g} (median), and at the last of them the {MEMORY[memory]} is {one[memory][-1]:g}, or "
        f"{other[memory][-1]:g}. *Read*: from all units the net then says `{pair['answer'][0]}` ({percent(pair['p'][0])}), or "
        f"`{pair['answer'][1]}` ({percent(pair['p'][1])})."
    )


def _few_units(runs):
    """In how many nets one unit carries most of the cue."""
    needed = [len(carriers(words)) for words in runs[runs["knows"].astype(bool)]["words"]]
    if not needed:
        return ""
    return (f"Of all {len(needed)} nets that know their cue (right in at least {100 * ENOUGH:g} % of the sentences), one unit carries most of "
            f"it in {needed.count(1)}, two or more together in {sum(count > 1 for count in needed)}.")


def _lacking(runs):
    """What the states of tanh RNNs tell soon after the cue, at the largest gap of the first kind, and those of LSTMs there."""
    kind = where(runs, kind=runs["kind"].min())
    rnns, lstms = (where(kind, cell=cell, gap=kind["gap"].max()) for cell in (RNN, LSTM))
    if not len(rnns):
        return ""
    first, (at, then, later) = rnns.iloc[0], _told(rnns)
    gated = "" if not len(lstms) else (
        f" A gate alone is not enough: training has to find its use. Of the LSTMs at this gap {lstms['knows'].sum()} of {len(lstms)} know the "
        f"{first['kind']}, and their read-out falls from {percent(_told(lstms)[0])} to {percent(_told(lstms)[1])}.")
    return (f"**What the tanh RNN lacks**, by its equation, is a gate that shuts its memory: each word writes the whole state anew. At gap "
            f"{first['gap']} a linear read-out of its states names the {first['kind']} in {percent(at)} of the sentences at the word itself, and "
            f"in {percent(then)} {later} words later; chance is {percent(first['words']['chance'])}.{gated}")


def _told(nets):
    """(median share of sentences whose cue the states tell at the cue, the same later, how many words later)"""
    told = [dict(zip(words["decodable"]["after"], words["decodable"]["right"])) for words in nets["words"]]
    later = max(after for after in told[0] if after <= LATER)
    return *(np.median([right[after] for right in told]) for after in (0, later)), later


def _sure(frame):
    arms = [runs for _, runs in grouped(trained(frame), ["task", "cell", "init"])]
    doubted = sum(bool(doubts(runs)) for runs in arms)
    untuned = (f" In {doubted} of {len(arms)} arms a better learning rate may exist, so what a cell did not learn here it may learn at "
               "another rate, and the order of the cells may change." if doubted else "")
    seeds = trained(frame)["seed"].nunique()
    return (f"**How sure.** {seeds} nets with different seeds stand behind each number of the table, enough for large differences only; *How* is "
            f"one net and one pair of sentences.{untuned}")


def _table(runs):
    """Cells by tasks: the largest gap that a cell keeps, and how many of its nets know the cue there."""
    rows, smallest = reached(runs), counted(runs).groupby(["task", "cell"])["gap"].min()
    tasks = dict.fromkeys(sorted(runs["task"]))
    return pd.DataFrame([
        {"cell": CELLS[cell].title, "at each word": STEP.get(cell, ""),
         **{TASKS[task].title: _gap(where(rows, cell=cell, task=task), smallest) for task in tasks}}
        for cell in by_registry(runs["cell"])])


def _gap(rows, smallest):
    if not len(rows):
        return "-"
    row = rows.iloc[0]
    knowing = f"{row['knowing']} of {row['nets']}"
    return f"{row['far']} ({knowing})" if row["far"] else f"< {smallest[row['task'], row['cell']]} ({knowing} at {row['gap']})"
