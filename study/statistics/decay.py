"""Exponential decay: a line through log norms."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from study.statistics import LEVEL


@dataclass(frozen=True)
class Decay:
    """log norm = intercept + slope x lag, with the slope's interval."""

    slope: float
    low: float
    high: float
    intercept: float
    r2: float


def fit_decay(lag, norm, level=LEVEL):
    """Least squares of log norm against lag; None with fewer than three positive norms. A norm may be None.

    A slope of -0.3 means that the norm falls by a factor of exp(0.3) with each step back in time.
    """
    norm = np.asarray([np.nan if value is None else value for value in norm], float)
    kept = np.isfinite(norm) & (norm > 0)
    if kept.sum() < 3:
        return None
    line = stats.linregress(np.asarray(lag, float)[kept], np.log(norm[kept]))
    half = stats.t.ppf((1 + level) / 2, kept.sum() - 2) * line.stderr
    return Decay(float(line.slope), float(line.slope - half), float(line.slope + half), float(line.intercept),
                 float(line.rvalue**2))
