"""C12: GRU against LSTM."""

from study.claims.ledger._recall import CELLS, FAR, KNOBS, LONG, RECALL, RULE, STANDARD, STARTS
from study.claims.ledger._setup import FACTOR, Setup, at, power
from study.statistics.arms import more_solve, same_cost
from study.statistics.verdict import Claim

PAIRS = {start: Setup(KNOBS, {cell: {"cell": CELLS[cell]} | STARTS[start] for cell in ("GRU", "LSTM")}, gaps, 22)
         for start, gaps in ((STANDARD, (50,)), (LONG, (100, 200)))}
SETUPS = {"default": (RECALL, *PAIRS.values())}
CLAIM = Claim(
    "Neither GRU nor LSTM wins clearly; both are far ahead of a tanh RNN.",
    "Chung et al. 2014",
    f"{RULE} Gap 50 with standard start, gaps 100 and 200 with long start: the ratio of sequences of GRU and LSTM, without the window of the pass rule, lies within a "
    f"factor of {FACTOR} (geometric means, unsolved = budget, Welch's interval). Gap 200, long start: more seeds of each solve it than of the RNN "
    "(difference of rates, Newcombe's interval above 0; p: Fisher).",
    power=power("equal", 22, 5))


def judge(runs):
    verdicts = [setup.verdict(f"{start}, gap {gap}: GRU and LSTM need as many sequences", same_cost(*(at(arm, gap) for arm in setup.of(runs)), FACTOR))
                for start, setup in PAIRS.items() for gap in setup.gaps]
    gru, lstm, rnn = (at(arm, FAR) for arm in RECALL.of(runs, *(f"{cell}, {LONG}" for cell in ("GRU", "LSTM", "RNN"))))
    return verdicts + [RECALL.verdict(f"gap {FAR}: more seeds of the {arm.name}, than of the RNN solve it", more_solve(arm, rnn)) for arm in (gru, lstm)]
