"""C18: guessing."""

from study.claims._protocols import PROTOCOLS
from study.claims.ledger import c01, c02
from study.claims.ledger._published import published
from study.claims.ledger._setup import Setup, power
from study.statistics.arms import faster, more_solve
from study.statistics.superiority import rank_power
from study.statistics.verdict import PUBLISHED, Claim

SEEDS = 10
TRAINED = published({"LSTM": "two_sequence/3a/100"}, SEEDS)
GUESSED = Setup({"task": "two_sequence/3a", "cell": "rnn", "method": "guess", "budget": 500_000},
                {f"{units} guessed unit{'s' * (units > 1)}": {"units": units} for units in (1, 2, 3)}, (100,), SEEDS, PUBLISHED)
HARD = {task: Setup({"task": task, "cell": "rnn", "units": 3, "method": "guess", "budget": 500_000}, {"guessed weights": {}}, (100,), SEEDS, PUBLISHED)
        for task in ("adding/hs97", "temporal_order/6a")}
SETUPS = {"default": (TRAINED, GUESSED, *HARD.values(), c02.PAPER["adding/hs97/100/linear"], c01.PAPER)}
CLAIM = Claim(
    "To guess weights solves the two-sequence problem 3a faster than to train, and does not solve adding or temporal order.",
    "Schmidhuber & Hochreiter 1996; Hochreiter & Schmidhuber 1997",
    "Tanh RNNs of 1, 2 and 3 units with weights uniform in -100 to 100, at most 500,000 sequences, against the LSTM as published. 3a at T = 100: "
    "a seed that guesses needs fewer sequences (probability above one half, Newcombe's interval; p: Mann-Whitney). Adding at T = 100, "
    "and temporal order 6a: more runs that train solve it than that guess (difference of rates, Newcombe's interval above 0; p: Fisher).",
    power=power(SEEDS, 5, rank_power, 0.9), fidelity=PROTOCOLS["two_sequence/3a/100"].fidelity)


def judge(runs):
    trained, = TRAINED.of(runs, "LSTM")
    verdicts = [GUESSED.verdict(f"3a: {arm.name} need fewer sequences than the LSTM", faster(arm, trained))
                for arm in GUESSED.of(runs, *GUESSED.arms)]
    papers = {"adding/hs97": c02.PAPER["adding/hs97/100/linear"], "temporal_order/6a": c01.PAPER}
    return verdicts + [setup.verdict(f"{task}: more runs that train solve it than that guess",
                                     more_solve(*papers[task].of(runs, *papers[task].arms), *setup.of(runs, *setup.arms)))
                       for task, setup in HARD.items()]
