"""C25: linear recurrences and state tracking."""

from study.claims.ledger._setup import Setup, power
from study.statistics.arms import more_solve
from study.statistics.verdict import Claim

LINEAR, OTHERS = {"minGRU": "mingru", "minLSTM": "minlstm"}, {"RNN": "rnn", "LSTM": "lstm", "sLSTM": "slstm"}
ARMS = {name: {"cell": cell} for name, cell in (LINEAR | OTHERS).items()}
TASKS = {"parity": Setup(knobs={"task": "parity", "budget": 128_000}, arms=ARMS, gaps=(20,), seeds=12),
         "words of A5": Setup(knobs={"task": "a5", "budget": 128_000}, arms=ARMS, gaps=(8,), seeds=12)}
SETUPS = {"default": tuple(TASKS.values())}
CLAIM = Claim(
    "Linear recurrences with positive eigenvalues (minGRU, minLSTM) cannot learn parity or the words of A5; RNN, LSTM and sLSTM can.",
    "Grazzi et al. 2024; Merrill, Petty & Sabharwal 2024 (abstracts)",
    "Parity up to length 20, and words of A5 of length 8, answered at every step, one layer of H = 32, at most 128,000 sequences: more seeds of each of "
    "the others solve it than of the minGRU, and than of the minLSTM (difference of rates, Newcombe's interval above 0; p: Fisher). A finite "
    "length can be learned by heart, so a linear cell that solves it does not refute the theorem.",
    power=power("rates", 12, 12))


def judge(runs):
    return [setup.verdict(f"{what}: more seeds of the {other.name} than of the {linear.name} solve it", more_solve(other, linear))
            for what, setup in TASKS.items() for linear in setup.of(runs, *LINEAR) for other in setup.of(runs, *OTHERS)]
