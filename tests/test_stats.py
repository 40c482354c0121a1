"""Statistics against published values, SciPy and brute force."""

from math import comb, inf, isnan, log

import numpy as np
import pytest
from scipy import stats as scipy_stats

from study.statistics.decay import fit_decay
from study.statistics.medians import median_interval, quartiles
from study.statistics.p_values import holm, rank_test, sign_test
from study.statistics.success import survival, wilson


@pytest.mark.parametrize(("solved", "n", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)])
def test_wilson_against_the_formula(solved, n, low, high):
    z, p = scipy_stats.norm.ppf(0.975), solved / n
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert wilson(solved, n) == pytest.approx((centre - half, centre + half), abs=1e-12)
    assert wilson(solved, n) == pytest.approx((low, high), abs=1e-4)


def test_wilson_of_nothing_is_not_a_number():
    assert all(isnan(end) for end in wilson(0, 0))


def test_survival_against_the_published_remission_times():
    # 6-MP arm of Freireich et al. 1963: R's survfit(conf.type="log-log") gives median 23, interval 13 to NA
    weeks = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    relapse = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    curve = survival(weeks, relapse)
    assert (curve.median, curve.low, curve.high) == (23, 13, inf)
    at = dict(zip(curve.sequences, curve.unsolved, strict=True))
    assert [round(at[week], 4) for week in (6, 7, 10, 13, 16, 22, 23)] == [.8571, .8067, .7529, .6902, .6275, .5378, .4482]


def test_survival_of_censored_seeds_only_has_no_median():
    assert survival([100, 100, 100], [False] * 3).median == inf


def test_survival_without_censoring_is_the_empirical_curve():
    curve = survival([5, 1, 3, 2, 4], [True] * 5)
    assert curve.median == 3
    assert curve.unsolved == pytest.approx([.8, .6, .4, .2, 0])


@pytest.mark.parametrize("n", range(1, 31))
def test_the_median_lies_between_the_narrowest_order_statistics_that_cover(n):
    def coverage(low):
        return 1 - 2 * sum(comb(n, k) for k in range(low)) / 2**n
    low = max((low for low in range(1, (n + 1) // 2 + 1) if coverage(low) >= 0.95), default=None)
    ends = median_interval(range(1, n + 1))[1:]
    assert (low is None) == (n < 6)
    assert isnan(ends[0]) and isnan(ends[1]) if low is None else ends == (low, n + 1 - low)


def test_quartiles_leave_out_what_is_no_number():
    assert quartiles([1, None, 2, float("nan"), 3]) == {"q1": 1.5, "median": 2, "q3": 2.5}
    assert all(isnan(value) for value in quartiles([None]).values())


def test_median_interval_of_ten_runs_from_the_second_to_the_ninth():
    assert median_interval(range(10, 0, -1)) == (5.5, 2, 9)
    assert np.isnan(median_interval([1, 2, 3])[1:]).all()


def test_decay_of_an_exact_exponential():
    lag = np.arange(20)
    fit = fit_decay(lag, 3 * np.exp(-0.25 * lag))
    assert (fit.slope, fit.intercept, fit.r2) == pytest.approx((-0.25, log(3), 1.0))
    assert fit.low == pytest.approx(fit.high)


def test_decay_against_the_normal_equations():
    generator = np.random.default_rng(1)
    lag = np.arange(30.0)
    logs = 1 - 0.1 * lag + generator.normal(0, 0.5, 30)
    fit = fit_decay(lag, np.exp(logs))
    design = np.c_[np.ones(30), lag]
    (intercept, slope), residual, *_ = np.linalg.lstsq(design, logs)
    error = np.sqrt(residual[0] / 28 * np.linalg.inv(design.T @ design)[1, 1])
    assert (fit.intercept, fit.slope) == pytest.approx((intercept, slope))
    assert fit.high - fit.slope == pytest.approx(scipy_stats.t.ppf(0.975, 28) * error)
    assert fit.r2 == pytest.approx(1 - residual[0] / ((logs - logs.mean())**2).sum())


def test_decay_leaves_out_norms_that_vanished():
    assert fit_decay([0, 1, 2, 3, 4], [1, 0.5, 0.25, None, 0.0]).slope == pytest.approx(-log(2))
    assert fit_decay([0, 1, 2], [1, 0.5, None]) is None


def test_rank_test_by_enumeration():
    # all of 6 below all of 6: 2 of the 924 ways to deal twelve ranks
    assert rank_test([1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]) == pytest.approx(2 / comb(12, 6))
    assert rank_test([1, 1], [1, 1]) == 1.0


def test_sign_test_by_counting():
    assert sign_test(10, 10) == pytest.approx(2 / 2**10)
    assert sign_test(1, 6) == pytest.approx(2 * (1 + 6) / 2**6)
    assert sign_test(0, 0) == 1.0


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_seeds_that_all_solve_at_once_do_not_put_the_median_below_its_interval():
    curve = survival([5] * 6, [True] * 6)
    assert curve.low <= curve.median == 5 <= curve.high
