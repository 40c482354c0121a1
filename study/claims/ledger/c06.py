"""C6: a forget bias of 1 or more."""

from study.claims.ledger._recall import GAPS, KNOBS, RECALL, RULE, STANDARD
from study.claims.ledger._setup import Setup, power
from study.statistics.arms import reaches_further
from study.statistics.verdict import Claim

OTHERS = Setup(KNOBS, {f"forget bias {bias}": {"cell": "lstm", "forget_bias": float(bias)} for bias in (0, 3)}, GAPS, RECALL.seeds)
SETUPS = {"default": (RECALL, OTHERS)}
CLAIM = Claim(
    "An LSTM with a forget bias of 1 or more learns longer gaps than one with a forget bias of 0.",
    "Gers, Schmidhuber & Cummins 2000; Jozefowicz, Zaremba & Sutskever 2015",
    f"{RULE} A seed with forget bias 1, and one with 3, solves more of the gaps than a seed with 0 (probability above one half, Newcombe's "
    "interval; p: Mann-Whitney).",
    power=power("ranks", RECALL.seeds, 2))


def judge(runs):
    zero, three = OTHERS.of(runs)
    one, = RECALL.of(runs, f"LSTM, {STANDARD}")
    return [OTHERS.verdict(f"forget bias {bias} reaches further than 0", reaches_further(arm, zero)) for bias, arm in ((1, one), (3, three))]
