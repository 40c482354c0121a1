"""C2: an LSTM adds over hundreds of steps, a tanh RNN does not."""

from study.claims.ledger._published import every_run_solves, published
from study.claims.ledger._setup import Setup, at, power
from study.statistics.arms import more_solve
from study.statistics.verdict import Claim

NOW = Setup({"task": "adding/hs97", "init": "long", "horizon": 250, "budget": 128_000},
            {"LSTM": {"cell": "lstm"}, "RNN": {"cell": "rnn"}}, (100, 250), 10)
PAPER = {name: published(f"LSTM, {arm}", name, seeds)
         for name, arm, seeds in (("adding/hs97/100", "T = 100, logistic output", 10), ("adding/hs97/100/linear", "T = 100, linear output", 14),
                                  ("adding/hs97/500/linear", "T = 500, linear output", 8), ("adding/hs97/1000/linear", "T = 1000, linear output", 8))}
LONGEST = PAPER["adding/hs97/1000/linear"]
SETUPS = {"default": (NOW, *(setup for setup in PAPER.values() if setup is not LONGEST)), "full": (NOW, *PAPER.values())}
CLAIM = Claim(
    "An LSTM learns to add two numbers that are hundreds of steps apart; a tanh RNN does not.",
    "Hochreiter & Schmidhuber 1997, experiment 4",
    "Adding at T = 100 and 250, H = 32, long start with a horizon of 250 (orthogonal U for the RNN), at most 128,000 sequences: at each T "
    "more seeds of the LSTM solve the task than of the RNN (difference of rates, Newcombe's interval above 0; p: Fisher). As published, with the "
    "logistic output of the paper at T = 100, and with a linear output at T = 100 and 500 (in the preset `full` also 1000): every run of the LSTM "
    "solves it (share of runs, Wilson's interval above one half; p: sign test; one exception decides nothing).",
    power=power("rates", NOW.seeds, 2),
    note="When this rule was written, it was known that no run with the logistic output meets the pass rule.")


def judge(runs):
    lstm, rnn = NOW.of(runs)
    verdicts = [NOW.verdict(f"T = {gap}: more seeds of the LSTM than of the RNN learn to add", more_solve(at(lstm, gap), at(rnn, gap)))
                for gap in NOW.gaps]
    return verdicts + [every_run_solves(setup, runs, name) for name, setup in PAPER.items()]
