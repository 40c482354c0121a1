"""C3: a longer lag is cheap by itself."""

from study.claims.ledger._published import published
from study.claims.ledger._setup import Setup, at, power
from study.statistics.arms import bounded
from study.statistics.verdict import Claim

BOUND = 1.4  # for four times the lag: a factor of two over twenty times the lag, as published, is a factor of 1.38 over four times
NOW = Setup({"task": "lag_long", "budget": 48_000}, {"LSTM": {"cell": "lstm", "init": "long", "horizon": 200}}, (50, 200), 12)
NEAR, MIDDLE, FAR = (published(f"q = p = {q}", f"lag_long/{q}/{q}", 8) for q in (50, 200, 1000))
FEW = published("q = 1000, p = 50", "lag_long/1000/50", 8)
SETUPS = {"default": (NOW, NEAR, MIDDLE), "full": (NOW, NEAR, MIDDLE, FAR, FEW)}
CLAIM = Claim(
    "A longer lag by itself is cheap: from 50 to 1,000 steps it costs an LSTM less than twice the sequences, if there are more kinds of "
    "distractors as well.",
    "Hochreiter & Schmidhuber 1997, experiment 2c",
    "Experiment 2c with as many distractor symbols as steps, H = 32, long start with a horizon of 200, at most 48,000 sequences: 200 steps need less than "
    f"{BOUND} times the sequences of 50, without the window of the pass rule (at least 90 % of the seeds solve both; ratio of geometric means, Welch's "
    "interval). As published: the same for q = p = 200 against 50. In the preset "
    "`full` also: q = p = 1000 needs less than twice the sequences of q = p = 50, and less than half of those of q = 1000 with p = 50.",
    power=power("ratio", NOW.seeds, 1))


def judge(runs):
    verdicts = [NOW.verdict(f"{arm.name}: four times the lag needs less than {BOUND} times the sequences",
                            bounded(*(at(arm, lag, name=f"lag {lag}") for lag in (200, 50)), BOUND)) for arm in NOW.of(runs)]
    (near,), (middle,), (far,), (few,) = (setup.of(runs) for setup in (NEAR, MIDDLE, FAR, FEW))
    return [*verdicts, MIDDLE.verdict(f"four times the lag needs less than {BOUND} times the sequences", bounded(middle, near, BOUND), near),
            FAR.verdict("twenty times the lag needs less than twice the sequences", bounded(far, near, 2), near),
            FAR.verdict("many kinds of distractors need less than half of the sequences of few", bounded(far, few, 1 / 2), few)]
