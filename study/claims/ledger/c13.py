"""C13: reset before or after the product."""

from study.claims.ledger._recall import FAR
from study.claims.ledger._setup import Setup, power
from study.statistics.arms import same_cost
from study.statistics.superiority import rank_power
from study.statistics.verdict import Claim

FACTOR = 1.5
ARMS = {"reset before": {"cell": "gru"}, "reset after": {"cell": "gru_after"}}
RECALL = Setup(knobs={"task": "recall/past", "init": "long", "horizon": FAR, "budget": 64_000}, arms=ARMS, gaps=(100,), seeds=22)
ORDER = Setup(knobs={"task": "temporal_order/6a", "budget": 64_000}, arms=ARMS, gaps=(50,), seeds=22)
SETUPS = {"default": (RECALL, ORDER)}
CLAIM = Claim(
    "It makes no difference whether a GRU's reset gate comes before or after the product.",
    "an open question; Cho et al. 2014 have both forms",
    "Recall over gap 100 (long start, horizon 400), and temporal order 6a at half of its published scale, H = 32, at most 64,000 sequences: "
    f"the ratio of sequences lies within a factor of {FACTOR} (geometric means, unsolved = budget, Welch's interval).",
    power=power(RECALL.seeds, 2, rank_power, 0.9))


def judge(runs):
    return [RECALL.verdict("recall: both forms need as many sequences", same_cost(*RECALL.of(runs, *ARMS), FACTOR)),
            ORDER.verdict("temporal order: both forms need as many sequences", same_cost(*ORDER.of(runs, *ARMS), FACTOR))]
