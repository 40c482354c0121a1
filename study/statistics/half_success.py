"""The half-success gap of an arm, which half of its seeds solve, and the bracket of each seed."""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import expit

from study.statistics import LEVEL

REACH = 64  # the search ends at this factor beyond the grid
STEPS = 901
SCALES = np.geomspace(0.02, 20, 61)  # of the logistic curve, in units of log gap


@dataclass(frozen=True)
class HalfSuccess:
    """The gap that half of the seeds solve, with its interval, by the tested gaps `grid`.

    `value` is 0 or infinite where success never crosses one half within the grid, and `low` and `high` where the data do not
    bound it.
    """

    value: float
    low: float
    high: float
    grid: tuple

    def text(self, gap):
        """A gap for readers: "< smallest" and "> largest" outside of the grid."""
        if gap < self.grid[0]:
            return f"< {self.grid[0]:g}"
        return f"> {self.grid[-1]:g}" if gap > self.grid[-1] else f"{gap:.0f}"

    def __str__(self):
        value, low, high = map(self.text, (self.value, self.low, self.high))
        return value if value == low == high else f"{value} [{low}, {high}]"


def half_success(gaps, solved, level=LEVEL):
    """HalfSuccess from one gap (greater than 0) and one bool a trial, by a logistic curve that falls with log gap.

    The likelihood is Firth's (1993), so that the curve is not a step where all seeds solve one gap and none the next; the
    interval is its profile's (Heinze & Schemper 2002). It reaches at least from the largest gap that most seeds solve to the
    smallest that most fail: however steep the truth is, it may cross one half anywhere in between.
    """
    x, y = np.log(np.asarray(gaps, float)), np.asarray(solved, bool)
    grid = tuple(sorted(set(np.asarray(gaps, float).tolist())))
    middles = np.linspace(np.log(grid[0] / REACH), np.log(grid[-1] * REACH), STEPS)
    places, counts = np.unique(x, return_inverse=True)
    won, n = np.bincount(counts, y), np.bincount(counts)
    profile = np.max([_likelihood(middles, scale, places, won, n) for scale in SCALES], axis=0)
    inside = middles[profile >= profile.max() - stats.chi2.ppf(level, 1) / 2]
    most_solve, most_fail = places[2 * won > n], places[2 * won < n]
    crossing = [most_solve[-1], most_fail[0]] if len(most_solve) and len(most_fail) else []
    ends = middles[profile.argmax()], min([inside[0], *crossing]), max([inside[-1], *crossing])
    return HalfSuccess(*(_end(end, grid) for end in ends), grid)


def _likelihood(middles, scale, places, won, n):
    """Firth's log likelihood at each middle, of won[k] of n[k] seeds at places[k]."""
    solve = np.clip(expit((middles[:, None] - places) / scale), 1e-12, 1 - 1e-12)
    weight = n * solve * (1 - solve)
    mean = (weight * places).sum(axis=1) / weight.sum(axis=1)
    information = weight.sum(axis=1) * (weight * (places - mean[:, None])**2).sum(axis=1)
    return (won * np.log(solve) + (n - won) * np.log1p(-solve)).sum(axis=1) + np.log(information + 1e-300) / 2


def _end(log_gap, grid):
    """The gap; 0 or infinite outside of the grid, where nothing was tested. What rounding puts outside of it is its end."""
    gap = float(np.exp(log_gap))
    if gap < grid[0] * (1 - 1e-9):
        return 0.0
    return float("inf") if gap > grid[-1] * (1 + 1e-9) else min(max(gap, grid[0]), grid[-1])


def bracket(gaps, solved):
    """(largest gap solved, smallest gap failed) of one seed: 0 if it solved none, infinite if it failed none.

    Success that is not monotone has the first above the second.
    """
    won = [gap for gap, done in zip(gaps, solved, strict=True) if done]
    lost = [gap for gap, done in zip(gaps, solved, strict=True) if not done]
    return max(won, default=0), min(lost, default=float("inf"))
