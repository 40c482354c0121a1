"""The probability that a seed of one arm does better than a seed of another: interval, test and power."""

from functools import partial

import numpy as np
from scipy import stats

from study.statistics import LEVEL
from study.statistics.effect import ABOVE, Effect, fewest
from study.statistics.p_values import rank_test

WORTH = 0.9


def superiority(first, second):
    """P(a value of the first sample is larger) + half of P(both are equal); infinite values are tied."""
    first, second = np.asarray(first, float)[:, None], np.asarray(second, float)[None, :]
    return float((first > second).mean() + (first == second).mean() / 2)


def variance(p, n, m):
    """Variance of `superiority` where its true value is p, as if both samples were exponential (Hanley & McNeil 1982), with
    the two sizes n and m taken alike (Newcombe 2006, method 5)."""
    size = (n + m) / 2 - 1
    return p * (1 - p) * (1 + size * ((1 - p) / (2 - p) + p / (1 + p))) / (n * m)


def interval(p, n, m, level=LEVEL):
    """Score interval (low, high) of P (Newcombe 2006, method 5).

    A bootstrap's interval is one point where the samples do not overlap, which happens here; this one is not.
    """
    z = stats.norm.ppf((1 + level) / 2)
    grid = np.linspace(0, 1, 20_001)
    inside = grid[np.abs(grid - p) <= z * np.sqrt(variance(grid, n, m)) + 1e-12]
    return float(min(inside[0], p)), float(max(inside[-1], p))


def probability(name, first, second):
    """Effect: the probability that a seed of the first arm does better; larger values are better.

    The claim expects it above one half. p: Mann & Whitney 1947.
    """
    n, m = len(first), len(second)
    p, value = rank_test(first, second), superiority(first, second)
    return Effect(name, value, *interval(value, n, m), ABOVE, (0.5,), p, p, f"a probability of {WORTH:g}",
                  partial(rank_power, (n, m), WORTH), partial(_needed, value))


def _needed(value, alpha):
    return fewest(lambda n: rank_power((n, n), value, alpha)) if value != 0.5 else None


def rank_power(sizes, p, alpha):
    """Approximate power of the rank test at a significance level, where the true probability is p."""
    n, m = sizes
    z = stats.norm.ppf(1 - alpha / 2)
    away = abs(p - 0.5) - z * np.sqrt((n + m + 1) / (12 * n * m))
    spread = np.sqrt(variance(min(max(p, 0.01), 0.99), n, m))
    return float(stats.norm.cdf(away / spread))
