"""C7: a forget bias of 5 against 1."""

from study.claims.ledger._setup import Setup, power
from study.statistics.arms import bounded, faster
from study.statistics.verdict import Claim

NOW = Setup({"task": "temporal_order/6b", "cell": "lstm", "budget": 256_000},
            {"forget bias 5": {"forget_bias": 5.0}, "forget bias 1": {}}, (100,), 12)
SETUPS = {"default": (NOW,)}
CLAIM = Claim(
    "A forget bias of 5 learns temporal order with three symbols about three times as fast as one of 1.",
    "Gers, Schmidhuber & Cummins 2000",
    "Temporal order 6b at its published scale, H = 32, at most 256,000 sequences: a seed with forget bias 5 needs fewer sequences than one "
    "with 1 (probability above one half, Newcombe's interval; p: Mann-Whitney), and less than half of them, without the window of the pass rule (at "
    "least 90 % of the seeds solve both; ratio of geometric means, Welch's interval).",
    power=power("ranks", NOW.seeds, 2))


def judge(runs):
    five, one = NOW.of(runs)
    return [NOW.verdict("a forget bias of 5 needs fewer sequences than one of 1", faster(five, one)),
            NOW.verdict("a forget bias of 5 needs less than half of the sequences", bounded(five, one, 1 / 2))]
