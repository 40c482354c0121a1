"""Effects and verdicts: closed forms, other code, and simulation of coverage, size and power (run with -s to see the table)."""

from functools import cache
from itertools import combinations, product

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression

from study.statistics import correlation
from study.statistics.arms import Arm, bounded, faster, more_solve, reaches_further, same_cost
from study.statistics.effect import fewest
from study.statistics.half_success import bracket, half_success
from study.statistics.p_values import rank_test
from study.statistics.ratios import equal_cost, mean_ratio
from study.statistics.risks import fisher_power, newcombe, risk_difference
from study.statistics.shares import share_of_all, sign_power
from study.statistics.superiority import interval, rank_power, superiority
from study.statistics.verdict import ALPHA, CONTRADICTED, INCONCLUSIVE, NO_DIFFERENCE, NOW, OPPOSITE, PUBLISHED, SAME, Comparison, Verdict, overall, settle

GAPS = (12, 25, 50, 100, 200)


# Success rates


@pytest.mark.parametrize(("first", "second", "low", "high"), [
    ((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090), ((10, 10), (0, 10), 0.6075, 1.0)])
def test_newcombe_gives_the_published_intervals(first, second, low, high):
    assert newcombe(first, second) == pytest.approx((low, high), abs=1e-4)  # Newcombe 1998, table II, method 10


def test_fisher_is_significant_only_where_the_interval_leaves_out_zero():
    for n, m in product((4, 6, 9, 10), repeat=2):
        for k, j in product(range(n + 1), range(m + 1)):
            effect = risk_difference((k, n), (j, m))
            assert effect.p >= ALPHA or effect.lean == np.sign(k / n - j / m)


def test_power_of_fishers_test_by_enumeration():
    power = sum(stats.binom.pmf(k, 5, 0.9) * stats.binom.pmf(j, 7, 0.3) for k, j in product(range(6), range(8))
                if stats.fisher_exact([[k, 5 - k], [j, 7 - j]]).pvalue < 0.05)
    assert fisher_power((5, 7), (0.9, 0.3), 0.05) == pytest.approx(power, abs=1e-12)


# Rank correlation


def test_rank_correlation_against_scipy_and_its_published_interval():
    first, second = np.arange(20.0), np.array([3, 0, 1, 5, 2, 4, 9, 6, 7, 8, 12, 10, 19, 11, 13, 15, 14, 18, 16, 17.0])
    effect = correlation.rank_correlation("r", first, second)
    found = stats.spearmanr(first, second)
    assert effect.value == pytest.approx(found.statistic) and effect.p == pytest.approx(found.pvalue)
    z, error = np.arctanh(effect.value), np.sqrt((1 + effect.value**2 / 2) / 17)  # Bonett & Wright 2000
    assert (effect.low, effect.high) == pytest.approx(tuple(np.tanh([z - 1.959964 * error, z + 1.959964 * error])), abs=1e-6)
    assert effect.lean == 1 and correlation.rank_correlation("r", first, -second).lean == -1
    assert np.isnan(correlation.interval(1.0, 3)[0]) and correlation.interval(1.0, 9) == (1.0, 1.0)


def test_the_interval_of_a_rank_correlation_covers_and_its_test_has_its_power():
    """15 pairs from a normal pair whose rank correlation is 0.7, 2,000 times."""
    random, rho = np.random.default_rng(3), 2 * np.sin(np.pi * 0.7 / 6)
    pairs = random.multivariate_normal([0, 0], [[1, rho], [rho, 1]], (2000, 15))
    effects = [correlation.rank_correlation("r", *pair.T) for pair in pairs]
    assert np.mean([effect.low <= 0.7 <= effect.high for effect in effects]) == pytest.approx(0.95, abs=0.025)
    assert np.mean([effect.p < 0.05 for effect in effects]) == pytest.approx(correlation.power(15, 0.7, 0.05), abs=0.08)


# The probability of doing better


def test_rank_test_deals_tied_ranks_in_every_way():
    first, second = [1, 1, 2, 4], [2, 2, 3, 4, 4]
    ranks = stats.rankdata(first + second)
    away = [abs(sum(dealt) - 4 * ranks.mean()) for dealt in combinations(ranks, 4)]
    assert rank_test(first, second) == pytest.approx(np.mean(np.array(away) >= abs(ranks[:4].sum() - 4 * ranks.mean()) - 1e-9))
    apart = [3.0, 1.0, 4.5, 9.0], [2.0, 0.5, 6.0, 1.5, 0.1]
    assert rank_test(*apart) == pytest.approx(stats.mannwhitneyu(*apart, method="exact").pvalue)


def test_superiority_counts_pairs_and_ties_by_half():
    assert superiority([1, 2, np.inf], [2, np.inf]) == (0 + 0 + 0.5 + 0 + 1 + 0.5) / 6


def test_interval_of_the_probability_against_the_bootstrap_and_where_that_fails():
    generator = np.random.default_rng(3)
    first, second = generator.normal(0.6, 1, 60), generator.normal(0, 1, 60)
    ends = stats.bootstrap((first, second), lambda a, b: superiority(a, b), n_resamples=999, vectorized=False, method="percentile",
                           rng=np.random.default_rng(4)).confidence_interval
    assert interval(superiority(first, second), 60, 60) == pytest.approx((ends.low, ends.high), abs=0.03)
    assert 0.6 < interval(1.0, 6, 6)[0] < 0.9  # the bootstrap's interval is [1, 1]


# Sequences


def test_ratio_of_means_against_scipy():
    first, second = np.log([10, 22, 33, 38, 61, 59.0]), np.log([11, 20, 30, 40.0])
    ends = stats.ttest_ind(first, second, equal_var=False).confidence_interval()
    assert mean_ratio(first, second)[1:] == pytest.approx((np.exp(ends.low), np.exp(ends.high)))


@pytest.mark.parametrize("shift", [0.2, 0.55, 0.7, 0.8, 1.0, 1.3, 1.4, 1.45, 1.6, 3.0])
def test_tests_of_a_ratio_agree_with_its_interval(shift):
    second = np.log([100, 120, 80, 105, 95, 130.0])
    effect = equal_cost(second + np.log(shift) + [0, 0.1, -0.1, 0.05, 0, -0.05], second, 1.5)
    assert ((effect.p_for < ALPHA) - (effect.p_against < ALPHA)) == effect.lean


def arm(name, logs, solved=None):
    """One trial a seed at gap 100, of these logs of sequences, each solved unless told otherwise."""
    solved = np.ones(len(logs), bool) if solved is None else solved
    return Arm(name, pd.DataFrame({"gap": 100, "seed": range(len(logs)), "solved": solved, "sequences": np.exp(logs), "budget": 1e6}))


def test_faster_counts_pairs_of_seeds_and_leaves_unsolved_ones_behind():
    quick, slow = arm("quick", np.log([1e3, 2e3, 3e3, 4e3])), arm("slow", np.log([2.5e3, 5e3, 1e6, 1e6]), [True, True, False, False])
    comparison = faster(quick, slow)
    assert comparison.effect.value == (4 + 4 + 4 + 2) / 16 and comparison.beside.startswith("sequences, ratio 0.04 ")
    assert faster(slow, quick).effect.value == 1 - comparison.effect.value and faster(quick, arm("one", [7.0])) is None
    never = arm("never", np.log([1e6] * 4), [False] * 4)
    assert faster(never, never).effect.value == 0.5 and faster(never, never).floor


def test_censored_seeds_never_prove_a_ratio():
    fast, half = arm("fast", np.full(10, 13.5)), arm("half", np.full(10, 13.8), np.arange(10) < 5)
    for comparison in (same_cost(half, fast, 1.5), bounded(half, fast, 2)):
        assert comparison.effect.p == 1 and comparison.outcome(comparison.effect.p)[0] == INCONCLUSIVE
    assert bounded(arm("one", np.full(10, 13.5)), fast, 2).outcome(0.0)[0] == SAME


# Half-success gaps


@cache
def curve(solved, n=10, gaps=GAPS):
    """HalfSuccess of an arm of which solved[k] of n seeds solve gaps[k]."""
    pairs = [(gap, seed < k) for gap, k in zip(gaps, solved, strict=True) for seed in range(n)]
    return half_success(*zip(*pairs, strict=True))


def test_half_success_is_the_middle_of_a_logistic_regression():
    solved = (200, 180, 120, 40, 4)  # with so many seeds Firth's correction is small
    x = np.repeat(np.log(GAPS), 200)[:, None]
    y = np.concatenate([np.arange(200) < k for k in solved])
    fitted = LogisticRegression(C=1e9, tol=1e-10, max_iter=10_000).fit(x, y)
    assert curve(solved, 200).value == pytest.approx(np.exp(-fitted.intercept_[0] / fitted.coef_[0, 0]), rel=0.02)


@pytest.mark.parametrize(("solved", "text"), [
    ((10, 10, 10, 0, 0), "71 [50, 100]"), ((10, 10, 3, 0, 0), "44 [25, 55]"), ((10,) * 5, "> 200"),
    ((0,) * 5, "< 12"), ((10, 0, 10, 0, 10), "> 200 [< 12, > 200]"), ((5,) * 5, "50 [< 12, > 200]")])
def test_half_success_where_success_separates_or_never_falls(solved, text):
    assert str(curve(solved)) == text


@pytest.mark.parametrize("gaps", [(25, 50, 100, 200), (7, 13, 29, 201)])
def test_an_interval_that_ends_at_a_tested_gap_lies_within_the_tested_gaps(gaps):
    """The largest gap that most seeds solve is the smallest one; the smallest that most fail is the largest."""
    assert str(curve((10, 0, 0, 0), gaps=gaps)).endswith(f"[{gaps[0]}, {gaps[1]}]")
    assert str(curve((10, 10, 10, 0), gaps=gaps)).endswith(f"[{gaps[2]}, {gaps[3]}]")


def test_a_bracket_says_where_success_is_not_monotone():
    assert bracket([12, 25, 50], [True, True, False]) == (25, 50)
    assert bracket([12, 25, 50], [True, False, True]) == (50, 25)
    assert bracket([12], [True]) == (12, np.inf) and bracket([12], [False]) == (0, 12)


# Simulation


def coverage(draw, covers, repeats=400):
    generator = np.random.default_rng(7)
    return np.mean([covers(draw(generator)) for _ in range(repeats)])


@pytest.mark.parametrize("p", [0.5, 0.8, 0.95])
def test_coverage_of_the_probability(p):
    shift = np.sqrt(2) * stats.norm.ppf(p)

    def covers(samples):
        low, high = interval(superiority(*samples), 10, 10)
        return low <= p <= high
    assert coverage(lambda draw: (draw.normal(shift, 1, 10), draw.normal(0, 1, 10)), covers) > 0.92


@pytest.mark.parametrize(("p", "q"), [(0.9, 0.1), (0.5, 0.5), (0.95, 0.8)])
def test_coverage_of_the_difference_of_rates(p, q):
    k, j = np.arange(11)[:, None], np.arange(11)[None, :]
    weight = stats.binom.pmf(k, 10, p) * stats.binom.pmf(j, 10, q)
    inside = [[low <= p - q <= high for low, high in (newcombe((a, 10), (b, 10)) for b in range(11))] for a in range(11)]
    assert (weight * inside).sum() > 0.93


@pytest.mark.parametrize(("middle", "steepness"), [(30, 1.5), (80, 3), (55, 30)])
def test_coverage_of_the_half_success_gap(middle, steepness):
    rates = 1 / (1 + (np.array(GAPS) / middle)**steepness)

    def covers(solved):
        fitted = curve(tuple(solved))
        return fitted.low <= middle <= fitted.high
    assert coverage(lambda draw: draw.binomial(10, rates), covers, 120) > 0.88


def seeds_that(draw, rates, n=10):
    """An arm of n seeds that solve each of GAPS with these rates."""
    rows = [(gap, seed, draw.random() < rate) for seed in range(n) for gap, rate in zip(GAPS, rates, strict=True)]
    frame = pd.DataFrame(rows, columns=["gap", "seed", "solved"])
    return Arm("one", frame.assign(sequences=np.where(frame["solved"], 1e4, 1e5), budget=1e5))


def reaching(middle):
    return lambda draw: seeds_that(draw, 1 / (1 + (np.array(GAPS) / middle)**4))


def costing(log, sd=0.3, n=12):
    return lambda draw: arm("one", draw.normal(log, sd, n))


RULES = {  # rule: (comparison, first arm, second arm, wanted outcome, least and most share of it)
    "more solve, .5 .5": (more_solve, lambda d: seeds_that(d, [0.5] * 5).at(12), lambda d: seeds_that(d, [0.5] * 5).at(12), SAME, 0, 0.05),
    "more solve, .9 .1": (more_solve, lambda d: seeds_that(d, [0.9] * 5).at(12), lambda d: seeds_that(d, [0.1] * 5).at(12), SAME, 0.88, 1),
    "reaches further, equal": (reaches_further, reaching(50), reaching(50), SAME, 0, 0.05),
    "reaches further, 100 to 25": (reaches_further, reaching(100), reaching(25), SAME, 0.9, 1),
    "same cost, equal": (lambda a, b: same_cost(a, b, 1.5), costing(9), costing(9), NO_DIFFERENCE, 0.75, 0.97),
    "same cost, 1.5": (lambda a, b: same_cost(a, b, 1.5), costing(9 + np.log(1.5)), costing(9), NO_DIFFERENCE, 0, 0.05),
    "same cost, 3": (lambda a, b: same_cost(a, b, 1.5), costing(9 + np.log(3)), costing(9), OPPOSITE, 0.95, 1),
    "bounded, 1": (lambda a, b: bounded(a, b, 2), costing(9), costing(9), SAME, 0.95, 1),
    "bounded, 2": (lambda a, b: bounded(a, b, 2), costing(9 + np.log(2)), costing(9), SAME, 0, 0.05),
}
NEVER_OPPOSITE = ("more solve, .9 .1", "reaches further, 100 to 25", "same cost, equal", "bounded, 1")


@pytest.mark.parametrize("rule", RULES)
def test_size_and_power_of_each_rule(rule):
    compare, first, second, wanted, least, most = RULES[rule]
    generator, repeats = np.random.default_rng(11), 150
    outcomes = []
    for _ in range(repeats):
        comparison = compare(first(generator), second(generator))
        outcomes.append(comparison.outcome(comparison.effect.p)[0])
    share, opposite = outcomes.count(wanted) / repeats, outcomes.count(OPPOSITE) / repeats
    print(f"\n{rule:28} {wanted:15} {share:5.2f}   opposite {opposite:5.2f}   power as printed {comparison.effect.power(ALPHA):5.2f}")
    error = 3 * np.sqrt(0.05 * 0.95 / repeats)
    assert least - error <= share <= most + error
    assert opposite == 0 or rule not in NEVER_OPPOSITE


def test_no_difference_in_favour_of_a_claim_is_called_opposite():
    for n, m in ((6, 6), (10, 10), (10, 4)):
        for k, j in product(range(n + 1), range(m + 1)):
            effect = risk_difference((k, n), (j, m))
            outcome, _ = Comparison(effect, "", n).outcome(effect.p)
            assert outcome != (OPPOSITE if k / n >= j / m else SAME)


def test_power_of_the_rank_test_is_that_of_simulated_trials():
    generator = np.random.default_rng(5)
    shift = np.sqrt(2) * stats.norm.ppf(0.9)
    found = np.mean([rank_test(generator.normal(shift, 1, 8), generator.normal(0, 1, 8)) < 0.05 for _ in range(400)])
    assert rank_power((8, 8), 0.9, 0.05) == pytest.approx(found, abs=0.1)


def test_power_of_the_sign_test_by_counting():
    assert sign_power(6, 0.95, 0.05) == pytest.approx(0.95**6 + 0.05**6)
    assert share_of_all("x", [True] * 20 + [False]).p == 1.0


def test_ten_and_twenty_seeds_find_what_they_are_planned_for():
    """Two-sided 5 % over four comparisons."""
    assert fisher_power((10, 10), (0.9, 0.1), ALPHA / 4) > 0.85 and fisher_power((20, 20), (0.9, 0.3), ALPHA / 4) > 0.9
    assert fewest(lambda n: fisher_power((n, n), (0.9, 0.3), ALPHA / 4)) == pytest.approx(16, abs=1)
    assert fewest(lambda n: fisher_power((n, n), (0.5, 0.55), ALPHA / 4)) is None


# Verdicts


def test_holm_corrects_within_a_claim_and_an_undecided_verdict_keeps_its_p():
    strong, weak = Comparison(risk_difference((10, 10), (0, 10)), "", 10), Comparison(risk_difference((5, 5), (1, 5)), "", 5)
    open_ = Comparison(risk_difference((4, 6), (3, 6)), "", 6)
    settled = settle([Verdict("C", "a", strong, 10), Verdict("C", "b", weak, 5), Verdict("C", "c", open_, 6), Verdict("D", "d", weak, 5),
                      Verdict("D", "not run", None, 6)])
    assert [one.outcome for one in settled] == [SAME, INCONCLUSIVE, INCONCLUSIVE, SAME]
    assert [one.holm / one.comparison.effect.p for one in settled] == pytest.approx([3, 2, 1, 1])
    assert [one.needed for one in settled][::3] == [None, None] and 6 < settled[1].needed < 12
    assert settled[0].power == pytest.approx(fisher_power((10, 10), (0.9, 0.1), ALPHA / 3))


def test_only_a_paper_s_own_protocol_with_a_control_contradicts_it():
    against = more_solve(arm("one", [7.0] * 12, [False] * 12), arm("other", [7.0] * 12, [True] * 12))
    near, far = ((("cell", PUBLISHED), ("loss", how)) for how in (PUBLISHED, "from memory"))
    outcomes = [settle([Verdict("C", "s", against, 12, protocol=PUBLISHED, fidelity=fidelity, control=control)])[0].outcome
                for fidelity in ((), far, near) for control in (False, True)]
    assert outcomes == [*[OPPOSITE] * 5, CONTRADICTED]
    both = settle([Verdict("C", "s", against, 12, protocol=protocol) for protocol in (NOW, PUBLISHED)])
    assert [verdict.holm for verdict in both] == [against.effect.p] * 2  # each protocol is a family of its own


def test_what_the_verdicts_of_a_claim_come_to():
    solve = [True] * 12, [False] * 12
    same, opposite, floor = (more_solve(*(arm(name, [7.0] * 12, solve[k]) for name, k in zip("ab", pair))) for pair in ((0, 1), (1, 0), (1, 1)))

    def come_to(*comparisons):
        return overall(settle([Verdict("C", "s", comparison, 12) for comparison in comparisons]))

    assert [come_to(), come_to(same), come_to(same, floor), come_to(same, opposite), come_to(opposite), come_to(floor, floor)] == [
        "planned", SAME, f"1 {SAME}, 1 floor", f"1 {SAME}, 1 {OPPOSITE}", OPPOSITE, "floor"]
