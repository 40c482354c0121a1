"""Ratio of the sequences that two arms need: geometric means, restricted to the budget, with interval, tests and power."""

from functools import partial

import numpy as np
from scipy import stats

from study.statistics import LEVEL
from study.statistics.effect import BELOW, EQUAL, Effect, fewest

WORTH = 1.5
NAME = "sequences, ratio"


def mean_ratio(first, second, level=LEVEL):
    """(ratio, low, high) of the geometric means, with Welch's interval of the difference of mean logs.

    first, second : logs of the sequences that each seed needed, at most its budget; at least two seeds each
    """
    difference, error, freedom = _welch(first, second)
    half = stats.t.ppf((1 + level) / 2, freedom) * error
    return tuple(float(end) for end in np.exp([difference, difference - half, difference + half]))


def equal_cost(first, second, factor):
    """Effect: ratio of sequences; the claim expects it inside 1/factor to factor.

    p: two one-sided t-tests (Schuirmann 1987), doubled so that they agree with the 95 % interval.
    """
    margin, spread, seen = np.log(factor), _spread(first, second), abs(np.mean(first) - np.mean(second))
    above, below = _tail(first, second, -margin), 1 - _tail(first, second, margin)
    p = [min(1.0, 2 * tail) for tail in (max(above, below), min(1 - above, 1 - below))]
    return Effect(NAME, *mean_ratio(first, second), EQUAL, (1 / factor, factor), *p, "that they are equal",
                  partial(equal_power, spread, (len(first), len(second)), margin),
                  lambda alpha: fewest(lambda n: equal_power(spread, (n, n), margin, alpha, seen)))


def bounded_cost(first, second, bound):
    """Effect: ratio of sequences; the claim expects it below `bound`. p: Welch's t-test, two-sided."""
    tail, spread = _tail(first, second, np.log(bound)), _spread(first, second)
    p = min(1.0, 2 * min(tail, 1 - tail))
    observed = abs(np.mean(first) - np.mean(second) - np.log(bound))
    return Effect(NAME, *mean_ratio(first, second), BELOW, (bound,), p, p, f"a ratio of {bound / WORTH:.3g}",
                  partial(t_power, spread, (len(first), len(second)), np.log(WORTH)),
                  lambda alpha: fewest(lambda n: t_power(spread, (n, n), observed, alpha)))


def _welch(first, second):
    """(difference of means, its standard error, degrees of freedom)"""
    first, second = np.asarray(first, float), np.asarray(second, float)
    parts = np.array([values.var(ddof=1) / len(values) for values in (first, second)])
    total = max(parts.sum(), 1e-24)  # samples without any spread
    freedom = total**2 / max((parts**2 / [len(first) - 1, len(second) - 1]).sum(), 1e-48)
    return first.mean() - second.mean(), np.sqrt(total), min(freedom, len(first) + len(second) - 2)


def _tail(first, second, null):
    """One-sided p-value that the difference of mean logs is larger than `null`."""
    difference, error, freedom = _welch(first, second)
    return float(stats.t.sf((difference - null) / error, freedom))


def _spread(first, second):
    """Standard deviation of a seed's log, pooled over the arms."""
    return max(float(np.sqrt((np.var(first, ddof=1) + np.var(second, ddof=1)) / 2)), 1e-9)


def t_power(spread, sizes, difference, alpha):
    """Power of the two-sided t-test, where the mean logs differ by `difference`."""
    freedom, error = sum(sizes) - 2, spread * np.sqrt(1 / sizes[0] + 1 / sizes[1])
    return float(stats.nct.sf(stats.t.ppf(1 - alpha / 2, freedom), freedom, min(difference / error, 35.0)))


def equal_power(spread, sizes, margin, alpha, difference=0.0):
    """Power of the two one-sided tests, doubled, where the mean logs differ by `difference`; from the normal distribution."""
    freedom, error = sum(sizes) - 2, spread * np.sqrt(1 / sizes[0] + 1 / sizes[1])
    ends = (np.array([margin - difference, margin + difference]) / error - stats.t.ppf(1 - alpha / 2, freedom))
    return float(max(0.0, stats.norm.cdf(ends).sum() - 1))
