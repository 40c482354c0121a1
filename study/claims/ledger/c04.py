"""C4: two sequences that differ in their first symbol only."""

from study.claims.ledger._setup import Setup, power
from study.statistics.arms import more_solve
from study.statistics.verdict import Claim

ARMS = {"LSTM, long start": {"cell": "lstm", "init": "long", "horizon": 50}, "LSTM of 1997": {"cell": "lstm_1997"},
        "RNN, uniform U": {"cell": "rnn"}, "RNN, orthogonal U": {"cell": "rnn", "init": "long", "horizon": 50}}
NOW = Setup({"task": "lag_free", "budget": 64_000}, ARMS, (50,), 12)
QUICK = Setup({"task": "lag_free", "budget": 120_000, "lr": 0.003}, ARMS, (30,), 3)
SETUPS = {"default": (NOW,), "quick": (QUICK,)}
CLAIM = Claim(
    "An LSTM learns to tell two long sequences apart by their first symbol; a tanh RNN does not.",
    "Hochreiter & Schmidhuber 1997, experiment 2a",
    "Experiment 2a with p = 50 (the paper: 100), H = 32, at most 64,000 sequences: more seeds of each LSTM solve it than of each RNN (difference of "
    "rates, Newcombe's interval above 0; p: Fisher). Not as published: the paper's outputs also see the inputs. The preset `quick` has p = 30 and one "
    "learning rate.",
    power=power("rates", NOW.seeds, 4))


def judge(runs):
    return [setup.verdict(f"p = {setup.gaps[0]}: more seeds of the {lstm.name}, than of the {rnn.name}, solve it", more_solve(lstm, rnn))
            for setup in (NOW, QUICK) for arms in [setup.of(runs)] for lstm in arms[:2] for rnn in arms[2:]]
