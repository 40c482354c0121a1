"""C22: the IRNN adds."""

from study.claims.ledger._setup import Setup, power
from study.statistics.arms import more_solve
from study.statistics.verdict import Claim

NOW = Setup(knobs={"task": "adding/uniform", "units": 64, "budget": 128_000},
            arms={"IRNN": {"cell": "rnn_relu", "scheme": "identity"}, "RNN, uniform U": {"cell": "rnn"},
                  "RNN, orthogonal U": {"cell": "rnn", "scheme": "orthogonal"}, "LSTM": {"cell": "lstm", "forget_bias": 3.0}}, gaps=(150,), seeds=10)
SETUPS = {"default": (NOW,)}
CLAIM = Claim(
    "An RNN with ReLU and U = identity (IRNN) learns to add over 150 steps and more, where a tanh RNN cannot.",
    "Le, Jaitly & Hinton 2015 (from memory)",
    "Adding of numbers from 0 to 1 over 150 steps, H = 64 (the paper: 100), at most 128,000 sequences: more seeds of the IRNN solve it than of the "
    "tanh RNN with uniform U and with orthogonal U (difference of rates, Newcombe's interval above 0; p: Fisher). An LSTM with forget bias 3 shows whether the task can be learned within the budget.",
    power=power("rates", NOW.seeds, 2))


def judge(runs):
    irnn, *rnns, lstm = NOW.of(runs)
    return [NOW.verdict(f"more seeds of the IRNN than of the {rnn.name}, learn to add", more_solve(irnn, rnn), lstm) for rnn in rnns]
