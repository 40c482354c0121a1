"""Rank correlation of two numbers of each arm: Spearman's, its interval, test and power."""

from functools import partial

import numpy as np
from scipy import stats

from study.statistics import LEVEL
from study.statistics.effect import ABOVE, Effect, fewest

WORTH = 0.7


def rank_correlation(name, first, second):
    """Effect: Spearman's correlation; the claim expects it above 0. p: its t-test. Interval: Bonett & Wright 2000."""
    result, n = stats.spearmanr(first, second), len(first)
    value = float(result.statistic)
    return Effect(name, value, *interval(value, n), ABOVE, (0.0,), float(result.pvalue), float(result.pvalue), f"a correlation of {WORTH:g}",
                  partial(power, n, WORTH), lambda alpha: fewest(lambda arms: power(arms, value, alpha), least=5) if value else None)


def interval(value, n, level=LEVEL):
    """(low, high) of a rank correlation of n pairs, by Fisher's z with the variance (1 + r^2 / 2) / (n - 3)."""
    if abs(value) == 1 or n < 4:
        return (value, value) if n >= 4 else (float("nan"), float("nan"))
    half = stats.norm.ppf((1 + level) / 2) * _error(value, n)
    return tuple(float(end) for end in np.tanh([np.arctanh(value) - half, np.arctanh(value) + half]))


def power(n, value, alpha):
    """Approximate power of the two-sided test, where the true correlation is `value`."""
    away = np.arctanh(min(abs(value), 0.999)) / _error(value, n)
    return float(stats.norm.cdf(away - stats.norm.ppf(1 - alpha / 2)))


def _error(value, n):
    return np.sqrt((1 + value**2 / 2) / (n - 3))
