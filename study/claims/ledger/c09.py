"""C9: which parts of an LSTM matter."""

from study.claims.ledger._variants import SETUPS, VARIANTS, vanilla_and  # noqa: F401
from study.claims.ledger._setup import power
from study.statistics.arms import faster, same_cost
from study.statistics.superiority import rank_power
from study.statistics.verdict import Claim

FACTOR = 1.5
COSTLESS, HURTS = ("coupled gates", "no peepholes"), ("no forget gate", "no output activation")
CLAIM = Claim(
    "Coupled gates and the lack of peepholes cost an LSTM nothing; the lack of the forget gate, or of the output's activation, hurts.",
    "Greff et al. 2017",
    "Recall over gap 50, and temporal order 6a at half of its published scale, H = 32, at most 64,000 sequences, against the LSTM with "
    f"peepholes. Coupled, or without peepholes: the ratio of sequences lies within a factor of {FACTOR} (geometric means, unsolved = budget, "
    "Welch's interval). Without forget gate, or output activation: a seed needs more sequences (probability above one half, Newcombe's "
    "interval; p: Mann-Whitney). Greff et al. compared the best of a random search on speech, handwriting and music.",
    power=power(VARIANTS[0].seeds, 8, rank_power, 0.9))


def judge(runs):
    verdicts = []
    for setup in VARIANTS:
        where = setup.knobs["task"].split("/")[0].replace("_", " ")
        for name in COSTLESS:
            pair = vanilla_and(setup, runs, name)
            verdicts.append(setup.verdict(f"{where}: {name} needs as many sequences", same_cost(*pair, FACTOR)))
        verdicts += [setup.verdict(f"{where}: {name} needs more sequences", faster(*vanilla_and(setup, runs, name))) for name in HURTS]
    return verdicts
