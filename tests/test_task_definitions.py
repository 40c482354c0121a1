"""Each published definition, window by window."""

import re

import numpy as np
import pytest

import kernels
from study.tasks import TASKS, _reber, group_words, reber, timing

ROWS = 4000


def draw(name, gap, rows=ROWS):
    return TASKS[name].sample(kernels.Stream("test"), rows, gap)


def past_length(batch):
    return np.arange(len(batch.x))[:, None] >= batch.lengths


def symbols_of(batch):
    return np.where(past_length(batch), -1, batch.x.argmax(2)).T


@pytest.mark.parametrize("side", ["past", "future", "both"])
def test_recall_by_the_letter(side):
    gap = 7
    batch = draw(f"recall/{side}", gap)
    symbols, rows = symbols_of(batch), np.arange(ROWS)
    query = batch.read
    assert (symbols[rows, query] == 8).all() and ((symbols == 8).sum(1) == 1).all()
    before, after = symbols[rows, query - gap], symbols[rows, query + gap]
    cues = (0 <= symbols) & (symbols < 4)
    assert (cues.sum(1) == (2 if side == "both" else 1)).all()
    if side in ("past", "both"):
        assert (before < 4).all()
    if side in ("future", "both"):
        assert (after < 4).all()
    target = {"past": before, "future": after, "both": before * 4 + after}[side]
    assert (batch.target == target).all()
    lead, tail = query - gap, batch.lengths - 1 - (query + gap)
    for edge in (lead, tail):
        assert set(edge) == set(range(10)) and np.bincount(edge).min() > ROWS / 10 * 0.8
    assert abs(np.corrcoef(lead, tail)[0, 1]) < 0.08
    assert np.bincount(symbols[(4 <= symbols) & (symbols < 8)] - 4) / (symbols >= 4).sum() == pytest.approx([0.25] * 4, rel=0.1)


@pytest.mark.parametrize("scale", [20, 55, 100, 200])
@pytest.mark.parametrize("version, windows", [("6a", [(10, 20), (50, 60)]), ("6b", [(10, 20), (33, 43), (66, 76)])])
def test_temporal_order_by_the_letter(version, windows, scale):
    batch = draw(f"temporal_order/{version}", scale)
    symbols, rows = symbols_of(batch), np.arange(ROWS)
    assert set(batch.lengths) == set(range(scale, 110 * scale // 100 + 1))
    assert (symbols[:, 0] == 0).all() and (symbols[rows, batch.lengths - 1] == 1).all()
    assert (batch.read == batch.lengths - 1).all()
    assert ((symbols == 0).sum(1) == 1).all() and ((symbols == 1).sum(1) == 1).all()
    relevant = symbols >= 6
    assert (relevant.sum(1) == len(windows)).all()
    places = relevant.nonzero()[1].reshape(ROWS, -1)
    for place, (low, high) in zip(places.T, windows, strict=True):
        assert set(place + 1) == set(range(low * scale // 100, high * scale // 100 + 1))
    bits = symbols[rows[:, None], places] - 6
    assert (batch.target == bits @ (2 ** np.arange(len(windows)))[::-1]).all()
    lag = (batch.read - places[:, -1]).min()
    assert lag >= (0.4 if version == "6a" else 0.24) * scale - 1


@pytest.mark.parametrize("scale", [40, 101, 200])
def test_adding_by_the_letter(scale):
    batch = draw("adding/hs97", scale)
    value, marker = np.where(past_length(batch)[:, :, None], np.float32(0), batch.x).transpose(2, 1, 0)
    rows, last = np.arange(ROWS), batch.lengths - 1
    assert set(batch.lengths) == set(range(scale, 11 * scale // 10 + 1)) and (batch.read == last).all()
    assert (marker[:, 0] == -1).all() and (marker[rows, last] == -1).all() and ((marker == -1).sum(1) == 2).all()
    assert (np.abs(value) <= 1).all() and np.abs(value[:, :scale].mean()) < 0.01
    ones = (marker == 1).sum(1)
    hidden = ones == 1
    assert set(ones) == {1, 2} and hidden.mean() == pytest.approx(0.1, abs=0.02)
    assert np.allclose(batch.target[:, 0], 0.5 + (value * (marker == 1)).sum(1) / 4, rtol=0, atol=1e-6)
    places = [np.flatnonzero(row) + 1 for row in marker == 1]
    assert max(place[-1] for place in places) == scale // 2 - 1
    assert all(place[0] <= 10 for place in np.array(places, object)[~hidden])
    assert (last + 1 - np.array([place[-1] for place in places])).min() >= scale / 2


def test_digits_are_scikit_learns_in_their_order():
    load_digits = pytest.importorskip("sklearn.datasets").load_digits
    digits, task = load_digits(), TASKS["digits"]
    test = task.test(3)
    assert np.array_equal(test.x[:64, :, 0].T * 16, digits.data[-360:]) and np.array_equal(test.target, digits.target[-360:])
    assert test.x.shape == (67, 360, 1) and not test.x[64:].any() and (test.read == 66).all()
    drawn = {row.tobytes() for row in draw("digits", 0, 20_000).x[:, :, 0].T}
    assert drawn == {row.tobytes() for row in (digits.data[:-360] / 16).astype(np.float32)}


@pytest.mark.parametrize("version", [140, 13])
def test_multiplication_by_the_letter(version):
    batch = draw(f"multiplication/{version}", 40)
    value, marker = np.where(past_length(batch)[:, :, None], np.float32(0), batch.x).transpose(2, 1, 0)
    assert (0 <= value).all() and (value < 1).all() and value[:, :40].mean() == pytest.approx(0.5, abs=0.01)
    assert np.allclose(batch.target[:, 0], np.where(marker == 1, value, 1).prod(1), rtol=1e-6)
    assert ((marker == 1).sum(1) == 1).mean() == pytest.approx(0.1, abs=0.02)
    assert TASKS[f"multiplication/{version}"].rule.wrong == version - 1


@pytest.mark.parametrize("length", [20, 21])
def test_adding_uniform_marks_one_number_in_each_half(length):
    batch = draw("adding/uniform", length)
    marker = batch.x[:, :, 1].T
    first, second = marker.nonzero()[1].reshape(ROWS, 2).T
    assert set(first) == set(range(length // 2)) and set(second) == set(range(length // 2, length)) and set(marker.flat) == {0, 1}
    assert (batch.lengths == length).all() and (0 <= batch.x).all() and (batch.x[:, :, 0] < 1).all()


def test_copy_by_the_letter():
    batch = draw("copy", 30)
    symbols, target = batch.x.argmax(2).T, batch.target.reshape(ROWS, 50)
    assert (symbols[:, :10] < 8).all() and (symbols[:, 39] == 9).all()
    assert (symbols[:, 10:39] == 8).all() and (symbols[:, 40:] == 8).all()
    assert (target[:, :40] == 8).all() and (target[:, 40:] == symbols[:, :10]).all()
    assert batch.judged.reshape(ROWS, 50).nonzero()[1].reshape(ROWS, 10).tolist() == [list(range(40, 50))] * ROWS


def test_lag_long_by_the_letter():
    batch = draw("lag_long/50", 20)
    symbols, rows = symbols_of(batch), np.arange(ROWS)
    k = batch.lengths - 23
    assert k.min() == 0 and k.mean() == pytest.approx(9, abs=0.7) and (k == 0).mean() == pytest.approx(0.1, abs=0.02)
    assert (k >= 10).mean() == pytest.approx(0.9**10, abs=0.035)
    assert (symbols[:, 0] == 52).all() and set(symbols[:, 1]) == {50, 51} and (symbols[rows, batch.lengths - 1] == 53).all()
    assert all(set(row[2 : n - 1]) <= set(range(50)) for row, n in zip(symbols, batch.lengths, strict=True))


@pytest.mark.parametrize("version", ["3a", "3b", "3c"])
def test_two_sequence_by_the_letter(version):
    batch = draw(f"two_sequence/{version}", 50)
    x, truth = batch.x[:, :, 0].T, batch.target if batch.truth is None else batch.truth
    assert set(batch.lengths) == set(range(50, 56))
    assert x[:, 3:50].var() == pytest.approx(0.2, rel=0.03) and abs(x[:, 3:50].mean()) < 0.01
    sign = np.where(truth > 0.5, 1, -1)
    start = x[:, :3] - sign
    assert start.var() == pytest.approx(0.2, rel=0.06) if version == "3b" else not start.any()
    if version == "3c":
        assert set(truth[:, 0]) == {np.float32(0.2), np.float32(0.2) + np.float32(0.6)}
        assert (batch.target - truth).var() == pytest.approx(0.1, rel=0.1)
    else:
        assert set(truth[:, 0]) == {0, 1} and batch.truth is None


def test_latch_holds_its_class_through_noise():
    x = draw("latch", 30).x[:, :, 0]
    assert (np.abs(x[:3]) == 1).all() and (x[:3] == x[0]).all() and x[3:].var() == pytest.approx(0.2, rel=0.03)


def test_parity_has_every_length_alike():
    lengths = draw("parity", 12).lengths
    assert set(lengths) == set(range(3, 13)) and np.bincount(lengths)[3:].min() > ROWS / 10 * 0.8


@pytest.mark.parametrize("name, perfect", [("a5", True), ("z60", False), ("a4z5", False)])
def test_groups_are_groups_and_only_a5_is_all_made_of_commutators(name, perfect):
    table = group_words.table(name)
    every = list(range(60))
    assert all(sorted(row) == every for row in (*table, *table.T))
    assert np.array_equal(table[table], table[:, table])  # (a b) c = a (b c)
    one = (table == every).all(axis=1).argmax()
    inverse = (table == one).argmax(axis=1)
    commutators = {table[table[a, b], table[inverse[a], inverse[b]]] for a in every for b in every}
    assert (len(commutators) == 60) == perfect


@pytest.mark.parametrize("version, shares", [("flip_flop", (10, 80)), ("flip_flop/sparse", (1, 98)), ("flip_flop/dense", (45, 10))])
def test_flip_flop_draws_its_instructions(version, shares):
    symbols = draw(version, 41).x.argmax(2).T
    instructions = symbols[:, ::2]
    assert symbols.shape[1] == 39 and (instructions[:, 0] == 0).all() and (instructions[:, -1] == 1).all()
    write, _, ignore = np.bincount(instructions[:, 1:-1].ravel()) / instructions[:, 1:-1].size * 100
    assert (write, ignore) == pytest.approx(shares, rel=0.1)
    assert (symbols[:, 1::2] == 4).mean() == pytest.approx(0.5, abs=0.05)


def test_multi_recall_asks_for_each_key_once():
    symbols = draw("multi_recall/8", 5).x.argmax(2).T
    keys, asked = symbols[:, :16:2], symbols[:, -8:]
    assert (np.sort(keys) == np.sort(asked)).all() and (np.diff(np.sort(keys)) > 0).all() and set(keys.flat) == set(range(32))
    assert set(symbols[:, 1:16:2].flat) == set(range(32, 48)) and set(symbols[:, 16:21].flat) == set(range(48, 52))
    assert (keys == asked).mean() == pytest.approx(1 / 8, abs=0.02)


def test_reber_learns_from_256_strings_and_is_tested_on_others():
    symbols, _, lengths = reber.strings()
    texts = ["".join(_reber.SYMBOLS[symbol] for symbol in row[:n]) for row, n in zip(symbols, lengths, strict=True)]
    assert len(texts) == 512 and set(texts[:256]).isdisjoint(texts[256:]) and min(map(len, texts)) == 9
    assert all(re.fullmatch("B([TP])B[TSXPV]+E\\1E", text) for text in texts)
    drawn = draw("reber", 0)
    seen = {"".join(_reber.SYMBOLS[s] for s in row[:n]) for row, n in zip(symbols_of(drawn), drawn.lengths, strict=True)}
    assert seen == {text[:-1] for text in texts[:256]}
    test = TASKS["reber"].test(0)
    assert len(test.lengths) == 256 and "".join(_reber.SYMBOLS[s] for s in test.target[: test.lengths[0]]) == texts[256][1:]


def test_the_grammar_takes_each_branch_with_probability_a_half():
    symbols, states = (array.T for array in _reber.walk(kernels.Stream("walk").words(10 * ROWS).reshape(ROWS, 10), 600))
    assert symbols.size / (states == _reber.END).sum() == pytest.approx(12, rel=0.02)
    for state, (one, other) in enumerate(_reber.SYMBOL):
        if one != other:
            assert (symbols[states == state] == one).mean() == pytest.approx(0.5, abs=0.02)
            assert set(symbols[states == state]) == {one, other}


@pytest.mark.parametrize("version, spikes", [("nmsd", 1), ("msd", 10)])
def test_intervals_between_spikes_are_f_or_one_more(version, spikes):
    batch = draw(f"timing/{version}", 20)
    at = batch.x[:, :, 0].T.nonzero()[1].reshape(ROWS, spikes)
    interval = np.diff(at, axis=1, prepend=-1)
    assert set(interval.flat) == {20, 21} and (interval == 21).mean() == pytest.approx(0.5, abs=0.03)
    assert (batch.read == at.ravel()).all() and (batch.lengths == at[:, -1] + 1).all()
    assert (batch.target[:, 0] == interval.ravel() - 20).all()


@pytest.mark.parametrize("period", [10, 11, 25, 1000])
def test_periodic_functions_are_those_of_numpy(period):
    t = np.arange(period)
    assert np.allclose(timing.wave("cos", period), (1 - np.cos(2 * np.pi * t / period)) / 2, rtol=0, atol=1e-7)
    assert np.allclose(timing.wave("triangle", period), 1 - np.abs(1 - 2 * t / period), rtol=0, atol=1e-7)
    assert timing.wave("rectangle", period) == [float(t >= period / 2) for t in range(period)]
