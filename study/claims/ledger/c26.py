"""C26: attention makes the gap irrelevant."""

from study.claims.ledger._recall import FAR, NEAR, RECALL, RULE, STANDARD
from study.claims.ledger._setup import Setup, at, power
from study.statistics.arms import bounded, more_solve
from study.statistics.verdict import Claim

BOUND = 2
SEEING = Setup(RECALL.knobs, {"RNN with attention": {"cell": "rnn", "head": "attention"}}, RECALL.gaps, RECALL.seeds)
SETUPS = {"default": (RECALL, SEEING)}
CLAIM = Claim(
    "An attention head makes the gap irrelevant: a tanh RNN with one solves recall at any gap.",
    "Bahdanau, Cho & Bengio 2015; the tutorials",
    f"{RULE} Standard start, additive attention. At gap 200 more seeds of the RNN solve it with attention than without (difference of rates, "
    f"Newcombe's interval above 0; p: Fisher); with attention, gap {FAR} needs less than {BOUND} times the sequences of gap 25 (at least 90 % of the seeds "
    "solve both; ratio of geometric means, Welch's interval).",
    power=power("rates", RECALL.seeds, 2))


def judge(runs):
    seeing, = SEEING.of(runs, *SEEING.arms)
    without, = RECALL.of(runs, f"RNN, {STANDARD}")
    return [SEEING.verdict(f"gap {FAR}: more seeds of the RNN solve it with attention than without", more_solve(at(seeing, FAR), at(without, FAR))),
            SEEING.verdict(f"with attention, gap {FAR} needs less than {BOUND} times the sequences of gap 25",
                           bounded(*(at(seeing, gap, name=f"gap {gap}") for gap in (FAR, NEAR)), BOUND))]
