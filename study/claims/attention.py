"""Does attention make the gap irrelevant? Recall over growing gaps, by a tanh RNN and an LSTM with an attention head and without.

The rules below were fixed before the trials ran. Learning rates are those that were chosen without attention, so what attention
adds does not come from a better rate. The cells have standard initialisation, with which the gap is hard for both.
"""

from study.records.table import at_largest_gap, where
from study.statistics.critical_gap import critical_gap
from study.statistics.p_values import rank_test
from study.statistics.verdict import INCONCLUSIVE, Claim, Verdict, all_or_none, decide, settle

CLAIM = (
    "An attention head makes the gap between a cue and its use irrelevant: the answer reads the state of the cue itself, and "
    "its gradient reaches that state in one step (Bahdanau, Cho & Bengio 2015)."
)

CLAIMS = {
    "C26": Claim(
        "An attention head makes the gap irrelevant: a tanh RNN with one solves recall at any gap.",
        "Bahdanau, Cho & Bengio 2015",
        "Recall of a past cue, standard initialisation, additive attention. Twice for each cell. The critical gap without "
        "attention lies below that with it, 95 % intervals apart (p: Mann-Whitney). At the largest gap no seed without "
        "attention and more than 90 % of the seeds with it solve the task, Wilson intervals apart."),
}

CELLS = {"rnn": "the tanh RNN", "lstm": "the LSTM"}
HEADS = ["last", "attention"]
PLANNED = 8  # seeds

PRESETS = {
    "default": {
        "title": "Does attention make the gap irrelevant?",
        "knobs": {"budget": 64_000, "task": "recall/past"},
        "grids": [{"name": "with attention and without", "seeds": PLANNED,
                   "axes": {"cell": list(CELLS), "head": HEADS, "gap": [12, 25, 50, 100]}}],
        "selection": "gap/default",
    },
}

TAKES = {"default": "about 3 minutes"}
"""An estimate for two cores with AVX2."""


def judge(frame):
    """Verdicts on C26 from trials that are done or diverged, Holm-corrected. A comparison without trials is left out.

    Parameters
    ----------
    frame : DataFrame, one row a trial, as `study.load` gives it.
    """
    runs = where(frame, purpose="train", method="bptt", task="recall/past", init="standard", direction="forward")
    verdicts = [verdict(runs, cell) for cell in CELLS for verdict in (_critical, _largest)]
    return settle(verdict for verdict in verdicts if verdict.seeds)


def _arms(runs, cell):
    return [where(runs, cell=cell, head=head) for head in HEADS]


def _only(cell, **more):
    return {"cell": (cell,), "init": ("standard",), **more}


def _critical(runs, cell):
    statement = f"{CELLS[cell]}: critical gap without attention below that with it"
    low, high = map(critical_gap, _arms(runs, cell))
    if low is None or high is None:
        return Verdict("C26", statement, INCONCLUSIVE, "not run", 0, PLANNED, only=_only(cell))
    p = rank_test(low.reached, high.reached)
    outcome, p = decide((low.apart_below(high), p), (high.apart_below(low), p))
    return Verdict("C26", statement, outcome, f"{low} against {high}", min(low.seeds, high.seeds), PLANNED, p, only=_only(cell))


def _largest(runs, cell):
    without, seeing = ((int(arm["solved"].sum()), len(arm)) for arm in _arms(at_largest_gap(runs), cell))
    outcome, p, evidence = all_or_none(without, seeing, ("without", "with attention"))
    gap = tuple(sorted(set(at_largest_gap(runs)["gap"])))
    statement = f"{CELLS[cell]}: the largest gap never without attention, nearly always with it"
    return Verdict("C26", statement, outcome, evidence, min(without[1], seeing[1]), PLANNED, p, only=_only(cell, gap=gap))
