"""p-values of ranks and signs, and their correction for several comparisons."""

import numpy as np
from scipy import stats


def rank_test(first, second):
    """Two-sided p-value that one sample lies above the other (Mann & Whitney 1947); 1 where all values are tied."""
    if len(set(first) | set(second)) < 2:
        return 1.0
    return float(stats.mannwhitneyu(first, second).pvalue)


def sign_test(successes, n):
    """Exact two-sided p-value against an outcome that is as often true as false, from `successes` of n; 1 where n = 0."""
    return float(stats.binomtest(int(successes), int(n)).pvalue) if n else 1.0


def holm(p):
    """Adjusted p-values in the order given (Holm 1979). SciPy has no such correction."""
    p = np.asarray(p, float)
    order = np.argsort(p, kind="stable")
    adjusted = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    result = np.empty_like(p)
    result[order] = np.minimum(adjusted, 1.0)
    return [float(value) for value in result]
