"""C18: guessing."""

from dataclasses import replace

from study.claims.ledger import c01, c02
from study.claims.ledger._published import published
from study.claims.ledger._setup import Setup, power
from study.statistics.arms import faster, more_solve
from study.statistics.verdict import Claim

SEEDS, OF_GUESSES = 12, (("guesses", "weights uniform in -100..100, from memory"), ("net", "a tanh RNN with sigmoid outputs, from memory"))
KNOBS = {"cell": "rnn", "method": "guess", "output": "sigmoid", "budget": 300_000}
TRAINED = published("LSTM", "two_sequence/3a/100", SEEDS)
GUESSED = Setup(KNOBS | {"task": "two_sequence/3a"}, {f"{units} guessed unit{'s' * (units > 1)}": {"units": units} for units in (1, 2, 3)}, (100,), SEEDS,
                OF_GUESSES)
HARD = {what: (Setup(KNOBS | {"task": task, "units": 3}, {"guessed weights": {}}, (100,), SEEDS, OF_GUESSES), paper)
        for what, task, paper in (("adding", "adding/hs97", c02.PAPER["adding/hs97/100/linear"]), ("temporal order", "temporal_order/6a", c01.PAPER))}
SETUPS = {"default": (TRAINED, GUESSED, *(setup for pair in HARD.values() for setup in pair))}
CLAIM = Claim(
    "To guess weights solves the two-sequence problem 3a faster than to train, and does not solve adding or temporal order.",
    "Schmidhuber & Hochreiter 1996; Hochreiter & Schmidhuber 1997",
    "Tanh RNNs of 1, 2 and 3 units with sigmoid outputs and weights uniform in -100 to 100, at most 300,000 sequences, against the LSTM as published. 3a at "
    "T = 100: a seed that guesses needs fewer sequences (probability above one half, Newcombe's interval; p: Mann-Whitney). Adding at T = "
    "100, and temporal order 6a: more runs that train solve it than that guess (difference of rates, Newcombe's interval above 0; p: Fisher).",
    power=power("ranks", SEEDS, 5))


def judge(runs):
    trained, = TRAINED.of(runs)
    verdicts = [GUESSED.verdict(f"3a: {arm.name} need fewer sequences than the LSTM", faster(arm, trained), trained) for arm in GUESSED.of(runs)]
    for what, (setup, paper) in HARD.items():
        verdict = setup.verdict(f"{what}: more runs that train solve it than that guess", more_solve(*paper.of(runs), *setup.of(runs)))
        verdicts.append(replace(verdict, planned=min(setup.seeds, paper.seeds)))
    return verdicts
