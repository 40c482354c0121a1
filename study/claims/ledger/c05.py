"""C5: chrono initialisation and copying."""

from dataclasses import replace
from math import log

from study.claims.ledger._setup import Setup, power
from study.statistics.arms import more_solve
from study.statistics.verdict import Claim

T = 100
NOW = Setup({"task": "copy", "budget": 128_000},
            {"LSTM, chrono": {"cell": "lstm", "chrono": T}, "LSTM, forget bias 0": {"cell": "lstm", "forget_bias": 0.0},
             "LSTM, forget bias 1": {"cell": "lstm"}, "RNN": {"cell": "rnn"}, "GRU": {"cell": "gru"}}, (T,), 10)
MEMORYLESS = 10 * log(8) / (T + 20)
SETUPS = {"default": (NOW,), "full": (replace(NOW, knobs=NOW.knobs | {"units": 128, "budget": 1_000_000}),)}
CLAIM = Claim(
    "With chrono initialisation an LSTM learns to copy over a long blank, where one with a constant forget bias, a GRU and a tanh RNN stay at the "
    "loss of a net without memory.",
    "Tallec & Ollivier 2018",
    f"Copying over T = {T} blanks, H = 32, at most 128,000 sequences: more seeds with chrono (T_max = {T}) end below a tenth of the "
    f"memoryless loss, {MEMORYLESS:.3g}, than of each other arm (difference of rates, Newcombe's interval above 0; p: Fisher). The paper has "
    "T = 500, 128 units and RMSprop.",
    power=power("rates", NOW.seeds, 4))


def judge(runs):
    chrono, *others = (replace(arm, runs=arm.runs.assign(solved=arm.runs["test_loss"] < MEMORYLESS / 10)) for arm in NOW.of(runs))
    return [NOW.verdict(f"more seeds with chrono than of the {other.name}, learn to copy", more_solve(chrono, other)) for other in others]
