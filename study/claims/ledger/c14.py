"""C14: both directions."""

from study.claims.ledger._setup import FACTOR, Setup, power
from study.statistics.arms import more_solve, same_cost
from study.statistics.verdict import Claim

NAMES = {"lstm": "LSTM", "gru": "GRU"}
ARMS = {f"{NAMES[cell]}, {way}": {"cell": cell, "direction": direction}
        for cell in NAMES for way, direction in (("both directions", "both"), ("forward", "forward"))}
PAST, FUTURE = (Setup(knobs={"task": f"recall/{side}", "init": "long", "horizon": 100, "budget": 64_000}, arms=ARMS, gaps=(50,), seeds=seeds)
                for side, seeds in (("past", 22), ("future", 12)))
SETUPS = {"default": (PAST, FUTURE)}
CLAIM = Claim(
    "A net of both directions is decisive where the answer lies in the future, and worth nothing where it lies in the past.",
    "Schuster & Paliwal 1997; Graves & Schmidhuber 2005",
    "Recall over gap 50, H = 32, long start with a horizon of 100, at most 64,000 sequences. Cue in the future: more seeds of both directions "
    "solve it than forward (difference of rates, Newcombe's interval above 0; p: Fisher); that no forward net can is a theorem, so only the rate of "
    f"both directions is measured. Cue in the past: the ratio of sequences, without the window of the pass rule, lies within a factor of {FACTOR} (geometric means, unsolved = "
    "budget, Welch's interval).",
    power=power("equal", PAST.seeds, 4))


def judge(runs):
    verdicts = []
    for name in NAMES.values():
        pair = f"{name}, both directions", f"{name}, forward"
        verdicts.append(FUTURE.verdict(f"cue in the future: more {name}s of both directions than forward solve it",
                                       more_solve(*FUTURE.of(runs, *pair))))
        verdicts.append(PAST.verdict(f"cue in the past: {name}s of both directions need as many sequences as forward",
                                     same_cost(*PAST.of(runs, *pair), FACTOR)))
    return verdicts
