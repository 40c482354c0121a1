"""C13: reset before or after the product."""

from study.claims.ledger._recall import FAR, KNOBS, LONG, STARTS
from study.claims.ledger._setup import FACTOR, Setup, at, power
from study.statistics.arms import same_cost
from study.statistics.verdict import Claim

ARMS = {"reset before": {"cell": "gru"}, "reset after": {"cell": "gru_after"}}
TASKS = {"recall": Setup(KNOBS | STARTS[LONG], ARMS, (100, FAR), 22),
         "temporal order": Setup({"task": "temporal_order/6a", "budget": 128_000}, ARMS, (50,), 22)}
SETUPS = {"default": tuple(TASKS.values())}
CLAIM = Claim(
    "It makes no difference whether a GRU's reset gate comes before or after the product.",
    "an open question; Cho et al. 2014 have both forms",
    "Recall over gaps 100 and 200 (long start, horizon 200), and temporal order 6a at half of its published scale (standard start), H = 32, at most "
    f"128,000 sequences: the ratio of sequences, without the window of the pass rule, lies within a factor of {FACTOR} (geometric means, unsolved = budget, "
    "Welch's interval).",
    power=power("equal", 22, 3))


def judge(runs):
    return [setup.verdict(f"{what} at {gap}: both forms need as many sequences", same_cost(*(at(arm, gap) for arm in setup.of(runs)), FACTOR))
            for what, setup in TASKS.items() for gap in setup.gaps]
