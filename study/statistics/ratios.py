"""Ratios of paired positive numbers: the geometric mean with its interval, and whether it lies within a factor."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from study.statistics import LEVEL


@dataclass(frozen=True)
class Ratio:
    """Geometric mean of paired ratios with its interval, from `pairs` pairs."""

    ratio: float
    low: float
    high: float
    pairs: int


def paired_ratio(first, second, level=LEVEL):
    """Geometric mean of first / second over pairs, with Student's interval of the mean log-ratio; None below two pairs."""
    logs = np.log(np.asarray(first, float)) - np.log(np.asarray(second, float))
    n = len(logs)
    if n < 2:
        return None
    half = stats.t.ppf((1 + level) / 2, n - 1) * logs.std(ddof=1) / np.sqrt(n)
    low, mean, high = np.exp([logs.mean() - half, logs.mean(), logs.mean() + half])
    return Ratio(float(mean), float(low), float(high), n)


def ratio_p(first, second, factor, inside):
    """p-value for the claim that the geometric mean ratio lies inside (or outside) 1/factor to factor.

    `inside`: two one-sided t-tests (Schuirmann 1987), the larger p. Otherwise: the smaller of the two. Either is doubled,
    so that it agrees with the two-sided 95 % interval: p < 0.05 if and only if the interval lies wholly inside, or wholly
    outside.
    """
    logs = np.log(np.asarray(first, float)) - np.log(np.asarray(second, float))
    error = logs.std(ddof=1) / np.sqrt(len(logs))
    margin = np.log(factor)
    with np.errstate(divide="ignore", invalid="ignore"):
        above, below = (logs.mean() + margin) / error, (margin - logs.mean()) / error
    freedom = len(logs) - 1
    tail = stats.t.sf if inside else stats.t.cdf
    p = [float(tail(value, freedom)) for value in (above, below)]
    return min(1.0, 2 * (max(p) if inside else min(p)))
