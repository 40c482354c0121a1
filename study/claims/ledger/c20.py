"""C20: multiplication against adding."""

from study.claims._protocols import PROTOCOLS
from study.claims.ledger import c02
from study.claims.ledger._published import published
from study.claims.ledger._setup import power
from study.statistics.arms import bounded
from study.statistics.superiority import rank_power
from study.statistics.verdict import Claim

ADDING = c02.PAPER["adding/hs97/100/linear"]
RULES = {140: 3, 13: 8}
"""{wrong sequences that the rule allows: by which factor at least multiplication takes longer}, half of what was published"""
MULTIPLICATION = {wrong: published({f"multiplication, {wrong} wrong": f"multiplication/{wrong}/100/linear"}, ADDING.seeds, budget=5_000_000) for wrong in RULES}
SETUPS = {"default": (ADDING, *MULTIPLICATION.values())}
CLAIM = Claim(
    "To multiply two numbers takes an LSTM many times the sequences of adding them: 6 times with a loose pass rule, 17 times with a strict one.",
    "Hochreiter & Schmidhuber 1997, experiments 4 and 5",
    "As published, T = 100, with a linear output, at most 5,000,000 sequences for multiplication: adding needs less than a third of the sequences of "
    "multiplication with 140 wrong, and less than an eighth of those with 13 wrong (at least 90 % of the seeds solve both; ratio of geometric means, "
    "Welch's interval).",
    power=power(ADDING.seeds, 2, rank_power, 0.9), fidelity=PROTOCOLS["multiplication/13/100/linear"].fidelity)


def judge(runs):
    adding, = ADDING.of(runs, *ADDING.arms)
    return [setup.verdict(f"adding needs less than 1/{RULES[wrong]} of the sequences of multiplication with {wrong} wrong",
                          bounded(adding, *setup.of(runs, *setup.arms), 1 / RULES[wrong])) for wrong, setup in MULTIPLICATION.items()]
