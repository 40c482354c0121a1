"""C23: initialisation against cell."""

from study.claims.ledger._recall import CELLS, GAPS, KNOBS, LONG, RECALL, RULE, STANDARD
from study.claims.ledger._setup import Setup, power
from study.statistics.arms import reaches_further
from study.statistics.verdict import Claim

CROSSED = Setup(KNOBS, {"LSTM, orthogonal U": {"cell": "lstm", "scheme": "orthogonal"}}, GAPS, RECALL.seeds)
SETUPS = {"default": (RECALL, CROSSED)}
CLAIM = Claim(
    "Initialisation decides as much as the cell: with standard initialisation an LSTM forgets too.",
    "Tallec & Ollivier 2018; Le, Jaitly & Hinton 2015",
    f"{RULE} A seed with long start solves more of the gaps than a seed of the same cell with standard start, and an LSTM with orthogonal U more "
    "than one with uniform U, both with forget bias 1; the RNN with long start solves more than the LSTM with standard start (probability "
    "above one half, Newcombe's interval; p: Mann-Whitney).",
    power=power("ranks", RECALL.seeds, 5))


def judge(runs):
    long, standard = (dict(zip(CELLS, RECALL.of(runs, *(f"{name}, {start}" for name in CELLS)))) for start in (LONG, STANDARD))
    orthogonal, = CROSSED.of(runs, *CROSSED.arms)
    pairs = [*((long[name], standard[name]) for name in CELLS), (orthogonal, standard["LSTM"]), (long["RNN"], standard["LSTM"])]
    return [RECALL.verdict(f"{one.name}, reaches further than {two.name}", reaches_further(one, two)) for one, two in pairs]
