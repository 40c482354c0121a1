"""Intervals, survival curves, critical gaps, decay rates and paired effects.

All functions take plain sequences or NumPy arrays and are pure. Intervals are 95 % unless `level` says otherwise.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95
FEWEST_SEEDS = 6
"""Below six seeds no pair of order statistics covers the median with 95 %: 1 - 2 / 2^5 = 0.9375."""


def wilson(solved, n, level=LEVEL):
    """Interval of a success rate (Wilson 1927): (low, high) for `solved` of `n`, NaN where n = 0."""
    if n == 0:
        return (float("nan"), float("nan"))
    interval = stats.binomtest(int(solved), int(n)).proportion_ci(level, method="wilson")
    return (float(interval.low), float(interval.high))


@dataclass(frozen=True)
class Survival:
    """Share of seeds still unsolved after `sequences`, and the median number of sequences to solve.

    `sequences` and `unsolved` are the steps of the Kaplan-Meier curve; `median`, `low`, `high` are infinite where the
    curve, or its band, never reaches one half.
    """

    sequences: np.ndarray
    unsolved: np.ndarray
    median: float
    low: float
    high: float


def survival(sequences, solved, level=LEVEL):
    """Kaplan-Meier curve of sequences to solve; a seed that is not solved is censored where it stopped.

    The interval of the median is where the log-log band of the curve crosses one half (Brookmeyer & Crowley 1982).
    """
    sequences, solved = np.asarray(sequences, float), np.asarray(solved, bool)
    curve = stats.ecdf(stats.CensoredData.right_censored(sequences, ~solved)).sf
    with warnings.catch_warnings(action="ignore"):  # the band is undefined where nothing, or everything, is solved
        band = curve.confidence_interval(level, method="log-log")

    def crossing(probabilities):
        below = np.flatnonzero(probabilities <= 0.5)
        return float(curve.quantiles[below[0]]) if len(below) else float("inf")

    low = np.where(np.isnan(band.low.probabilities), curve.probabilities, band.low.probabilities)
    return Survival(curve.quantiles, curve.probabilities, crossing(curve.probabilities),
                    crossing(low), crossing(band.high.probabilities))


def order_ranks(n, level=LEVEL):
    """Ranks (low, high), counted from 1, of the order statistics that enclose the median with at least `level`.

    None where even the smallest and the largest of n do not. The interval leaves out l - 1 values at each end, with
    the largest l for which 2 P(Binomial(n, 1/2) < l) <= 1 - level (David & Nagaraja 2003, 7.1).
    """
    low = int(stats.binom.ppf((1 - level) / 2, n, 0.5))
    return (low, n + 1 - low) if low > 0 else None


def median_interval(values, level=LEVEL):
    """(median, low, high) of continuous values; the interval is made of order statistics, NaN where there are too few."""
    ordered = np.sort(np.asarray(values, float))
    if not len(ordered):
        return (float("nan"),) * 3
    ranks = order_ranks(len(ordered), level)
    low, high = (ordered[ranks[0] - 1], ordered[ranks[1] - 1]) if ranks else (np.nan, np.nan)
    return (float(np.median(ordered)), float(low), float(high))


def seed_critical_gap(gaps, solved):
    """The largest gap of the grid up to which a seed solved all: 0 if it failed at the smallest.

    `gaps` and `solved` are in any order, one entry a trial.
    """
    reached = 0
    for gap, done in sorted(zip(gaps, solved, strict=True)):
        if not done:
            break
        reached = gap
    return reached


@dataclass(frozen=True)
class CriticalGap:
    """Critical gap of an arm. `low` and `high` are None below six seeds; 0 means below the smallest gap of `grid`."""

    median: float
    low: float | None
    high: float | None
    seeds: int
    grid: tuple
    reached: tuple
    """Each seed's critical gap, in the order of the seeds."""

    def text(self, value):
        """A value as it is shown: "< smallest" and ">= largest" where it leaves the grid, "-" where there is none."""
        if value is None:
            return "-"
        if value < self.grid[0]:
            return f"< {self.grid[0]:g}"
        return f">= {value:g}" if value >= self.grid[-1] else f"{value:g}"

    def __str__(self):
        if self.low is None:
            return self.text(self.median)
        return f"{self.text(self.median)} [{self.text(self.low)}, {self.text(self.high)}]"

    def apart_below(self, other):
        """Whether this interval lies wholly below the other's; False where either has none."""
        return self.high is not None and other.low is not None and self.high < other.low


def critical_gap(arm, part=1.0):
    """Critical gap of an arm within `part` of its budget.

    Parameters
    ----------
    arm : DataFrame with columns gap, seed, solved, sequences and budget; one row a trial.
    part : a trial counts as solved if it was solved within `part` x budget sequences.

    The median of an even number of seeds is the lower of the two in the middle: a mean of two gaps is no gap of the
    grid, and has no meaning where one of them left it. Seeds that have not run every gap of the grid do not count.
    None if no seed has.
    """
    grid = tuple(sorted(set(arm["gap"])))
    reached = tuple(
        seed_critical_gap(runs["gap"], runs["solved"].astype(bool) & (runs["sequences"] <= part * runs["budget"]))
        for _, runs in arm.groupby("seed") if set(runs["gap"]) == set(grid))
    if not reached:
        return None
    ordered, ranks = sorted(reached), order_ranks(len(reached))
    low, high = (ordered[rank - 1] for rank in ranks) if ranks else (None, None)
    return CriticalGap(ordered[(len(ordered) - 1) // 2], low, high, len(ordered), grid, reached)


@dataclass(frozen=True)
class Decay:
    """log norm = intercept + slope x lag, with the slope's interval."""

    slope: float
    low: float
    high: float
    intercept: float
    r2: float


def decay(lag, norm, level=LEVEL):
    """Least squares of log norm against lag; None with fewer than three positive norms.

    A slope of -0.3 means that the norm falls by a factor of exp(0.3) with each step back in time.
    """
    norm = np.asarray([np.nan if value is None else value for value in norm], float)
    kept = np.isfinite(norm) & (norm > 0)
    if kept.sum() < 3:
        return None
    fit = stats.linregress(np.asarray(lag, float)[kept], np.log(norm[kept]))
    half = stats.t.ppf((1 + level) / 2, kept.sum() - 2) * fit.stderr
    return Decay(float(fit.slope), float(fit.slope - half), float(fit.slope + half), float(fit.intercept),
                 float(fit.rvalue**2))


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
    """p-value against the claim that the geometric mean ratio lies inside (or outside) a factor either way.

    `inside`: two one-sided t-tests (Schuirmann 1987), the larger p. Otherwise: the smaller of the two, doubled. Each p
    is that of a two-sided 95 % interval: p < 0.05 if and only if the interval lies wholly inside, or wholly outside.
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


def rank_test(first, second):
    """Two-sided p-value that one sample lies above the other (Mann & Whitney 1947); 1 where all values are tied."""
    if len(set(first) | set(second)) < 2:
        return 1.0
    return float(stats.mannwhitneyu(first, second).pvalue)


def sign_test(successes, n):
    """Exact two-sided p-value that an outcome is as often true as not, from `successes` of n."""
    return float(stats.binomtest(int(successes), int(n)).pvalue) if n else 1.0


def holm(p):
    """Holm's (1979) adjusted p-values, in the order given."""
    p = np.asarray(p, float)
    order = np.argsort(p, kind="stable")
    adjusted = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty_like(p)
    result[order] = np.minimum(adjusted, 1.0)
    return [float(value) for value in result]
