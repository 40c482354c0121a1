"""C11: full gate recurrence."""

from study.claims.ledger._variants import SETUPS, VARIANTS, vanilla_and  # noqa: F401
from study.claims.ledger._setup import power
from study.statistics.arms import bounded
from study.statistics.superiority import rank_power
from study.statistics.verdict import Claim

FACTOR = 1.5
CLAIM = Claim(
    "Nine further recurrent matrices between the gates of an LSTM gain nothing.",
    "Greff et al. 2017 (from memory)",
    "Recall over gap 50, and temporal order 6a at half of its published scale, H = 32, at most 64,000 sequences: the LSTM with peepholes "
    f"needs less than {FACTOR} times the sequences of the same with full gate recurrence (geometric means, unsolved = budget, Welch's interval).",
    power=power(VARIANTS[0].seeds, 2, rank_power, 0.9))


def judge(runs):
    return [setup.verdict(f"{setup.knobs['task'].split('/')[0].replace('_', ' ')}: full gate recurrence gains nothing",
                          bounded(*vanilla_and(setup, runs, "full gate recurrence"), FACTOR)) for setup in VARIANTS]
