"""C9: which parts of an LSTM matter."""

from study.claims.ledger._setup import FACTOR, power
from study.claims.ledger._variants import RULE, SEEDS, VARIANTS
from study.statistics.arms import faster, same_cost
from study.statistics.verdict import Claim

COSTLESS, HURTS = ("coupled gates", "no peepholes"), ("no forget gate", "no output activation")
SETUPS = {"default": tuple(VARIANTS.values())}
CLAIM = Claim(
    "Coupled gates and the lack of peepholes cost an LSTM nothing; the lack of the forget gate, or of the output's activation, hurts.",
    "Greff et al. 2017",
    f"{RULE} Coupled, or without peepholes: the ratio of sequences, without the window of the pass rule, lies within a factor of {FACTOR} (geometric means, "
    "unsolved = budget, Welch's interval). Without forget gate, or output activation: a seed needs more sequences (probability above one half, "
    "Newcombe's interval; p: Mann-Whitney). Greff et al. compared the best of a random search on speech, handwriting and music; single episodes with "
    "one cue, as here, are not what a forget gate is for (C8).",
    power=power("equal", SEEDS, 8))


def judge(runs):
    verdicts = []
    for what, setup in VARIANTS.items():
        vanilla, = setup.of(runs, "vanilla")
        verdicts += [setup.verdict(f"{what}: {arm.name} needs as many sequences", same_cost(vanilla, arm, FACTOR)) for arm in setup.of(runs, *COSTLESS)]
        verdicts += [setup.verdict(f"{what}: {arm.name} needs more sequences", faster(vanilla, arm)) for arm in setup.of(runs, *HURTS)]
    return verdicts
