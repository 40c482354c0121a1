"""C10: peepholes and timing."""

from study.claims.ledger._setup import Setup, power
from study.statistics.arms import more_solve, same_cost
from study.statistics.verdict import Claim

FACTOR = 1.5
ARMS = {"with peepholes": {"cell": "peephole"}, "without": {"cell": "lstm"}}
TIMING = {task: Setup(knobs={"task": f"timing/{task}", "budget": 64_000}, arms=ARMS, gaps=(10,), seeds=12)
          for task in ("gts", "pfg_cos", "msd")}
SETUPS = {"default": tuple(TIMING.values())}
CLAIM = Claim(
    "Peepholes are needed to make precisely timed spikes and periodic functions, and not to measure the time between spikes.",
    "Gers, Schraudolph & Schmidhuber 2002",
    "Spikes and periods of about 10 steps, H = 32, at most 64,000 sequences. Making spikes (gts), and a cosine (pfg): more seeds with "
    "peepholes solve it than without (difference of rates, Newcombe's interval above 0; p: Fisher). Measuring (msd): the ratio of sequences "
    f"lies within a factor of {FACTOR} (geometric means, unsolved = budget, Welch's interval).",
    power=power(12, 3, worth=(0.9, 0.1)))
MADE = {"gts": "timed spikes", "pfg_cos": "a cosine"}


def judge(runs):
    verdicts = [TIMING[task].verdict(f"more seeds with peepholes than without make {what}", more_solve(*TIMING[task].of(runs, *ARMS)))
                for task, what in MADE.items()]
    msd = TIMING["msd"]
    return [*verdicts, msd.verdict("both need as many sequences to measure times between spikes", same_cost(*msd.of(runs, *ARMS), FACTOR))]
