"""C11: full gate recurrence."""

from study.claims.ledger._setup import FACTOR, power
from study.claims.ledger._variants import RULE, SEEDS, VARIANTS
from study.statistics.arms import bounded
from study.statistics.verdict import Claim

SETUPS = {"default": tuple(VARIANTS.values())}
CLAIM = Claim(
    "Nine further recurrent matrices between the gates of an LSTM gain nothing.",
    "Greff et al. 2017 (from memory)",
    f"{RULE} It needs less than {FACTOR} times the sequences of the same with full gate recurrence, without the window of the pass rule (at least 90 % of the "
    "seeds solve it with both; ratio of geometric means, Welch's interval).",
    power=power("ratio", SEEDS, 2))


def judge(runs):
    return [setup.verdict(f"{what}: full gate recurrence gains nothing", bounded(*setup.of(runs, "vanilla", "full gate recurrence"), FACTOR))
            for what, setup in VARIANTS.items()]
