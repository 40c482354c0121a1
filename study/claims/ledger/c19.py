"""C19: which knobs explain the variance."""

from scipy import stats

from study.claims.ledger._setup import Setup
from study.statistics.arms import Comparison
from study.statistics.effect import ABOVE, BELOW, Effect
from study.statistics.importance import judged, shares
from study.statistics.verdict import Claim

MOST, SMALL = 0.5, 0.2
DRAWN = {"lr": {"log_uniform": [1e-4, 1e-1]}, "units": {"choice": [8, 16, 32, 64]}, "forget_bias": {"uniform": [0.0, 5.0]}}
SEARCHES = {what: Setup({"task": task, "cell": "lstm", "budget": 64_000}, {"LSTM": {}}, (50,), 1, draws={"n": 80, "knobs": DRAWN})
            for what, task in (("recall", "recall/past"), ("temporal order", "temporal_order/6a"))}
SETUPS = {"default": tuple(SEARCHES.values())}
CLAIM = Claim(
    "The learning rate explains most of the variance between LSTMs that differ in their hyperparameters; interactions are small.",
    "Greff et al. 2017 (from memory)",
    "Random search of 80 draws of learning rate (1e-4 to 1e-1, log-uniform), units (8 to 64) and forget bias (0 to 5), on recall over gap 50 and on temporal "
    "order 6a at half of its published scale, at most 64,000 sequences. Functional analysis of variance of the log of sequences, restricted to the "
    f"budget: the share of the learning rate alone lies above {MOST}, and the largest share of a pair of knobs below {SMALL} (percentiles of "
    "resampled draws; p from them as if they were normal).",
    power="printed with each verdict, since it rests on the interval that the draws give")


def judge(runs):
    return [verdict for what, setup in SEARCHES.items() for verdict in _verdicts(setup, what, setup.of(runs, "LSTM")[0].runs)]


def _verdicts(setup, what, draws):
    if not len(draws):
        return []
    found = shares(tuple(judged(draws)), **{knob: tuple(draws[knob]) for knob in DRAWN})
    pair = max((term for term in found if " x " in term), key=lambda term: found[term][0])
    counts = f"{int(draws['solved'].eq(True).sum())} of {len(draws)} draws solved"
    return [setup.verdict(f"{what}: {statement}", Comparison(share(f"share of {term}", *found[term], expected, bound), counts, len(draws)))
            for statement, term, expected, bound in (("the learning rate explains most of the variance", "lr", ABOVE, MOST),
                                                     ("the largest interaction is small", pair, BELOW, SMALL))]


def share(name, value, low, high, expected, bound):
    """Effect: a share of the variance, with its interval."""
    error = max((high - low) / (2 * stats.norm.ppf(0.975)), 1e-9)
    p = float(2 * stats.norm.sf(abs(value - bound) / error))
    return Effect(name, value, low, high, expected, (bound,), p, p, "a share 0.2 away from the bound",
                  lambda alpha: float(stats.norm.sf(stats.norm.ppf(1 - alpha / 2) - 0.2 / error)), lambda alpha: None)
