"""The affine readout and the losses: values, gradients, order of summation, specials, refusals."""
import central
import numpy as np
import pytest
from cases import same_bits
from head_hashes import assert_golden
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, log_expit, log_softmax

import kernels

SIZES = [(1, 1, 1), (2, 15, 17), (7, 16, 16), (9, 17, 15), (33, 100, 5), (5, 3, 100)]     # B, inputs, outputs
each_size = pytest.mark.parametrize("B, inputs, outputs", SIZES)
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
TOLERANCE = {"float32": 1e-5, "float64": 1e-13}


def problem(B, inputs, outputs, dtype="float64"):
    rng = np.random.default_rng([B, inputs, outputs])
    layer = kernels.Readout(inputs, outputs, dtype)
    return layer, rng.uniform(-1, 1, layer.size).astype(dtype), rng.standard_normal((B, inputs)).astype(dtype), rng


def close(a, b, dtype):
    return a.dtype == dtype and a.shape == b.shape and np.abs(a - b).max() <= TOLERANCE[dtype] * np.abs(b).max()


@each_dtype
@each_size
def test_readout_is_an_affine_map(B, inputs, outputs, dtype):
    layer, theta, h, rng = problem(B, inputs, outputs, dtype)
    V, v = layer.view(theta).values()
    do = rng.standard_normal((B, outputs)).astype(dtype)
    grad, dh = layer.backward(theta, h, do)
    dV, dv = layer.view(grad).values()
    assert close(layer.forward(theta, h), h.astype("f8") @ V + v, dtype)
    assert close(dV, h.T.astype("f8") @ do, dtype) and close(dv, do.astype("f8").sum(0), dtype) and close(dh, do.astype("f8") @ V.T, dtype)


@each_dtype
@each_size
def test_threads_change_no_bit(B, inputs, outputs, dtype):
    layer, theta, h, rng = problem(B, inputs, outputs, dtype)
    do = rng.standard_normal((B, outputs)).astype(dtype)
    o, (grad, dh) = layer.forward(theta, h), layer.backward(theta, h, do)
    for threads in (2, 3, 40, None):
        assert same_bits(layer.forward(theta, h, threads), o)
        assert all(map(same_bits, layer.backward(theta, h, do, threads), (grad, dh)))


def test_every_number_is_one_chain_in_index_order():
    """float32, by exact rationals rounded once a step."""
    from fractions import Fraction

    def chain(start, a, b):
        for x, y in zip(a, b):
            start = np.float32(float_of(Fraction(float(x)) * Fraction(float(y)) + Fraction(float(start))))
        return start

    def float_of(exact):
        """The float32 nearest to a Fraction: one of float64's rounding and its neighbours."""
        near = np.float32(exact.numerator / exact.denominator)
        around = [np.nextafter(near, np.float32(-np.inf)), near, np.nextafter(near, np.float32(np.inf))]
        return min(around, key=lambda c: (abs(Fraction(float(c)) - exact), int(c.view(np.int32)) & 1))

    layer, theta, h, rng = problem(9, 20, 3, "float32")
    do = rng.standard_normal((9, 3)).astype("float32")
    V, v = layer.view(theta).values()
    o, (grad, dh) = layer.forward(theta, h), layer.backward(theta, h, do)
    dV, dv = layer.view(grad).values()
    zero, ones = np.float32(0), np.ones(9)
    assert all(o[b, k] == chain(v[k], h[b], V[:, k]) for b in range(9) for k in range(3))
    assert all(dh[b, i] == chain(zero, do[b], V[i]) for b in range(9) for i in range(20))
    assert all(dV[i, k] == chain(zero, h[:, i], do[:, k]) for i in range(20) for k in range(3))
    assert all(dv[k] == chain(zero, ones, do[:, k]) for k in range(3))


@each_size
def test_gradients_by_central_differences(B, inputs, outputs):
    layer, theta, h, rng = problem(B, inputs, outputs)
    labels, target = rng.integers(0, outputs, B), rng.standard_normal((B, outputs))
    for loss in (lambda o: kernels.cross_entropy(o, labels), lambda o: kernels.squared_error(o, target),
                 lambda o: kernels.sigmoid_error(o, target), lambda o: kernels.binary_cross_entropy(o, expit(target))):
        if not loss(np.ones((B, outputs)))[-1].any():
            continue    # one class: certain, and without a gradient
        *_, do = loss(layer.forward(theta, h))
        grad, dh = layer.backward(theta, h, do)

        def mean():
            return loss(layer.forward(theta, h))[0].mean()

        central.check_directions(mean, theta, grad, "theta", rng, directions=5)
        central.check_entries(mean, h[:2], dh[:2], "h")


@each_dtype
@pytest.mark.parametrize("B, K", [(1, 1), (3, 2), (17, 4), (2, 16), (5, 17), (4, 100)])
def test_losses_by_definition(B, K, dtype):
    rng = np.random.default_rng(K)
    o, labels, target = 5 * rng.standard_normal((B, K)).astype(dtype), rng.integers(0, K, B), rng.standard_normal((B, K)).astype(dtype)
    loss, p, do = kernels.cross_entropy(o, labels)
    logs = log_softmax(o.astype("f8"), axis=1)
    assert np.allclose(loss, -logs[range(B), labels], rtol=0, atol=40 * TOLERANCE[dtype])
    assert close(p, np.exp(logs), dtype) and np.allclose(p.sum(1), 1, atol=TOLERANCE[dtype])
    assert np.allclose(do, (p - np.eye(K)[labels]) / B, rtol=0, atol=TOLERANCE[dtype])
    error, slope = kernels.squared_error(o, target)
    off = o.astype("f8") - target
    assert close(error, (off**2).mean(1), dtype) and close(slope, 2 * off / off.size, dtype)
    missed, sigmoid, descent = kernels.sigmoid_error(o, target)
    exact = expit(o.astype("f8"))
    assert close(sigmoid, exact, dtype) and close(missed, ((exact - target) ** 2).mean(1), dtype)
    assert close(descent, 2 * (exact - target) * exact * (1 - exact) / off.size, dtype)
    assert {a.dtype for a in (loss, p, do, error, slope, missed, sigmoid, descent)} == {np.dtype(dtype)}


@each_dtype
@pytest.mark.parametrize("B, K", [(1, 1), (3, 2), (17, 4), (2, 16), (5, 17), (4, 100)])
def test_binary_cross_entropy_by_definition(B, K, dtype):
    rng = np.random.default_rng(K)
    o, target = 5 * rng.standard_normal((B, K)).astype(dtype), rng.random((B, K)).astype(dtype)
    target[:, 0], target[0] = 1, 0
    loss, p, do = kernels.binary_cross_entropy(o, target)
    exact, wanted = o.astype("f8"), target.astype("f8")
    assert close(loss, -(wanted * log_expit(exact) + (1 - wanted) * log_expit(-exact)).sum(1), dtype)
    assert close(p, expit(exact), dtype) and close(do, (expit(exact) - wanted) / B, dtype)
    assert {a.dtype for a in (loss, p, do)} == {np.dtype(dtype)}


@each_dtype
def test_binary_cross_entropy_of_extreme_logits(dtype):
    o, target = np.array([[-300, 300, 300, -300, np.nan]], dtype).T, np.array([[0, 1, 0, 1, 0]], dtype).T
    loss, p, do = kernels.binary_cross_entropy(o, target)
    assert loss[:4].tolist() == [0, 0, 300, 300] and np.isnan([loss[4], p[4, 0], do[4, 0]]).all()
    assert p[:4, 0] == pytest.approx([0, 1, 1, 0], abs=1e-30) and do[:4, 0] == pytest.approx([0, 0, 1 / 5, -1 / 5], abs=1e-7)
    assert not np.any((do != 0) & (np.abs(do) < 2.0**-1000))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-(2.0**100), 2.0**100, width=32), min_size=1, max_size=40), st.data())
def test_cross_entropy_holds_for_any_logits(row, data):
    label = data.draw(st.integers(0, len(row) - 1))
    o = np.array([row], "float32")
    loss, p, do = kernels.cross_entropy(o, np.array([label]))
    assert loss[0] >= 0 and abs(p.astype("f8").sum() - 1) < 1e-5 and (p >= 0).all()
    assert do[0, label] <= 0 and not np.any((do != 0) & (np.abs(do) < 2.0**-100))
    expected = -log_softmax(o.astype("f8"), axis=1)[0, label]
    assert abs(loss[0] - expected) <= 1e-5 * max(1, abs(expected))


@each_dtype
def test_a_row_is_the_same_alone(dtype):
    layer, theta, h, rng = problem(19, 21, 18, dtype)
    o, labels = layer.forward(theta, h), rng.integers(0, 18, 19)
    loss, p, do = kernels.cross_entropy(o, labels)
    _, dh = layer.backward(theta, h, do)
    for b in range(19):
        alone = kernels.cross_entropy(o[b : b + 1], labels[b : b + 1])
        assert same_bits(layer.forward(theta, h[b : b + 1]), o[b : b + 1])
        assert same_bits(alone[0], loss[b : b + 1]) and same_bits(alone[1], p[b : b + 1])
        assert same_bits(layer.backward(theta, h[b : b + 1], do[b : b + 1])[1], dh[b : b + 1])


@each_dtype
def test_strided_arrays_count_as_their_copies(dtype):
    layer, theta, h, rng = problem(6, 8, 5, dtype)
    labels = rng.integers(0, 5, 6)
    o = layer.forward(theta, h)
    assert same_bits(layer.forward(theta, np.asfortranarray(h)), o)
    assert same_bits(layer.forward(np.repeat(theta, 2)[::2], h[::-1][::-1]), o)
    for a, b in zip(kernels.cross_entropy(np.asfortranarray(o), np.repeat(labels, 2)[::2].astype("uint8")), kernels.cross_entropy(o, labels)):
        assert same_bits(a, b)


@each_dtype
def test_what_is_not_finite_goes_through(dtype):
    layer, theta, h, rng = problem(4, 5, 3, dtype)
    h[1, 2], h[2, 0] = np.nan, np.inf
    o = layer.forward(theta, h)
    loss, p, do = kernels.cross_entropy(o, np.zeros(4, int))
    error, slope = kernels.squared_error(o, np.zeros_like(o))
    assert np.isnan(p[1]).all() and np.isnan(loss[[1, 2]]).all() and np.isnan(error[1]) and np.isfinite(p[[0, 3]]).all()
    assert np.isfinite(loss[[0, 3]]).all() and not np.isfinite(error[2])
    grad, dh = layer.backward(theta, h, do)
    assert np.isnan(dh[1]).all() and np.isfinite(dh[0]).all() and np.isnan(layer.view(grad)["v"]).all()
    o = np.array([[np.nan, 0, 1], [0, np.nan, 1], [0, 1, np.nan], [0, -np.inf, 1], [-np.inf] * 3], dtype)
    loss, p, _ = kernels.cross_entropy(o, np.ones(5, int))
    assert np.isnan(loss[[0, 1, 2, 4]]).all() and np.isnan(p[[0, 1, 2, 4]]).all()
    assert loss[3] == np.inf and p[3, 1] == 0 and np.isfinite(p[3]).all()


def test_initial_weights():
    layer = kernels.Readout(64, 10)
    theta, again, other = layer.init(seed=1), layer.init(seed=1), layer.init(seed=2)
    named = layer.init(seed=1, name="second")
    assert same_bits(theta, again) and theta.dtype == np.float32 and len({a.tobytes() for a in (theta, other, named)}) == 3
    assert 0.12 < np.abs(theta).max() <= 1 / 8 and abs(theta.mean()) < 0.02 and len(np.unique(theta)) > 600
    assert np.allclose(kernels.Readout(64, 10, "float64").init(seed=1), theta, atol=1e-8)
    V, v = layer.view(theta).values()
    V[...], v[...] = 1, 2
    assert layer.shapes == {"V": (64, 10), "v": (10,)} and layer.size == 650 and theta.sum() == 660


READOUT = kernels.Readout(4, 3)
THETA, H, O = np.zeros(15, "f4"), np.zeros((2, 4), "f4"), np.zeros((2, 3), "f4")


@pytest.mark.parametrize("call, error, message", [
    (lambda: kernels.Readout(0, 3), ValueError, "inputs: expected an integer of 1 or more, got 0"),
    (lambda: kernels.Readout(4, 2.5), TypeError, "outputs: expected an integer of 1 or more, got 2.5"),
    (lambda: kernels.Readout(4, 3, "int8"), ValueError, 'dtype: expected "float32" or "float64", got \'int8\''),
    (lambda: READOUT.view(THETA[1:]), ValueError, "theta: expected shape (15,), got (14,)"),
    (lambda: READOUT.forward(THETA[1:], H), ValueError, "theta: expected shape (15,), got (14,)"),
    (lambda: READOUT.forward(THETA, H.astype("f8")), TypeError, "h: expected an array of float32, got one of float64"),
    (lambda: READOUT.forward(THETA, H[:, 1:]), ValueError, "h: expected shape (B, 4), got (2, 3)"),
    (lambda: READOUT.forward(THETA, H[:0]), ValueError, "h: expected shape (B, 4), got (0, 4)"),
    (lambda: READOUT.forward(THETA, None), TypeError, "h: expected an array of float32, got NoneType None"),
    (lambda: READOUT.backward(THETA, H, O[:1]), ValueError, "do: expected shape (2, 3), got (1, 3)"),
    (lambda: kernels.cross_entropy(O[0], [0]), ValueError, "o: expected shape (B, K), got (3,)"),
    (lambda: kernels.cross_entropy(O.astype("f2"), [0, 0]), TypeError, "o: expected an array of float32 or float64, got one of float16"),
    (lambda: kernels.cross_entropy(O, [0]), ValueError, "labels: expected shape (2,), got (1,)"),
    (lambda: kernels.cross_entropy(O, [0, 3]), ValueError, "labels: expected integers of 0 to 2, got 3 in row 1"),
    (lambda: kernels.cross_entropy(O, [-1, 0]), ValueError, "labels: expected integers of 0 to 2, got -1 in row 0"),
    (lambda: kernels.sigmoid_error(O, O[:, :2]), ValueError, "target: expected shape (2, 3), got (2, 2)"),
    (lambda: kernels.binary_cross_entropy(O, O[:, :2]), ValueError, "target: expected shape (2, 3), got (2, 2)"),
    (lambda: kernels.binary_cross_entropy(O, O - 0.5), ValueError, "target: expected numbers from 0 to 1, got -0.5"),
    (lambda: kernels.binary_cross_entropy(O, O * np.nan), ValueError, "target: expected numbers from 0 to 1, got nan"),
    (lambda: kernels.squared_error(O, O[:, :2]), ValueError, "target: expected shape (2, 3), got (2, 2)"),
    (lambda: kernels.squared_error(O, O.astype("f8")), TypeError, "target: expected an array of float32, got one of float64"),
])
def test_refusals(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize("o, labels", [(O, [0.0, 1.0]), (O, [True, False])])
def test_labels_are_integers(o, labels):
    with pytest.raises(TypeError, match="labels: expected an array of int"):
        kernels.cross_entropy(o, labels)


def test_a_readout_agrees_with_torch():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    layer, theta, h, rng = problem(13, 21, 6)
    labels, target = rng.integers(0, 6, 13), rng.standard_normal((13, 6))
    weights = {name: torch.tensor(part, requires_grad=True) for name, part in layer.view(theta).items()}
    x = torch.tensor(h, requires_grad=True)
    o = x @ weights["V"] + weights["v"]
    for mine, theirs in [
        (kernels.cross_entropy(layer.forward(theta, h), labels), torch.nn.functional.cross_entropy(o, torch.tensor(labels))),
        (kernels.squared_error(layer.forward(theta, h), target), torch.nn.functional.mse_loss(o, torch.tensor(target))),
    ]:
        grads = torch.autograd.grad(theirs, [weights["V"], weights["v"], x], retain_graph=True)
        grad, dh = layer.backward(theta, h, mine[-1])
        got = [*layer.view(grad).values(), dh]
        assert abs(mine[0].mean() - theirs.item()) < 1e-13
        assert all(np.allclose(a, b.numpy(), rtol=0, atol=1e-14) for a, b in zip(got, grads))


@pytest.mark.parametrize("isa", ["avx512", "avx2", "generic", "neon"])
def test_the_same_bits_with_every_instruction_set(isa):
    assert_golden(isa, "readout")
