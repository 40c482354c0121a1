"""C8: without a forget gate, single strings but no streams."""

from study.claims.ledger._setup import Setup, power
from study.statistics.arms import all_nets, more_solve
from study.statistics.verdict import Claim

ARMS = {"with forget gate": {"cell": "lstm"}, "without": {"cell": "lstm_1997"}}
SINGLE = Setup({"task": "reber", "budget": 64_000}, ARMS, (0,), 12)
STREAMS = Setup({"task": "reber_continual", "budget": 9_600}, ARMS, (1000,), 12)
SETUPS = {"default": (SINGLE, STREAMS)}
CLAIM = Claim(
    "Without a forget gate an LSTM learns single strings, but no stream of them without a reset.",
    "Gers, Schmidhuber & Cummins 2000",
    "Embedded Reber strings, H = 32. One by one, at most 64,000: every seed without a forget gate solves them (share of seeds, Wilson's interval above "
    "one half; p: sign test; one exception decides nothing). In streams of 1,000 symbols, at most 9,600 streams: more seeds with a forget gate get "
    "ten streams in a row right than without (difference of rates, Newcombe's interval above 0; p: Fisher).",
    power=power("rates", STREAMS.seeds, 2))


def judge(runs):
    single, = SINGLE.of(runs, "without")
    return [SINGLE.verdict("without a forget gate, single strings are learned",
                           all_nets("share of seeds that solve them", list(single.runs["solved"].eq(True)))),
            STREAMS.verdict("more seeds with a forget gate than without learn streams", more_solve(*STREAMS.of(runs)))]
