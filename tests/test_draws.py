"""Streams: their key, their words, the laws of what is drawn (fixed keys, p > 1e-4), what each call takes, refusals."""
import hashlib
import statistics

import numpy as np
import pytest
from cases import same_bits
from head_hashes import assert_golden
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

import kernels

LUCK = 1e-4     # the p-value below which a draw does not follow its law
parts = st.lists(st.one_of(st.text(max_size=5), st.integers(), st.floats(allow_nan=False)), max_size=4).map(tuple)


def stream(*key):
    return kernels.Stream("test", *key)


def test_the_key_is_sha256_of_the_parts():
    digest = hashlib.sha256(b"('data', 'caf\\xe9', 50, 0.5)").digest()
    philox = np.random.Philox(key=[int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:16], "little")], counter=0)
    assert (kernels.Stream("data", "café", 50, 0.5).words(100) == philox.random_raw(100)).all()


def test_philox_by_its_published_rounds():
    """Philox 4x64-10 with Python's integers, the counter starting at 1."""
    digest = hashlib.sha256(b"('rounds',)").digest()
    key = [int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:16], "little")]
    words = []
    for counter in (1, 2, 3):
        c, k = [counter, 0, 0, 0], list(key)
        for _ in range(10):
            one, two = 0xD2E7470EE14C6C93 * c[0], 0xCA5A826395121157 * c[2]
            c = [(two >> 64) ^ c[1] ^ k[0], two % 2**64, (one >> 64) ^ c[3] ^ k[1], one % 2**64]
            k = [(k[0] + 0x9E3779B97F4A7C15) % 2**64, (k[1] + 0xBB67AE8584CAA73B) % 2**64]
        words += c
    assert kernels.Stream("rounds").words(12).tolist() == words


@given(parts, parts)
def test_equal_parts_and_only_they_give_equal_streams(a, b):
    same = list(map(repr, a)) == list(map(repr, b))
    assert (kernels.Stream(*a).words(4).tolist() == kernels.Stream(*b).words(4).tolist()) == same


@pytest.mark.parametrize("a, b", [
    (("a", "bc"), ("ab", "c")), (("a",), ("a", "")), (("a', 'b",), ("a", "b")), ((1, 23), (12, 3)), ((1,), ("1",)), ((1,), (1.0,)),
    ((0.0,), (-0.0,)), ((), ("",)), (("é",), ("\\xe9",)), ((1,), (2,)), ((2**70,), (2**70 + 1,)),
])
def test_parts_that_look_alike_differ(a, b):
    assert not np.intersect1d(kernels.Stream(*a).words(100), kernels.Stream(*b).words(100)).size


def test_numpys_scalars_count_as_pythons():
    assert (kernels.Stream(np.int32(3), np.float64(0.1), np.str_("a")).words(5) == kernels.Stream(3, 0.1, "a").words(5)).all()


def test_calls_take_words_in_order():
    whole = stream("order").words(64)
    s = stream("order")
    halves = whole.view("<u4")
    assert (s.words(3) == whole[:3]).all()
    assert (s.integers(5, 2**32) == halves[6:11]).all()         # 3 words, the last half passed over
    assert (s.integers(4, 2**31) == halves[12:16] >> 1).all()
    assert (s.uniform(4) == (whole[8:12] >> 11) / 2**53).all()
    s.normal(7), s.log_uniform(5, 1, 2), s.orthogonal(3)        # 7, 5 and 9 words
    assert (s.words(4) == whole[33:37]).all()
    assert [len(s.words(0)), len(s.integers(0, 3)), len(s.uniform(0)), len(s.normal(0)), len(s.log_uniform(0, 1, 2))] == [0] * 5
    assert (s.words(2) == whole[37:39]).all()


@pytest.mark.parametrize("k", [1, 2, 3, 7, 10, 100, 2**16 + 1])
def test_integers_are_uniform(k):
    drawn = stream("integers", k).integers(200_000, k)
    assert drawn.dtype == np.int64 and drawn.min() >= 0 and drawn.max() < k
    if k <= 100:
        assert k == 1 or stats.chisquare(np.bincount(drawn, minlength=k)).pvalue > LUCK
        pairs = np.bincount(drawn[::2] * k + drawn[1::2], minlength=k * k)
        assert k == 1 or stats.chisquare(pairs).pvalue > LUCK
    else:
        assert stats.kstest(drawn, stats.randint(0, k).cdf).pvalue > LUCK


@pytest.mark.parametrize("k", [3 * 2**30, 2**31 + 1, 2**32 - 1])
def test_integers_pass_over_what_would_bias(k):
    """Lemire's rule, number by number, for ranges in which many candidates are passed over."""
    source, expected, n = stream("rejected", k), [], 1001
    while len(expected) < n:
        for word in source.words((n - len(expected) + 1) // 2).tolist():
            for r in (word % 2**32, word >> 32):
                if len(expected) < n and r * k % 2**32 >= 2**32 % k:
                    expected.append(r * k >> 32)
    drawn = stream("rejected", k)
    assert drawn.integers(n, k).tolist() == expected and (drawn.words(3) == source.words(3)).all()


@pytest.mark.parametrize("low, high", [(0, 1), (-1, 3), (5, 5.001), (-1e-3, 1e3)])
def test_uniform(low, high):
    drawn = stream("uniform", low).uniform(100_000, low, high)
    assert drawn.dtype == np.float64 and drawn.min() >= low and drawn.max() <= high
    assert stats.kstest(drawn, stats.uniform(low, high - low).cdf).pvalue > LUCK
    assert (drawn == low + (high - low) * stream("uniform", low).uniform(100_000)).all()


def test_normal_is_the_quantile_of_a_word():
    words = stream("normal").words(3000)
    quantile = statistics.NormalDist().inv_cdf
    expected = np.array([quantile((int(word >> 12) + 0.5) / 2**52) for word in words])
    drawn = stream("normal").normal(3000)
    assert np.allclose(drawn, expected, rtol=3e-15, atol=1e-17) and (drawn == kernels.normal(words)).all()


def test_normal_to_the_ends_of_its_tails(monkeypatch):
    cells = np.array([0, 1, 2, 10, 1000, 10**6, 2**30, 2**40, 2**48, 2**50, 2**51 - 1], np.uint64)
    cells = np.concatenate([cells, np.uint64(2**52 - 1) - cells[::-1]])
    s = stream("tails")
    monkeypatch.setattr(s, "words", lambda n: cells << np.uint64(12))
    drawn = s.normal(len(cells))
    expected = stats.norm.ppf((cells[:11] + 0.5) / 2**52)
    assert np.allclose(drawn[:11], expected, rtol=1e-12) and (drawn == -drawn[::-1]).all() and (np.diff(drawn) > 0).all()
    assert -8.3 < drawn[0] < -8.2


def test_normal_follows_its_law():
    drawn = stream("law").normal(200_000)
    assert stats.kstest(drawn, "norm").pvalue > LUCK and stats.normaltest(drawn).pvalue > LUCK
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 4 / np.sqrt(len(drawn))
    assert (np.abs(drawn) > 3).mean() == pytest.approx(2 * stats.norm.sf(3), rel=0.2)


def test_log_uniform():
    drawn = stream("log").log_uniform(100_000, 1e-3, 200)
    assert stats.kstest(np.log(drawn), stats.uniform(np.log(1e-3), np.log(2e5)).cdf).pvalue > LUCK
    assert drawn.min() > 1e-3 * (1 - 1e-14) and drawn.max() < 200 * (1 + 1e-14)
    u = stream("log").uniform(100_000)
    assert np.allclose(drawn, 1e-3 * 2e5**u, rtol=1e-13)


@pytest.mark.parametrize("n", [1, 2, 15, 16, 17, 100])
def test_orthogonal_is_orthogonal(n):
    q = stream("orthogonal", n).orthogonal(n)
    assert q.shape == (n, n) and q.dtype == np.float64
    assert np.abs(q @ q.T - np.eye(n)).max() < 2e-15 and np.abs(q.T @ q - np.eye(n)).max() < 1e-14
    a = stream("orthogonal", n).normal(n * n).reshape(n, n)
    triangular = a @ q.T
    assert np.allclose(np.triu(triangular, 1), 0, atol=1e-12) and (np.diag(triangular) > 0).all()


def test_orthogonal_matrices_follow_the_haar_measure():
    """An entry's square is Beta(1/2, (n-1)/2), its sign a coin, the trace has mean 0 and variance 1, det is +-1 alike."""
    n, s = 4, stream("haar")
    drawn = np.array([s.orthogonal(n) for _ in range(4000)])
    for i, j in [(0, 0), (0, 3), (3, 0), (3, 3), (2, 1)]:
        entry = drawn[:, i, j]
        assert stats.kstest(entry**2, stats.beta(0.5, (n - 1) / 2).cdf).pvalue > LUCK
        assert stats.binomtest(int((entry > 0).sum()), len(entry)).pvalue > LUCK
    trace = drawn.trace(axis1=1, axis2=2)
    assert abs(trace.mean()) < 4 / np.sqrt(4000) and abs(trace.var() - 1) < 0.12
    assert stats.binomtest(int((np.linalg.det(drawn) > 0).sum()), 4000).pvalue > LUCK
    signs = np.array([s.orthogonal(1)[0, 0] for _ in range(1000)])
    assert set(signs) == {-1, 1} and stats.binomtest(int((signs > 0).sum()), 1000).pvalue > LUCK


def test_streams_of_neighbouring_seeds_are_unrelated():
    drawn = np.array([stream("seed", seed).normal(2000) for seed in range(40)])
    correlation = np.corrcoef(drawn)[np.triu_indices(40, 1)]
    assert np.abs(correlation).max() < 5 / np.sqrt(2000) and stats.kstest(correlation * np.sqrt(2000), "norm").pvalue > LUCK
    first = np.array([kernels.Stream(seed).uniform(1)[0] for seed in range(5000)])
    assert stats.kstest(first, "uniform").pvalue > LUCK and len(set(first)) == 5000


def test_a_stream_leaves_numpys_own_state_alone():
    before = np.random.get_state()[1].copy()
    a, b = stream("pair"), stream("pair")
    assert [same_bits(a.normal(3), b.normal(3)) for _ in range(3)] == [True] * 3
    assert (np.random.get_state()[1] == before).all()


S = kernels.Stream("refusals")


@pytest.mark.parametrize("call, error, message", [
    (lambda: kernels.Stream(None), TypeError, "parts: expected strings, integers and floats, got None"),
    (lambda: kernels.Stream("a", ("b",)), TypeError, "parts: expected strings, integers and floats, got ('b',)"),
    (lambda: S.words(-1), ValueError, "n: expected an integer of 0 or more, got -1"),
    (lambda: S.normal(2.0), TypeError, "n: expected an integer of 0 or more, got 2.0"),
    (lambda: kernels.normal([1, 2]), TypeError, "words: expected an array of uint64, got list [1, 2]"),
    (lambda: S.integers(3, 0), ValueError, "k: expected an integer of 1 or more, got 0"),
    (lambda: S.integers(3, 2**32 + 1), ValueError, "k: expected an integer of at most 2^32, got 4294967297"),
    (lambda: S.uniform(3, 1, 1), ValueError, "high: expected a number above low = 1.0, got 1.0"),
    (lambda: S.uniform(3, 0, np.inf), ValueError, "high: expected a finite number, got inf"),
    (lambda: S.uniform(3, -1e308, 1e308), ValueError, "high - low: expected a finite number, got inf"),
    (lambda: S.log_uniform(3, 0, 1), ValueError, "low, high: expected 0 < low < high, got 0.0 and 1.0"),
    (lambda: S.log_uniform(3, 2, 1), ValueError, "low, high: expected 0 < low < high, got 2.0 and 1.0"),
    (lambda: S.orthogonal(0), ValueError, "n: expected an integer of 1 or more, got 0"),
])
def test_refusals(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize("isa", ["avx512", "avx2", "generic", "neon"])
def test_the_same_bits_with_every_instruction_set(isa):
    assert_golden(isa, "draws")
