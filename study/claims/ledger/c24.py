"""C24: sensitivity to parameters."""

from math import log

from study.claims.ledger._setup import Setup, power
from study.statistics.arms import nets_within
from study.statistics.decay import fit_decay
from study.statistics.verdict import Claim

HORIZONS, SEEDS, KEPT = (25, 50, 100, 200, 400), 22, 10.0
IRNN, GRU, MINGRU = "IRNN", "GRU", "minGRU"
PROBES = [Setup({"task": "recall/past", "method": "probe"},
                {IRNN: {"cell": "rnn_relu", "scheme": "identity"}, GRU: {"cell": "gru", "init": "long", "horizon": horizon},
                 MINGRU: {"cell": "mingru", "init": "long", "horizon": horizon}}, (horizon,), SEEDS) for horizon in HORIZONS]
SETUPS = {"default": tuple(PROBES)}
CLAIM = Claim(
    "As a net's memory grows, its loss grows more sensitive to its weights, even where gradients neither vanish nor explode; element-wise "
    "recurrence mitigates this.",
    "Zucchet & Orvieto 2024 (abstract)",
    "Recall over gaps 25, 50, 100, 200 and 400, H = 32, before training. Memory grows with the gap: the IRNN (U = identity, ReLU) keeps its "
    "states to any gap, GRU and minGRU have chrono biases with the gap as their horizon. Sensitivity: the norm of the gradient by all weights of the "
    f"layer over that by the last h. Only nets count in which |dL/dh| at the largest lag is within a factor of {KEPT:g} of that at lag 0, at every gap. "
    "Grows: the interval of the nets' median slope of log sensitivity against log gap lies above 0. Mitigates: that slope of the "
    "minGRU, whose states do not mix, is smaller than that of the IRNN and of the GRU of the same seed (interval of the median difference "
    "above 0). p: sign test.",
    power=power("nets", SEEDS, 4),
    note="After the trials the words of this rule on what the nets' memory is were mended; what is compared was not changed.")
UP = (0.0, float("inf"))


def judge(runs):
    slopes = {name: _slopes(runs, name) for name in (IRNN, GRU, MINGRU)}
    grow = [PROBES[0].verdict(f"{name}: sensitivity grows with the memory", nets_within("slope", [*slopes[name].values()], UP)) for name in (IRNN, GRU)]
    less = [PROBES[0].verdict(f"sensitivity of the minGRU grows less than that of the {name}",
                              nets_within("difference of slopes", _differences(slopes[name], slopes[MINGRU]), UP)) for name in (IRNN, GRU)]
    return grow + less


def _differences(dense, element_wise):
    return [slope - element_wise[seed] for seed, slope in dense.items() if seed in element_wise]


def _slopes(runs, name):
    """{seed: slope of log sensitivity against log gap} of the nets whose gradients are kept at every gap."""
    found = {}
    for setup in PROBES:
        arm, = setup.of(runs, name)
        for seed, probe in zip(arm.runs["seed"], arm.runs["probe"], strict=True):
            found.setdefault(seed, []).append(_sensitivity(probe))
    whole = {seed: values for seed, values in found.items() if len(values) == len(HORIZONS) and None not in values}
    return {seed: fit_decay([log(horizon) for horizon in HORIZONS], values).slope for seed, values in whole.items()}


def _sensitivity(probe):
    """|dL/dtheta| over |dL/dh| at lag 0; None where |dL/dh| vanishes or explodes on the way back."""
    here, far = probe["norms"]["h"][0], probe["norms"]["h"][-1]
    kept = here and far and 1 / KEPT <= far / here <= KEPT
    return probe["weights"] / here if kept and probe["weights"] else None
