"""Attention: the twin, gradients, what an answer sees, padding, bits and refusals."""

import central
import numpy as np
import pytest
from cases import same_bits
from head_hashes import assert_golden

import kernels
from kernels import reference_attention
from kernels.attention import SCORES, SIGHT

T, B = 9, 4
LENGTHS = np.array([9, 1, 5, 7])
STEPS = [(0, 0), (3, 0), (8, 0), (0, 1), (4, 2), (2, 2), (6, 3), (6, 3)]    # of the answers: step and row, one of them twice
PLACES = np.array([t * B + b for t, b in STEPS])
each = pytest.mark.parametrize("direction, score, n", [(direction, score, n) for direction in SIGHT for score in SCORES for n in (1, 5, 16, 37)])


def problem(score, direction, n, dtype="float64"):
    rng = np.random.default_rng(n)
    attention = kernels.Attention(n, score, direction, dtype)
    theta, h = rng.uniform(-1, 1, attention.size).astype(dtype), rng.standard_normal((T, B, n)).astype(dtype)
    h[np.arange(T)[:, None] >= LENGTHS] = np.nan
    return attention, theta, h, rng.standard_normal((len(PLACES), 2 * n)).astype(dtype)


def passes(attention, theta, h, dout):
    out, tape, alpha = attention.forward(theta, h, LENGTHS, PLACES, record=True)
    return [out, alpha, *attention.backward(theta, tape, dout)]


@each
def test_the_twin(direction, score, n):
    attention, theta, h, dout = problem(score, direction, n)
    out, alpha, grad, dh = passes(attention, theta, h, dout)
    weights = attention.view(theta)
    expected, alphas = reference_attention.forward(attention, weights, h, LENGTHS, PLACES)
    grads, expected_dh = reference_attention.backward(attention, weights, h, LENGTHS, PLACES, dout)
    for name, wanted in grads.items():
        assert np.abs(attention.view(grad)[name] - wanted).max() <= 1e-12 * max(1, np.abs(wanted).max()), name
    assert np.abs(out - expected).max() <= 1e-12 * np.abs(expected).max()
    padding = np.arange(T)[:, None] >= LENGTHS
    assert not dh[padding].any() and np.abs(dh - expected_dh)[~padding].max() <= 1e-12 * np.abs(expected_dh[~padding]).max()
    for row, wanted, (t, b) in zip(alpha, alphas, STEPS):
        steps = reference_attention.seen(direction, t, LENGTHS[b])
        assert np.allclose(row[steps], wanted, rtol=1e-12, atol=0)
        row[steps] = 0
        assert not row.any()


@each
def test_gradients_by_central_differences(direction, score, n):
    attention, theta, h, dout = problem(score, direction, n)
    rng, h = np.random.default_rng(1), np.nan_to_num(h)
    *_, grad, dh = passes(attention, theta, h, dout)

    def value():
        return (attention.forward(theta, h, LENGTHS, PLACES)[0] * dout).sum()

    if attention.size:
        central.check_directions(value, theta, grad, "theta", rng, directions=4)
    central.check_directions(value, h, dh, "h", rng, directions=4)
    dh[0, 0, 0] += 1e-3 * np.linalg.norm(dh)
    with pytest.raises(AssertionError, match="h: off by"):
        central.check_directions(value, h, dh, "h", rng)


@each
def test_float32_is_float64_rounded(direction, score, n):
    for one, two in zip(passes(*problem(score, direction, n, "float32")), passes(*problem(score, direction, n))):
        assert one.dtype == np.float32 and np.allclose(one, two, rtol=0, atol=2e-5 * (1 + np.nanmax(np.abs(two), initial=0)))


@each
def test_a_row_is_the_same_alone(direction, score, n):
    attention, theta, h, _ = problem(score, direction, n, "float32")
    out, _, alpha = attention.forward(theta, h, LENGTHS, PLACES, record=True)
    for row in range(B):
        mine = [p for p, (_, b) in enumerate(STEPS) if b == row]
        length = LENGTHS[row]
        alone = attention.forward(theta, h[:length, row : row + 1].copy(), [length], PLACES[mine] // B, record=True)
        assert same_bits(alone[0], out[mine]) and same_bits(alone[2], alpha[mine, :length])


def test_an_answer_without_a_past_has_no_context():
    attention, theta, h, dout = problem("additive", "forward", 5)
    out, alpha, *_ = passes(attention, theta, h, dout)
    for p, (t, b) in enumerate(STEPS):
        assert (t == 0) == (not out[p, :5].any()) == (not alpha[p].any()) and np.array_equal(out[p, 5:], h[t, b])


def test_what_is_not_finite_goes_through():
    attention, theta, h, dout = problem("additive", "forward", 5)
    h[1, 0], h[0, 2] = np.nan, np.inf
    out, alpha, grad, dh = passes(attention, theta, h, dout)
    assert np.isnan(out[1, :5]).all() and np.isfinite(out[0]).all() and np.isnan(grad).any() and np.isfinite(dh[:7, 3]).all()


def test_a_tape_is_spent_once():
    attention, theta, h, dout = problem("general", "both", 5)
    _, tape, alpha = attention.forward(theta, h, LENGTHS, PLACES)
    attention.backward(theta, tape, dout)
    assert alpha is None
    with pytest.raises(RuntimeError, match="tape: a backward pass has spent it"):
        attention.backward(theta, tape, dout)


def test_initial_weights():
    attention = kernels.Attention(64)
    theta, named = attention.init(1), attention.init(1, "second")
    assert same_bits(theta, attention.init(1)) and not same_bits(theta, named) and not same_bits(theta, attention.init(2))
    assert attention.shapes == {"P": (64, 64), "Q": (64, 64), "v": (64,)} and attention.size == 2 * 64 * 64 + 64 == len(theta)
    assert 0.12 < np.abs(theta).max() <= 1 / 8
    view = attention.view(theta)
    view["v"][:] = 7
    assert (theta[-64:] == 7).all() and not same_bits(view["P"], view["Q"])
    assert kernels.Attention(64, "dot").init(1).shape == (0,) and kernels.Attention(64, "general").shapes == {"Q": (64, 64)}


def forward(**changes):
    given = {"theta": np.zeros(30), "h": np.zeros((5, 2, 5)), "lengths": [5, 3], "places": [0, 5]} | changes
    return kernels.Attention(5, "general", dtype="float64").forward(*(given | {"theta": np.zeros(25)} | changes).values())


@pytest.mark.parametrize("call, error, message", [
    (lambda: kernels.Attention(0), ValueError, "units: expected an integer of 1 or more, got 0"),
    (lambda: kernels.Attention(4, "aditive"), ValueError,
     "score: expected one of additive, general, dot, got 'aditive'; did you mean 'additive'?"),
    (lambda: kernels.Attention(4, direction="up"), ValueError, "direction: expected one of forward, reverse, both, got 'up'"),
    (lambda: forward(theta=np.zeros(24)), ValueError, "theta: expected shape (25,), got (24,)"),
    (lambda: forward(h=np.zeros((5, 2, 4))), ValueError, "h: expected shape (T, B, 5), got (5, 2, 4)"),
    (lambda: forward(h=np.zeros((5, 2, 5), "f4")), TypeError, "h: expected an array of float64, got one of float32"),
    (lambda: forward(lengths=[5, 6]), ValueError, "lengths: expected integers in 1..5, got 5..6"),
    (lambda: forward(places=[0, 7]), ValueError, "places: expected t B + b with a step t within the length of row b"),
    (lambda: forward(places=[-1]), ValueError, "places: expected t B + b with a step t within the length of row b"),
])
def test_refusals(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


def test_tanh_and_its_gradient():
    x, dy = np.random.default_rng(0).standard_normal((2, 3, 21))
    y = kernels.tanh(x)
    assert np.allclose(y, np.tanh(x), rtol=1e-15) and np.allclose(kernels.tanh_gradient(y, dy), dy * (1 - np.tanh(x) ** 2), rtol=1e-13)


@pytest.mark.parametrize("isa", ["avx512", "avx2", "generic", "neon"])
def test_the_same_bits_with_every_instruction_set(isa):
    assert_golden(isa, "attention")
