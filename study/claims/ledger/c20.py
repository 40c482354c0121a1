"""C20: multiplication against adding."""

from dataclasses import replace

from study.claims.ledger import c02
from study.claims.ledger._published import published
from study.claims.ledger._setup import power
from study.statistics.arms import bounded
from study.statistics.verdict import PUBLISHED, Claim

ADDING = c02.PAPER["adding/hs97/100/linear"]
RATE = 0.05  # of multiplication as published, which is a fifth of that of adding
SLOW = published("adding at the rate of multiplication", "adding/hs97/100/linear", ADDING.seeds, lr=RATE)
RULES = {140: 3, 13: 8}
"""{wrong sequences that the rule allows: by which factor at least multiplication takes longer}, half of what was published"""
MULTIPLICATION = {wrong: published(f"multiplication, {wrong} wrong", f"multiplication/{wrong}/100/linear", ADDING.seeds, budget=5_000_000) for wrong in RULES}
SETUPS = {"default": (ADDING, SLOW, *MULTIPLICATION.values())}
CLAIM = Claim(
    "To multiply two numbers takes an LSTM many times the sequences of adding them: 6 times with a loose pass rule, 17 times with a strict one.",
    "Hochreiter & Schmidhuber 1997, experiments 4 and 5",
    "As published, T = 100, with a linear output, at most 5,000,000 sequences for multiplication: adding needs less than a third of the sequences of "
    "multiplication with 140 wrong, and less than an eighth of those with 13 wrong (at least 90 % of the seeds solve both; ratio of geometric "
    "means without the window of the pass rule, Welch's interval). The paper adds at five times the learning rate of multiplication: so both are judged again "
    "with adding at that of multiplication.",
    power=power("ratio", ADDING.seeds, 4))


def judge(runs):
    return [_verdict(runs, setup, wrong, multiplication) for setup in (ADDING, SLOW) for wrong, multiplication in MULTIPLICATION.items()]


def _verdict(runs, setup, wrong, multiplication):
    adding, = setup.of(runs)
    verdict = multiplication.verdict(
        f"{adding.name} needs less than 1/{RULES[wrong]} of the sequences of multiplication with {wrong} wrong",
        bounded(adding, *multiplication.of(runs), 1 / RULES[wrong]), adding)
    return replace(verdict, fidelity=_of_both(setup, multiplication))


def _of_both(first, second):
    """How two Setups follow their protocols: an aspect is as published only if both follow it."""
    pairs = zip(first.fidelity, second.fidelity, strict=True)
    return tuple((aspect, "; ".join(sorted({one, other} - {PUBLISHED})) or PUBLISHED) for (aspect, one), (_, other) in pairs)
