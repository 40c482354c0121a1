"""C12: GRU against LSTM."""

from study.claims.ledger._recall import LONG, RECALL, RULE
from study.claims.ledger._setup import Setup, at, power
from study.statistics.arms import more_solve, same_cost
from study.statistics.verdict import Claim

FACTOR = 1.5
PAIR = Setup(RECALL.knobs, {cell: RECALL.arms[f"{cell}, {LONG}"] for cell in ("GRU", "LSTM")}, gaps=(100,), seeds=22)
SETUPS = {"default": (RECALL, PAIR)}
CLAIM = Claim(
    "Neither GRU nor LSTM wins clearly; both are far ahead of a tanh RNN.",
    "Chung et al. 2014",
    f"{RULE} Long start. Gap 100: the ratio of sequences of GRU and LSTM lies within a factor of {FACTOR} (geometric means, unsolved = budget, "
    "Welch's interval). Gap 400: more seeds of each solve it than of the RNN (difference of rates, Newcombe's interval above 0; p: Fisher).",
    power=power(RECALL.seeds, 3, worth=(0.9, 0.1)))


def judge(runs):
    gru, lstm, rnn = (at(arm, RECALL.gaps[-1]) for arm in RECALL.of(runs, *(f"{cell}, {LONG}" for cell in ("GRU", "LSTM", "RNN"))))
    return [PAIR.verdict("GRU and LSTM need as many sequences", same_cost(*PAIR.of(runs, "GRU", "LSTM"), FACTOR)),
            *(RECALL.verdict(f"more seeds of the {arm.name}, than of the RNN solve the largest gap", more_solve(arm, rnn))
              for arm in (gru, lstm))]
