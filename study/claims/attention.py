"""Does attention make the gap irrelevant? Recall over growing gaps, by a tanh RNN and an LSTM with an attention head and without.

The rule below was fixed before the trials ran, and no earlier study ran these seeds. Learning rates are chosen without
attention, so what attention adds does not come from a better rate. The cells have standard initialisation, with which the gap
is hard for both.
"""

from study.plan.selection import doubt
from study.records.table import where
from study.statistics.arms import Arm, bounded, more_solve
from study.statistics.verdict import Claim, Verdict, settle

CLAIM = (
    "An attention head makes the gap between a cue and its use irrelevant: the answer reads the state of the cue itself, and "
    "its gradient reaches that state in one step (Bahdanau, Cho & Bengio 2015)."
)

CLAIMS = {
    "C26": Claim(
        "An attention head makes the gap irrelevant: a tanh RNN with one solves recall at any gap.",
        "Bahdanau, Cho & Bengio 2015",
        "Recall of a past cue, standard initialisation, additive attention. Learning rates are chosen without attention, at gap "
        "25. For each cell: at the largest gap more seeds solve the task with attention than without (difference of success "
        "rates, Newcombe's interval above 0; p: Fisher); and with attention the largest gap, eight times the smallest, needs less "
        "than twice the sequences (at least 90 % of the seeds solve both; ratio of geometric means, unsolved = budget, Welch's "
        "interval below 2). An interval wholly on the other side speaks against the claim, but is untuned: no rate was chosen "
        "with attention."),
}

CELLS = {"rnn": "the tanh RNN", "lstm": "the LSTM"}
HEADS = {"last": "without attention", "attention": "with attention"}
SEEDS = list(range(20, 30))
BOUND = 2

PRESETS = {
    "default": {
        "title": "Does attention make the gap irrelevant?",
        "knobs": {"budget": 64_000, "task": "recall/past"},
        "grids": [{"name": "with attention and without",
                   "axes": {"cell": list(CELLS), "head": list(HEADS), "gap": [12, 25, 50, 100], "seed": SEEDS}}],
        "selection": {"rates": [0.0003, 0.001, 0.003, 0.01, 0.03], "seeds": 3, "gap": {"recall/past": 25}},
    },
}

TAKES = {"default": "about 4 minutes"}
"""An estimate for two cores with AVX2."""


def judge(frame, choices):
    """Verdicts on C26 from trials that are done or diverged, Holm-corrected. A comparison without trials is left out.

    Parameters
    ----------
    frame : DataFrame, one row a trial, as `study.load` gives it.
    choices : {(task, cell, init): choice of a learning rate}, as study.plan.selection gives them.
    """
    runs = where(frame, purpose="train", method="bptt", task="recall/past", init="standard", direction="forward")
    return settle(_verdict(compare, _arms(runs, choices, cell), cell) for cell in CELLS for compare in (_largest, _any_gap))


def _arms(runs, choices, cell):
    doubts = {"last": doubt(choices.get(("recall/past", cell, "standard"))), "attention": "no rate was chosen with attention"}
    return [Arm(name, where(runs, cell=cell, head=head), doubts[head]) for head, name in HEADS.items()]


def _verdict(compare, arms, cell):
    statement, comparison, gaps = compare(*arms)
    only = {"cell": (cell,), "init": ("standard",), "gap": gaps}
    return Verdict("C26", f"{CELLS[cell]}: {statement}", comparison, len(SEEDS), only)


def _ends(arm):
    return min(arm.runs["gap"], default=None), max(arm.runs["gap"], default=None)


def _largest(without, seeing):
    gap = _ends(seeing)[1]
    return "more seeds solve the largest gap with attention than without", more_solve(seeing.at(gap), without.at(gap)), (gap,)


def _any_gap(_, seeing):
    near, far = (Arm(f"gap {gap}", seeing.at(gap).runs) for gap in _ends(seeing))
    far = Arm(far.name, far.runs, seeing.doubt)
    statement = f"with attention the largest gap needs less than {BOUND} times the sequences of the smallest"
    return statement, bounded(far, near, BOUND), _ends(seeing)
