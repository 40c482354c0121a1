"""C4: two sequences that differ in their first symbol only."""

from study.claims.ledger._setup import Setup, power
from study.statistics.arms import more_solve
from study.statistics.verdict import Claim

ARMS = {"LSTM": {"cell": "lstm"}, "RNN": {"cell": "rnn"}}
NOW = Setup(knobs={"task": "lag_free", "budget": 64_000}, arms=ARMS, gaps=(100,), seeds=12)
QUICK = Setup(knobs={"task": "lag_free", "budget": 24_000, "lr": 0.003}, arms=ARMS, gaps=(50,), seeds=3)
SETUPS = {"default": (NOW,), "quick": (QUICK,)}
CLAIM = Claim(
    "An LSTM learns to tell two sequences of 101 symbols apart by their first symbol; a tanh RNN does not.",
    "Hochreiter & Schmidhuber 1997, experiment 2a",
    "Experiment 2a with p = 100, H = 32, standard start, at most 64,000 sequences: more seeds of the LSTM solve it than of the RNN "
    "(difference of rates, Newcombe's interval above 0; p: Fisher). Not as "
    "published: the paper's outputs also see the inputs. The preset `quick` has p = 50 and one learning rate.",
    power=power(NOW.seeds, 1, worth=(0.9, 0.3)))


def judge(runs):
    return [setup.verdict(f"p = {setup.gaps[0]}: more seeds of the LSTM than of the RNN solve it", more_solve(*setup.of(runs, *ARMS)))
            for setup in (NOW, QUICK)]
