"""Why do gradients vanish? Probes of untrained nets: twenty cells, several initialisations, lags to 1,000.

C16, whether the slope predicts the gap that will be learned, needs trained
nets and is not judged here. `gap` (C15) judges whether the gradient falls along a line.
"""

import numpy as np

from kernels import CELLS
from study.records.table import at_largest_gap, where
from study.statistics.arms import all_nets, nets_within
from study.statistics.decay import fit_decay
from study.statistics.verdict import Claim, Verdict, settle

CLAIM = (
    "The gradient of a recurrent net falls exponentially with the lag, at a rate that its Jacobian sets (Hochreiter "
    "1991; Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013); a memory behind a forget gate slows the "
    "fall to the time constant of its gates (Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000), which "
    "initial biases set (Tallec & Ollivier 2018)."
)

REWRITTEN = "the rule was restated when the trials were known"
CLAIMS = {
    "C15b": Claim(
        "The rate at which the gradient of a tanh RNN falls is set by its Jacobian.",
        "Hochreiter 1991; Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013",
        "Untrained nets, lags to the plan's largest. For each initialisation the log norm of dL/dh (median over 32 sequences) "
        "falls along a line (interval of the seeds' median R^2 above 0.95), and its slope is the leading Lyapunov exponent of the "
        "same net (interval of the median ratio inside 0.9 to 1.1). Gradients are made of the same Jacobians as the exponent, so "
        "agreement is expected; the exponent is taken along another sequence, so that it can fail.",
        REWRITTEN),
    "C17": Claim(
        "Where the largest singular value of U is below 1, the gradient of a tanh RNN vanishes: d state_t / d "
        "state_{t-k} is at most its k-th power (so is that of a ReLU RNN).",
        "Pascanu, Mikolov & Bengio 2013",
        "A theorem, so a check of the probes: in every net, at every k, the largest singular value of the Jacobian is "
        "at most that of U to the power k, and the leading exponent at most its logarithm, to the five digits that are "
        "kept. One net that breaks the bound leaves it undecided; most nets would speak against the program, not against the "
        "theorem.",
        REWRITTEN),
}

INITS = ["standard", "long"]
TWENTY = ["rnn", "lstm", "peephole", "coupled", "gru", "gru_after", "rnn_relu", "lstm_1997", "nig", "nfg", "nog", "niaf", "noaf",
          "coupled_peephole", "mgu", "janet", "fgr", "mut1", "mut2", "mut3"]
GATED = [name for name in TWENTY if CELLS[name].retains]
RATIO, STRAIGHT = (0.9, 1.1), (0.95, np.inf)
DIGITS = 1e-5  # relative precision of recorded numbers
PLANNED = 10
NETS = {"rnn": 3 * PLANNED, "rnn_relu": 8}


def _grids(cells, gap, seeds, others=None, inits=INITS, knobs=()):
    """Grids: the families of initialisations with `seeds` seeds; orthogonal U (gated cells) and identity U with `others`."""
    def grid(name, cells, seeds, **axes):
        return {"name": name, "seeds": seeds, "axes": {"cell": cells, "gap": [gap], **axes, **dict(knobs)}}
    others = others or seeds
    crossed = [grid("identity", cells, others, scheme=["identity"])]
    if gated := [cell for cell in cells if cell in GATED]:
        crossed.insert(0, grid("orthogonal, forget bias 1", gated, others, scheme=["orthogonal"]))
    return [grid("families of starts", cells, seeds, init=inits), *crossed]


def _tanh(grids, seeds):
    return [grid | {"name": f"tanh RNN, {grid['name']}", "seeds": seeds} for grid in grids]


PRESETS = {
    "quick": {
        "title": "Why do gradients vanish? A first look",
        "knobs": {"method": "probe"},
        "grids": _grids(["rnn", "lstm", "gru"], 200, 2),
    },
    "default": {
        "title": "Why do gradients vanish, and what slows it?",
        "knobs": {"method": "probe"},
        "grids": [*_grids(TWENTY, 1000, 3, others=2), *_tanh(_grids(["rnn"], 1000, PLANNED), PLANNED)],
    },
    "full": {
        "title": "Why do gradients vanish, and what slows it? Wider nets, and nets that have learned",
        "knobs": {"method": "probe"},
        "grids": [
            *_grids(TWENTY, 1000, 10),
            *_grids(["rnn", "lstm", "gru"], 1000, 5, knobs={"units": [128]}),
            {"name": "over training", "seeds": 5, "axes": {
                "cell": ["rnn", "lstm", "peephole", "gru"], "init": INITS, "gap": [100], "lr": [0.003],
                "after": [3200, 12_800, 51_200]}},
        ],
    },
}

TAKES = {"quick": "a few seconds", "default": "under a minute", "full": "about 4 minutes"}
"""Estimates for two cores with AVX2; `default` took 32 s there."""


def judge(frame, _choices):
    """Verdicts on C15b and C17 from fresh nets of 32 units, Holm-corrected within each claim.

    A comparison of which the frame has no trials is left out.

    Parameters
    ----------
    frame : DataFrame, one row a trial, as `study.load` gives it.
    """
    fresh = where(frame, method="probe", after=0, units=32, status="done")
    slopes = (verdict for init in dict.fromkeys(fresh["init"]) for verdict in _slope(fresh, init))
    return settle([*slopes, *(_bound(fresh, cell) for cell in NETS)])


def _probes(runs):
    return list(at_largest_gap(runs)["probe"])


def _leading(probe):
    """The leading exponent; -infinity where no change of the states survives."""
    exponent = probe["lyapunov"][0]
    return -np.inf if exponent is None else exponent


def _slope(frame, init):
    probes = _probes(where(frame, cell="rnn", init=init))
    fits = [(fit, _leading(probe)) for probe in probes if (fit := fit_decay(probe["norms"]["lag"], probe["norms"]["h"]))]
    start = f"{init} initialisation: the gradient of the tanh RNN"
    lines, ratios = [fit.r2 for fit, _ in fits], [fit.slope / exponent for fit, exponent in fits]
    return [Verdict("C15b", f"{start} falls along a line", nets_within("R^2", lines, STRAIGHT), PLANNED, {"cell": ("rnn",)}),
            Verdict("C15b", f"{start} falls by its leading Lyapunov exponent", nets_within("slope over exponent", ratios, RATIO),
                    PLANNED, {"cell": ("rnn",)})]


def _bound(frame, cell):
    held = [keeps_the_bound(probe) for probe in _probes(where(frame, cell=cell))]
    return Verdict("C17", f"{CELLS[cell].title}: no Jacobian exceeds the bound by the largest singular value of U",
                   all_nets("share that keeps the bound", held), NETS[cell], {"cell": (cell,)})


def keeps_the_bound(probe):
    """Whether the net keeps the bound at every k, and its leading exponent does."""
    bound = np.log(max(probe["U"].values()))
    logs = [(lag, np.log(values[0])) for lag, values in zip(*probe["jacobian"].values(), strict=True) if values[0]]
    return _leading(probe) <= bound + DIGITS and all(log <= lag * (bound + DIGITS) + DIGITS for lag, log in logs)
