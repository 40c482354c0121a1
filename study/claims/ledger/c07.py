"""C7: a forget bias of 5 against 1."""

from study.claims.ledger._setup import Setup, power
from study.statistics.arms import faster
from study.statistics.superiority import rank_power
from study.statistics.verdict import Claim

NOW = Setup(knobs={"task": "temporal_order/6b", "cell": "lstm", "budget": 256_000},
            arms={"forget bias 5": {"forget_bias": 5.0}, "forget bias 1": {}}, gaps=(100,), seeds=12)
SETUPS = {"default": (NOW,)}
CLAIM = Claim(
    "A forget bias of 5 learns temporal order with three symbols faster than one of 1, about three times as fast.",
    "Gers, Schmidhuber & Cummins 2000",
    "Temporal order 6b at its published scale, H = 32, at most 256,000 sequences: a seed with forget bias 5 needs fewer sequences than one "
    "with 1 (probability above one half, Newcombe's interval; p: Mann-Whitney). The ratio of sequences stands beside it, without a rule.",
    power=power(NOW.seeds, 1, rank_power, 0.9))


def judge(runs):
    return [NOW.verdict("a forget bias of 5 needs fewer sequences than one of 1", faster(*NOW.of(runs, *NOW.arms)))]
