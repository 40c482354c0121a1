"""C1: gated cells go on where a tanh RNN stops."""

from study.claims._protocols import PROTOCOLS
from study.claims.ledger._published import every_run_solves, published
from study.claims.ledger._recall import CELLS, LONG, RECALL, RULE, STANDARD
from study.claims.ledger._setup import Setup, power
from study.statistics.arms import more_solve, reaches_further
from study.statistics.superiority import rank_power
from study.statistics.verdict import Claim

ORDER = Setup(
    knobs={"task": "temporal_order/6a", "budget": 128_000},
    arms={"RNN": {"cell": "rnn"}, "LSTM": {"cell": "lstm"}, "LSTM, forget bias 3": {"cell": "lstm", "forget_bias": 3.0},
          "LSTM of 1997": {"cell": "lstm_1997"}, "GRU": {"cell": "gru"}},
    gaps=(100,), seeds=12)
PAPER = published({"LSTM, temporal order 6a": "temporal_order/6a"}, 10)
SETUPS = {"default": (RECALL, ORDER, PAPER)}
CLAIM = Claim(
    "As the gap grows, a tanh RNN stops learning while gated cells go on.",
    "Hochreiter & Schmidhuber 1997; Bengio, Simard & Frasconi 1994",
    f"{RULE} A seed of the gated cell solves more of the gaps than a seed of the RNN with the same start (probability above one half, "
    "Newcombe's interval; p: Mann-Whitney). Temporal order 6a at its published scale, at most 128,000 sequences: more seeds of the gated "
    "cell solve it than of the RNN (difference of rates, Newcombe's interval above 0; p: Fisher). As published, temporal order 6a: every "
    "run solves it (share of runs, Wilson's interval above one half; p: sign test; one exception decides nothing).",
    power=power(RECALL.seeds, 8, rank_power, 0.9), fidelity=PROTOCOLS["temporal_order/6a"].fidelity)


def judge(runs):
    verdicts = []
    for start in (STANDARD, LONG):
        rnn, *gated = RECALL.of(runs, *(f"{name}, {start}" for name in CELLS))
        verdicts += [RECALL.verdict(f"recall: {arm.name}, reaches further than the RNN", reaches_further(arm, rnn)) for arm in gated]
    rnn, *gated = ORDER.of(runs, *ORDER.arms)
    verdicts += [ORDER.verdict(f"temporal order: more seeds of the {arm.name} solve it than of the RNN", more_solve(arm, rnn)) for arm in gated]
    return [*verdicts, every_run_solves(PAPER, runs, *PAPER.arms, "temporal_order/6a")]
