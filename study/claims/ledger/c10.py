"""C10: peepholes and timing."""

from study.claims.ledger._setup import FACTOR, Setup, at, power
from study.statistics.arms import faster, same_cost
from study.statistics.verdict import Claim

ARMS = {"with peepholes": {"cell": "peephole"}, "without": {"cell": "lstm"}}
SPIKES, COSINE, TIMES = (Setup({"task": f"timing/{task}", "units": 4, "budget": 64_000}, ARMS, (10, 30), 12) for task in ("gts", "pfg_cos", "msd"))
MAKING = {"timed spikes": SPIKES, "a cosine": COSINE}
SETUPS = {"default": (SPIKES, COSINE, TIMES)}
CLAIM = Claim(
    "Peepholes are needed to make precisely timed spikes and periodic functions, and not to measure the time between spikes.",
    "Gers, Schraudolph & Schmidhuber 2002",
    "Spikes and periods of about 10 and 30 steps, H = 4, at most 64,000 sequences. Making spikes (gts), and a cosine (pfg), at each length: a seed with "
    "peepholes needs fewer sequences than one without (probability above one half, unsolved last; Newcombe's interval; p: Mann-Whitney). Measuring "
    f"(msd): the ratio of sequences, without the window of the pass rule, lies within a factor of {FACTOR} (geometric means, unsolved = budget, Welch's "
    "interval).",
    power=power("ranks", 12, 6))


def judge(runs):
    verdicts = [setup.verdict(f"{gap} steps: to make {what}, seeds with peepholes need fewer sequences", faster(*(at(arm, gap) for arm in setup.of(runs))))
                for what, setup in MAKING.items() for gap in setup.gaps]
    return verdicts + [TIMES.verdict(f"{gap} steps: to measure times, both need as many sequences",
                                     same_cost(*(at(arm, gap) for arm in TIMES.of(runs)), FACTOR)) for gap in TIMES.gaps]
