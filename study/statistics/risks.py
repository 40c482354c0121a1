"""Difference of two success rates: Newcombe's interval, Fisher's test, and its power."""

from functools import partial

import numpy as np
from scipy import stats

from study.statistics import LEVEL
from study.statistics.effect import ABOVE, Effect, fewest
from study.statistics.success import wilson

WORTH = (0.9, 0.1)


def newcombe(first, second, level=LEVEL):
    """Interval (low, high) of the difference of success rates, each given as (solved, n) (Newcombe 1998, method 10)."""
    (one, one_low, one_high), (two, two_low, two_high) = ((k / n, *wilson(k, n, level)) for k, n in (first, second))
    return (float(one - two - np.hypot(one - one_low, two_high - two)), float(one - two + np.hypot(one_high - one, two - two_low)))


def risk_difference(first, second):
    """Effect: the success rate of the first arm minus that of the second. Both are (solved, n), n at least 1.

    The claim expects it above 0. p: Fisher's exact test, which is significant at 5 % only if the interval leaves out 0.
    """
    (k, n), (j, m) = first, second
    p = float(stats.fisher_exact([[k, n - k], [j, m - j]]).pvalue)
    rates = (k / n, j / m)
    return Effect("success rate, difference", k / n - j / m, *newcombe(first, second), ABOVE, (0.0,), p, p,
                  f"{WORTH[0]:g} against {WORTH[1]:g}", partial(fisher_power, (n, m), WORTH), partial(_needed, rates))


def _needed(rates, alpha):
    return fewest(lambda n: fisher_power((n, n), rates, alpha)) if rates[0] != rates[1] else None


def fisher_power(sizes, rates, alpha):
    """Probability that Fisher's exact test gives p < alpha for two arms of these sizes and true success rates."""
    n, m = sizes
    first, second = (stats.binom.pmf(np.arange(size + 1), size, rate) for size, rate in zip(sizes, rates, strict=True))
    power = 0.0
    for total in range(n + m + 1):
        k = np.arange(max(0, total - m), min(n, total) + 1)
        table = stats.hypergeom.pmf(k, n + m, n, total)
        ordered = np.sort(table)
        p = np.cumsum(ordered)[np.searchsorted(ordered, table * (1 + 1e-7), side="right") - 1]
        power += (first[k] * second[total - k])[p < alpha].sum()
    return float(power)
