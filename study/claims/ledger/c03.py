"""C3: a longer lag is cheap by itself."""

from study.claims._protocols import PROTOCOLS
from study.claims.ledger._published import published
from study.claims.ledger._setup import Setup, at, power
from study.statistics.arms import bounded
from study.statistics.verdict import Claim

BOUND = 2
NOW = Setup(knobs={"task": "lag_long", "budget": 64_000}, arms={"LSTM": {"cell": "lstm"}}, gaps=(50, 200), seeds=12)
NEAR, MIDDLE = (published({f"q = p = {q}": f"lag_long/{q}/{q}"}, 8) for q in (50, 200))
FAR = published({"q = p = 1000": "lag_long/1000/1000", "q = 1000, p = 50": "lag_long/1000/50"}, 8)
SETUPS = {"default": (NOW, NEAR, MIDDLE), "full": (NOW, NEAR, MIDDLE, FAR)}
CLAIM = Claim(
    "A longer lag by itself is cheap: it costs an LSTM less than twice the sequences, if there are more kinds of distractors as well.",
    "Hochreiter & Schmidhuber 1997, experiment 2c",
    f"Experiment 2c with as many distractor symbols as steps, H = 32, at most 64,000 sequences: 200 steps need less than {BOUND} times the "
    "sequences of 50 (at least 90 % of the seeds solve both; ratio of geometric means, unsolved = budget, Welch's interval). As published: q = p = 200 (in the "
    "preset `full` also 1000) needs less than twice the sequences of q = p = 50; and in `full` less than half of those of q = 1000 with p = "
    "50, where the distractors are fewer (the same).",
    power=power(NOW.seeds, 1, worth=(0.9, 0.3)), fidelity=PROTOCOLS["lag_long/1000/1000"].fidelity)


def judge(runs):
    near, far = (at(*NOW.of(runs, "LSTM"), gap) for gap in NOW.gaps)
    (short,), (middle,) = (setup.of(runs, *setup.arms) for setup in (NEAR, MIDDLE))
    long, few = FAR.of(runs, *FAR.arms)
    return [NOW.verdict(f"four times the lag needs less than {BOUND} times the sequences", bounded(far, near, BOUND)),
            MIDDLE.verdict(f"as published, four times the lag needs less than {BOUND} times the sequences", bounded(middle, short, BOUND)),
            FAR.verdict(f"twenty times the lag needs less than {BOUND} times the sequences", bounded(long, short, BOUND)),
            FAR.verdict("many kinds of distractors need less than half of the sequences of few", bounded(long, few, 1 / BOUND))]
