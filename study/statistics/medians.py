"""Medians over seeds: quartiles, the interval between order statistics, and whether it lies within bounds."""

import numpy as np
from scipy import stats

from study.statistics import LEVEL
from study.statistics.effect import WITHIN, Effect
from study.statistics.p_values import sign_test
from study.statistics.shares import ALWAYS, TRUE, sign_power, sign_seeds


def quartiles(values):
    """{"q1", "median", "q3"} of the values that are numbers; NaN where there are none. None and NaN are left out."""
    numbers = np.array(list(values), dtype=float)
    numbers = numbers[~np.isnan(numbers)]
    ends = np.quantile(numbers, [0.25, 0.5, 0.75]).tolist() if len(numbers) else [float("nan")] * 3
    return dict(zip(("q1", "median", "q3"), ends, strict=True))


def median_interval(values, level=LEVEL):
    """(median, low, high) of continuous values.

    `low` and `high` are order statistics: the narrowest pair, of ranks l and n + 1 - l, that encloses the median with
    probability `level` (David & Nagaraja 2003, 7.1). They are NaN where not even the extremes do: below six values at 95 %.
    """
    values = np.asarray(values, float)
    if not len(values):
        return (float("nan"),) * 3
    ends = stats.quantile_test(values, p=0.5).confidence_interval(level)
    return (float(np.median(values)), float(ends.low), float(ends.high))


def median_within(name, values, bounds):
    """Effect: the median; the claim expects it within `bounds`. p: sign test of how many values lie there."""
    n, inside = len(values), sum(bounds[0] < value < bounds[1] for value in values)
    return Effect(name, *median_interval(values), WITHIN, bounds, sign_test(inside, n), sign_test(n - inside, n), ALWAYS,
                  lambda alpha: sign_power(n, TRUE, alpha), lambda alpha: sign_seeds(inside / n, alpha))
