"""How far back does each recurrent cell learn to look? Recall over growing gaps, five cells, two families of initialisations.

The rules below were fixed before the trials ran. A critical gap depends on the budget: it says how far an arm got within that
many sequences, not how far it could get with more.
"""

import numpy as np

from study.records.table import at_largest_gap, where
from study.statistics.critical_gap import critical_gap
from study.statistics.decay import fit_decay
from study.statistics.medians import median_interval
from study.statistics.p_values import rank_test, sign_test
from study.statistics.ratios import paired_ratio, ratio_p
from study.statistics.verdict import INCONCLUSIVE, Claim, Verdict, all_or_none, decide, settle

CLAIM = (
    "As the gap between a cue and its use grows, a tanh RNN stops learning while gated cells go on (Hochreiter & "
    "Schmidhuber 1997; Bengio, Simard & Frasconi 1994), because its gradient falls exponentially with the lag "
    "(Hochreiter 1991; Pascanu, Mikolov & Bengio 2013); a bidirectional net is decisive where the answer lies in the"
    " future and worth nothing where it lies in the past (Schuster & Paliwal 1997; Graves & Schmidhuber 2005); and "
    "initialisation decides as much as the cell (Tallec & Ollivier 2018; Le, Jaitly & Hinton 2015)."
)

CLAIMS = {
    "C1": Claim(
        "As the gap grows, a tanh RNN stops learning while gated cells go on: on temporal order at scale 100 the RNN"
        " is at chance, LSTM and GRU at 99 % or more.",
        "Hochreiter & Schmidhuber 1997; Bengio, Simard & Frasconi 1994",
        "Recall: the RNN's critical gap lies below the gated cell's, 95 % intervals apart (p: Mann-Whitney). "
        "Temporal order at scale 100: no RNN seed and more than 90 % of the gated cell's seeds have 99 % of 2,560 "
        "fresh sequences right, Wilson intervals apart. Each for both families of initialisations."),
    "C14": Claim(
        "A bidirectional net is decisive where the answer lies in the future and worth nothing where it lies in the "
        "past.",
        "Schuster & Paliwal 1997; Graves & Schmidhuber 2005",
        "Recall of two cues, one on each side: no forward seed and more than 90 % of the bidirectional seeds solve "
        "it, Wilson intervals apart. Recall of a past cue: the ratio of sequences to solve, bidirectional over "
        "forward, paired by seed (mean log-ratio over the gaps, unsolved = budget, pairs that neither solved left "
        "out), has its 95 % interval inside a factor of 1.5 (outside: contradicted)."),
    "C15": Claim(
        "The gradient of a tanh RNN falls exponentially with the lag; along an LSTM's direct path it falls as the "
        "product of its forget gates.",
        "Hochreiter 1991; Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013",
        "Before training, at the largest gap. RNN: the log norm of dL/dh falls along a line, with the 95 % interval of "
        "the seeds' median R^2 above 0.95 (below: contradicted). LSTM: the slope of the log norm of dL/dc over that "
        "of the norm over units of the product of the forget gates, interval of the median inside 0.9 to 1.1 "
        "(outside: contradicted), twice: by the direct path alone (nothing through U), which is nearly an identity "
        "and so checks the probe more than the cell, and by all paths, as training sees it. The rule was first "
        "written for all paths; the other reading was added when probes of untrained nets had shown the difference. "
        "Whether the RNN's rate of decay is its leading Lyapunov exponent is not judged here."),
    "C23": Claim(
        "Initialisation decides as much as the cell: with standard initialisation an LSTM forgets too.",
        "Tallec & Ollivier 2018; Le, Jaitly & Hinton 2015",
        "Recall: the critical gap of a cell with standard initialisation lies below that of the same cell with long "
        "initialisation, 95 % intervals apart (p: Mann-Whitney). A part of the claim: orthogonal U and gate biases are not "
        "crossed here."),
}

CELLS = ["rnn", "lstm", "peephole", "coupled", "gru"]
CELLS_OF_FULL = [*CELLS, "gru_after"]
THREE = ["rnn", "lstm", "gru"]
FAMILIES = ["standard", "long"]
LEARNING_RATES = [0.001, 0.003, 0.01]
EQUAL_TO_LSTM_32 = {"rnn": 67, "gru": 37}
"""The largest H with which a net has no more weights than a forward lstm with H = 32 on recall/past, head included."""


def _grid(name, **axes):
    return {"name": name, "axes": {axis: values if isinstance(values, list) else [values] for axis, values in axes.items()}}


def _seeds(n):
    return list(range(n))


PRESETS = {
    "quick": {
        "title": "How far back? A first look",
        "knobs": {"budget": 64_000, "horizon": 200},
        "grids": [
            _grid("recall", task="recall/past", cell=CELLS, init=FAMILIES, gap=[20, 60, 200], seed=_seeds(3)),
            _grid("both sides", task="recall/both", cell=THREE, init="long", direction=["forward", "both"], gap=60,
                  seed=_seeds(3)),
            _grid("handwriting", task="digits", cell="lstm", init="long", gap=64, seed=_seeds(2), budget=28_800),
        ],
        "selection": "gap/default",
    },
    "default": {
        "title": "How far back does each recurrent cell learn to look?",
        "knobs": {"budget": 128_000, "horizon": 200},
        "grids": [
            _grid("recall", task="recall/past", cell=CELLS, init=FAMILIES, gap=[12, 25, 50, 100, 200], seed=_seeds(10)),
            _grid("past, both directions", task="recall/past", cell=THREE, init="long", direction="both", gap=[25, 100],
                  seed=_seeds(6)),
            _grid("past, learned merge", task="recall/past", cell="lstm", init="long", direction="both", merge="learned",
                  gap=[25, 100], seed=_seeds(6)),
            _grid("both sides, both directions", task="recall/both", cell=THREE, init="long", direction="both", gap=[25, 100],
                  seed=_seeds(6)),
            _grid("both sides, learned merge", task="recall/both", cell="lstm", init="long", direction="both",
                  merge="learned", gap=[25, 100], seed=_seeds(6)),
            _grid("both sides, forward control", task="recall/both", cell=THREE, init="long", gap=25, seed=_seeds(6)),
            _grid("temporal order", task="temporal_order/6a", cell=THREE, init=FAMILIES, gap=[50, 100], seed=_seeds(6)),
            _grid("handwriting", task="digits", cell=THREE, init=FAMILIES, gap=[0, 64, 192], seed=_seeds(3), budget=57_600),
            _grid("equal parameters, rnn", task="recall/past", cell="rnn", units=EQUAL_TO_LSTM_32["rnn"], init=FAMILIES,
                  gap=[25, 100], seed=_seeds(6)),
            _grid("equal parameters, gru", task="recall/past", cell="gru", units=EQUAL_TO_LSTM_32["gru"], init=FAMILIES,
                  gap=[25, 100], seed=_seeds(6)),
            _grid("guessing, recall", task="recall/past", cell=["rnn", "lstm"], method="guess", gap=12, seed=_seeds(3)),
            _grid("guessing, temporal order", task="temporal_order/6a", cell=["rnn", "lstm"], method="guess", gap=50,
                  seed=_seeds(3)),
        ],
        "selection": {"rates": LEARNING_RATES, "seeds": 3, "gap": {"recall/past": 50, "temporal_order/6a": 50, "digits": 64}},
    },
    "full": {
        "title": "How far back does each recurrent cell learn to look? The long study",
        "knobs": {"budget": 256_000, "horizon": 1000},
        "grids": [
            _grid("recall", task="recall/past", cell=CELLS_OF_FULL, init=FAMILIES, gap=[12, 25, 50, 100, 200, 400, 700, 1000],
                  seed=_seeds(20)),
            _grid("directions", task=["recall/past", "recall/future", "recall/both"], cell=THREE, init="long",
                  direction="both", merge=["concat", "sum", "mean", "learned"], gap=[25, 100], seed=_seeds(20)),
            _grid("one direction", task=["recall/future", "recall/both"], cell=THREE, init="long",
                  direction=["forward", "reverse"], gap=[25, 100], seed=_seeds(20)),
            _grid("temporal order", task="temporal_order/6a", cell=CELLS_OF_FULL, init=FAMILIES, gap=[50, 100, 200, 500, 1000],
                  seed=_seeds(20)),
            _grid("adding", task="adding/hs97", cell=CELLS_OF_FULL, init=FAMILIES, gap=[50, 100, 200, 500, 1000],
                  seed=_seeds(20)),
            _grid("handwriting", task="digits", cell=CELLS_OF_FULL, init=FAMILIES, gap=[0, 64, 192, 448, 936], seed=_seeds(20)),
            _grid("equal parameters, rnn", task="recall/past", cell="rnn", units=EQUAL_TO_LSTM_32["rnn"], init=FAMILIES,
                  gap=[25, 100, 400], seed=_seeds(20)),
            _grid("equal parameters, gru", task="recall/past", cell="gru", units=EQUAL_TO_LSTM_32["gru"], init=FAMILIES,
                  gap=[25, 100, 400], seed=_seeds(20)),
            _grid("guessing", task=["recall/past", "recall/future", "recall/both", "temporal_order/6a", "adding/hs97"],
                  cell=THREE, method="guess", gap=50, seed=_seeds(20)),
        ],
        "selection": {"rates": LEARNING_RATES, "seeds": 3,
                      "gap": {"recall/past": 50, "temporal_order/6a": 50, "adding/hs97": 50, "digits": 64}},
    },
}

TAKES = {"quick": "2 to 3 minutes", "default": "about 20 minutes", "full": "at most 15 hours"}
"""Estimates for two cores with AVX2. With AVX-512, `default` took 8 min 39 s."""

GATED = {"lstm": "LSTM", "gru": "GRU"}
PLANNED, PLANNED_OF_RECALL = 6, 10  # seeds
SCALE, LEARNED = 100, 0.99
FACTOR = 1.5
STRAIGHT = 0.95
PRODUCT = (0.9, 1.1)
PATHS = {"direct": "along the LSTM's direct path the gradient", "c": "by all paths the gradient of the LSTM's memory"}


def judge(frame):
    """Verdicts on C1, C14, C15 and C23 from trials that are done or diverged, Holm-corrected within each claim.

    A comparison of which the frame has no trials is left out.

    Parameters
    ----------
    frame : DataFrame, one row a trial, as `study.load` gives it.
    """
    trained = where(frame, purpose="train", method="bptt", units=32)
    verdicts = [
        *(_critical(trained, "C1", f"{family} initialisation: critical gap of the tanh RNN below that of {GATED[cell]}",
                    {"cell": "rnn", "init": family}, {"cell": cell, "init": family})
          for family in FAMILIES for cell in GATED),
        *(_order(trained, family, cell) for family in FAMILIES for cell in GATED),
        *(_future(trained, cell, merge) for cell, merge in _bidirectional()),
        *(_past(trained, cell, merge) for cell, merge in _bidirectional()),
        *(_straight(trained, family) for family in FAMILIES),
        *(_forget_product(trained, family, state) for family in FAMILIES for state in PATHS),
        *(_critical(trained, "C23", f"{cell}: critical gap with standard initialisation below that with long initialisation",
                    {"cell": cell, "init": "standard"}, {"cell": cell, "init": "long"}) for cell in CELLS),
    ]
    return settle(verdict for verdict in verdicts if verdict.seeds)


def _bidirectional():
    return [*((cell, "concat") for cell in THREE), ("lstm", "learned")]


def _forward(frame, task="recall/past", **knobs):
    return where(frame, task=task, direction="forward", merge="concat", **knobs)


def _both(frame, task, cell, merge):
    return where(frame, task=task, direction="both", merge=merge, cell=cell, init="long")


def _only(first, second, **more):
    """The axes of two arms, merged: what --only needs to train both."""
    keys = dict.fromkeys([*first, *second])
    return {**{key: tuple(dict.fromkeys([first[key], second[key]])) for key in keys}, **more}


def _critical(frame, claim, statement, lower, upper):
    low, high = (critical_gap(_forward(frame, **arm)) for arm in (lower, upper))
    only = _only(lower, upper, task=("recall/past",), direction=("forward",))
    if low is None or high is None:
        return Verdict(claim, statement, INCONCLUSIVE, "not run", 0, PLANNED_OF_RECALL, only=only)
    p = rank_test(low.reached, high.reached)
    outcome, p = decide((low.apart_below(high), p), (high.apart_below(low), p))
    seeds = min(low.seeds, high.seeds)
    return Verdict(claim, statement, outcome, f"{low} against {high}", seeds, PLANNED_OF_RECALL, p, only=only)


def _order(frame, family, cell):
    def learned(name):
        runs = _forward(frame, "temporal_order/6a", cell=name, init=family, gap=SCALE)
        return int((runs["test_correct"] >= LEARNED * runs["test_n"]).sum()), len(runs)
    rnn, gated = learned("rnn"), learned(cell)
    outcome, p, evidence = all_or_none(rnn, gated, ("RNN", GATED[cell]))
    statement = f"{family} initialisation: temporal order at scale {SCALE} is learned by {GATED[cell]}, not by the tanh RNN"
    return Verdict("C1", statement, outcome, evidence, min(rnn[1], gated[1]), PLANNED, p,
                   only={"task": ("temporal_order/6a",), "cell": ("rnn", cell), "init": (family,), "gap": (SCALE,)})


def _future(frame, cell, merge):
    arms = _forward(frame, "recall/both", cell=cell, init="long"), _both(frame, "recall/both", cell, merge)
    gap = min(set(arms[0]["gap"]) & set(arms[1]["gap"]), default=None)
    forward, both = ((int(runs["solved"].sum()), len(runs)) for runs in (where(arm, gap=gap) for arm in arms))
    outcome, p, evidence = all_or_none(forward, both, ("forward", "both"))
    statement = f"two cues, one on each side: {cell} forward never, in both directions ({merge}) nearly always"
    return Verdict("C14", statement, outcome, evidence, min(forward[1], both[1]), PLANNED, p,
                   only={"task": ("recall/both",), "cell": (cell,), "merge": tuple(dict.fromkeys(["concat", merge])),
                         **({} if gap is None else {"gap": (gap,)})})


def _past(frame, cell, merge):
    runs = _both(frame, "recall/past", cell, merge).merge(
        _forward(frame, cell=cell, init="long"), on=["gap", "seed"], suffixes=("_both", "_forward"))
    runs = runs[runs["solved_both"].astype(bool) | runs["solved_forward"].astype(bool)]
    logs = np.log(runs[["sequences_both", "sequences_forward"]].astype(float)).groupby(runs["seed"]).mean()
    both, forward = np.exp(logs.to_numpy()).T
    statement = f"a past cue: {cell} in both directions ({merge}) needs as many sequences as forward"
    only = {"task": ("recall/past",), "cell": (cell,), "init": ("long",), "gap": tuple(sorted(set(runs["gap"])))}
    ratio = paired_ratio(both, forward)
    if ratio is None:
        return Verdict("C14", statement, INCONCLUSIVE, "fewer than two pairs", len(logs), PLANNED, only=only)
    outcome, p = decide((1 / FACTOR < ratio.low and ratio.high < FACTOR, ratio_p(both, forward, FACTOR, inside=True)),
                        (ratio.high < 1 / FACTOR or ratio.low > FACTOR, ratio_p(both, forward, FACTOR, inside=False)))
    evidence = f"ratio {ratio.ratio:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"
    return Verdict("C14", statement, outcome, evidence, ratio.pairs, PLANNED, p, only=only)


def _before_training(frame, cell, family):
    """(norms before training, one dict a seed, at the arm's largest gap; the axes that train these nets again)."""
    runs = at_largest_gap(_forward(frame, cell=cell, init=family))
    only = {"task": ("recall/past",), "cell": (cell,), "init": (family,), "direction": ("forward",)}
    return [norms["start"] for norms in runs["norms"]], {**only, "gap": tuple(sorted(set(runs["gap"])))}


def _within(values, low, high):
    """(outcome, p, evidence) for "the median lies between low and high", by the order-statistic interval."""
    middle, below, above = median_interval(values)
    inside = sum(low < value < high for value in values)
    outcome, p = decide((below > low and above < high, sign_test(inside, len(values))),
                        (above < low or below > high, sign_test(len(values) - inside, len(values))))
    between = f"[{below:.3f}, {above:.3f}]" if below == below else "(no interval: too few seeds)"
    return outcome, p, f"{middle:.3f} {between}"


def _straight(frame, family):
    seeds, only = _before_training(frame, "rnn", family)
    fits = [fit for norms in seeds if (fit := fit_decay(norms["lag"], norms["h"]))]
    outcome, p, evidence = _within([fit.r2 if fit.slope < 0 else 0.0 for fit in fits], STRAIGHT, np.inf)
    statement = f"{family} initialisation: the gradient of the tanh RNN falls exponentially with the lag"
    return Verdict("C15", statement, outcome, f"R^2 {evidence}", len(fits), PLANNED_OF_RECALL, p, only=only)


def _forget_product(frame, family, state):
    seeds, only = _before_training(frame, "lstm", family)
    fits = [[fit_decay(norms["lag"], norms[name]) for name in (state, "f")] for norms in seeds if state in norms]
    ratios = [path.slope / product.slope for path, product in fits if path and product]
    outcome, p, evidence = _within(ratios, *PRODUCT)
    statement = f"{family} initialisation: {PATHS[state]} falls as the product of its forget gates"
    return Verdict("C15", statement, outcome, f"ratio of slopes {evidence}", len(ratios), PLANNED_OF_RECALL, p, only=only)
