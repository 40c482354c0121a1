"""How many seeds solved a task, and after how many sequences: Wilson intervals and Kaplan-Meier curves."""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import stats

from study.statistics import LEVEL


def wilson(solved, n, level=LEVEL):
    """Interval (low, high) of the success rate `solved` / `n` (Wilson 1927); NaN where n = 0."""
    if n == 0:
        return (float("nan"), float("nan"))
    interval = stats.binomtest(int(solved), int(n)).proportion_ci(level, method="wilson")
    return (float(interval.low), float(interval.high))


@dataclass(frozen=True)
class Survival:
    """Share of seeds that are still unsolved after `sequences`, and the median number of sequences to solve.

    `sequences` and `unsolved` are the steps of the Kaplan-Meier curve; `median`, `low` and `high` are infinite where the
    curve, or its band, never falls to one half.
    """

    sequences: np.ndarray
    unsolved: np.ndarray
    median: float
    low: float
    high: float


def survival(sequences, solved, level=LEVEL):
    """Kaplan-Meier curve of the sequences to solve. A seed that did not solve its task is censored where it stopped.

    The interval of the median ends where the log-log band of the curve crosses one half (Brookmeyer & Crowley 1982).
    """
    sequences, solved = np.asarray(sequences, float), np.asarray(solved, bool)
    curve = stats.ecdf(stats.CensoredData.right_censored(sequences, ~solved)).sf
    with warnings.catch_warnings(action="ignore"):  # the band is undefined where no seed is solved, or all are
        band = curve.confidence_interval(level, method="log-log")

    def crossing(probabilities):
        below = np.flatnonzero(probabilities <= 0.5)
        return float(curve.quantiles[below[0]]) if len(below) else float("inf")

    low = np.where(np.isnan(band.low.probabilities), curve.probabilities, band.low.probabilities)
    return Survival(curve.quantiles, curve.probabilities, crossing(curve.probabilities),
                    crossing(low), crossing(band.high.probabilities))
