"""p-values of ranks and signs, and their correction for several comparisons."""

import numpy as np
from scipy import stats


def rank_test(first, second):
    """Two-sided p-value that one sample lies above the other (Mann & Whitney 1947); 1 where all values are tied.

    Exact with ties, too: all ways to deal the pooled mid-ranks, counted by the shift algorithm (Streitberg & Roehmel 1986).
    """
    n = len(first)
    ranks = (2 * stats.rankdata([*first, *second])).astype(int)
    ways = np.zeros((n + 1, ranks.sum() + 1))
    ways[0, 0] = 1
    for rank in ranks:
        ways[1:, rank:] += ways[:-1, : len(ways[0]) - rank].copy()
    away = np.abs(np.arange(len(ways[0])) - n * ranks.mean())
    return float(ways[n][away >= away[ranks[:n].sum()] - 1e-6].sum() / ways[n].sum())


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
