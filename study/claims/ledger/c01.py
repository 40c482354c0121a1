"""C1: gated cells go on where a tanh RNN stops."""

from study.claims.ledger._published import every_run_solves, published
from study.claims.ledger._recall import CELLS, LONG, RECALL, RULE, STANDARD
from study.claims.ledger._setup import Setup, power
from study.statistics.arms import more_solve, reaches_further
from study.statistics.verdict import Claim

ORDER = Setup({"task": "temporal_order/6a", "budget": 128_000},
              {"RNN": {"cell": "rnn"}, "LSTM": {"cell": "lstm"}, "LSTM with forget bias 3": {"cell": "lstm", "forget_bias": 3.0},
               "LSTM of 1997": {"cell": "lstm_1997"}, "GRU": {"cell": "gru"}}, (100,), 12)
PAPER = published("LSTM, temporal order 6a", "temporal_order/6a", 10)
SETUPS = {"default": (RECALL, ORDER, PAPER)}
CLAIM = Claim(
    "As the gap grows, a tanh RNN stops learning while gated cells go on.",
    "Hochreiter & Schmidhuber 1997; Bengio, Simard & Frasconi 1994",
    f"{RULE} A seed of the gated cell solves more of the gaps than a seed of the RNN with the same start (probability above one half, "
    "Newcombe's interval; p: Mann-Whitney). Temporal order 6a at its published scale, at most 128,000 sequences: more seeds of the gated "
    "cell solve it than of the RNN (difference of rates, Newcombe's interval above 0; p: Fisher). As published, temporal order 6a: every "
    "run solves it (share of runs, Wilson's interval above one half; p: sign test; one exception decides nothing).",
    power=power("ranks", RECALL.seeds, 8),
    note="After this claim had been judged, searches that had ended at an edge of the learning rates went on: no chosen rate changed, and "
         "four comparisons are no longer untuned.")


def judge(runs):
    verdicts = []
    for start in (STANDARD, LONG):
        rnn, *gated = RECALL.of(runs, *(f"{name}, {start}" for name in CELLS))
        verdicts += [RECALL.verdict(f"recall: {arm.name}, reaches further than the RNN", reaches_further(arm, rnn)) for arm in gated]
    rnn, *gated = ORDER.of(runs)
    verdicts += [ORDER.verdict(f"temporal order: more seeds of the {arm.name} solve it than of the RNN", more_solve(arm, rnn)) for arm in gated]
    return [*verdicts, every_run_solves(PAPER, runs, "temporal_order/6a")]
