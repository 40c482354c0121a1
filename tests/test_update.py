"""Sums, clipping, SGD and Adam: values, order of summation, specials, refusals."""
import json
import math
import platform
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from cases import same_bits
from head_hashes import assert_golden
from hypothesis import given, settings
from hypothesis import strategies as st

import kernels

LENGTHS = [1, 15, 16, 17, 100, 1003]
each_length = pytest.mark.parametrize("n", LENGTHS)
each_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])


def vector(n, dtype="float64", seed=0):
    return np.random.default_rng([n, seed]).standard_normal(n).astype(dtype)


@each_dtype
@each_length
def test_total_is_sixteen_sums_combined_in_halves(n, dtype):
    a = vector(n, dtype)
    parts = [0.0] * 16
    for i, number in enumerate(a):
        parts[i % 16] += float(number)
    for width in (8, 4, 2, 1):
        parts[:width] = [parts[i] + parts[i + width] for i in range(width)]
    assert kernels.total(a) == parts[0] and type(kernels.total(a)) is float
    assert kernels.total(np.repeat(a, 2)[::2]) == parts[0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200))
def test_total_is_accurate(numbers):
    exact = sum(map(Fraction, numbers))
    bound = len(numbers) * 2.0**-52 * sum(map(abs, numbers))
    assert abs(Fraction(kernels.total(np.array(numbers))) - exact) <= bound


@each_dtype
@each_length
def test_norm_and_clipping(n, dtype):
    grad = vector(n, dtype)
    norm = kernels.clip_by_norm(grad)
    assert type(norm) is float and math.isclose(norm, np.linalg.norm(grad.astype("f8")), rel_tol=1e-14)
    for limit in (None, math.inf, norm, 2 * norm):
        kept = grad.copy()
        assert kernels.clip_by_norm(kept, limit) == norm and same_bits(kept, grad)
    clipped = grad.copy()
    assert kernels.clip_by_norm(clipped, norm / 3) == norm
    assert same_bits(clipped, grad * np.dtype(dtype).type(norm / 3 / norm))
    assert math.isclose(kernels.clip_by_norm(clipped), norm / 3, rel_tol=1e-6 if dtype == "float32" else 1e-14)


@each_dtype
@each_length
def test_clipping_by_value(n, dtype):
    grad = vector(n, dtype)
    clipped = grad.copy()
    kernels.clip_by_value(clipped, 0.7)
    assert same_bits(clipped, grad.clip(-np.dtype(dtype).type(0.7), np.dtype(dtype).type(0.7)))
    assert (clipped == grad).any() or n == 1
    kernels.clip_by_value(clipped, 0)
    assert not clipped.any()


@each_dtype
def test_clipping_by_value_keeps_nan_and_ends_infinity(dtype):
    grad = np.array([np.nan, np.inf, -np.inf, -0.5], dtype)
    kernels.clip_by_value(grad, 2)
    assert np.array_equal(grad, np.array([np.nan, 2, -2, -0.5], dtype), equal_nan=True)


def test_the_norm_of_float32_does_not_leave_its_range():
    assert math.isclose(kernels.clip_by_norm(np.full(4, 3e38, "f4")), 2 * float(np.float32(3e38)))
    assert math.isclose(kernels.clip_by_norm(np.full(4, 1e-38, "f4")), 2 * float(np.float32(1e-38)))
    assert kernels.clip_by_norm(np.zeros(5, "f4"), 0.5) == 0


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64") or not shutil.which("cc"), reason="needs x86-64 and a C compiler")
def test_denormal_numbers_count_where_someone_set_flush_to_zero():
    program = (
        "import conftest, hashes, json, kernels, numpy; a = numpy.full(4, 1e-40, 'f4'); modes = hashes.flush_to_zero()\n"
        "print(json.dumps([kernels.total(a), kernels.clip_by_norm(a), modes.get()]))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parent, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [4 * float(np.float32(1e-40)), 2 * float(np.float32(1e-40)), 0x8040]


@each_dtype
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite_is_left_alone(bad, dtype):
    grad = vector(40, dtype)
    grad[37] = bad
    kept = grad.copy()
    assert not math.isfinite(kernels.clip_by_norm(grad, 1.0)) and same_bits(grad, kept)
    assert not math.isfinite(kernels.total(grad))
    for optimizer in (kernels.Adam(40, 0.1, dtype=dtype), kernels.SGD(40, 0.1, dtype=dtype)):
        theta = np.zeros(40, dtype)
        optimizer.step(theta, grad)
        assert np.flatnonzero(~np.isfinite(theta)).tolist() == [37]


@each_length
def test_adam_is_algorithm_1(n):
    theta, lr, beta1, beta2, eps = vector(n), 0.03, 0.8, 0.95, 1e-6
    mine, m, v = theta.copy(), np.zeros(n), np.zeros(n)
    adam = kernels.Adam(n, lr, beta1, beta2, eps, "float64")
    for t in range(1, 31):
        g = vector(n, seed=t)
        adam.step(mine, g)
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g * g
        theta = theta - lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
        assert np.allclose(mine, theta, rtol=1e-12, atol=1e-13)
    assert np.allclose(adam.m, m, rtol=1e-12, atol=1e-15) and np.allclose(adam.v, v, rtol=1e-12)


@each_dtype
@pytest.mark.parametrize("name, theirs, mine", [
    ("Adam", {}, {}),
    ("Adam", {"betas": (0.5, 0.9), "eps": 1e-3}, {"beta1": 0.5, "beta2": 0.9, "eps": 1e-3}),
    ("SGD", {}, {}),
    ("SGD", {"momentum": 0.9}, {"momentum": 0.9}),
])
def test_optimizers_agree_with_torch(name, theirs, mine, dtype):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    theta = vector(203, dtype)
    weights = torch.tensor(theta, requires_grad=True)
    peer, own = getattr(torch.optim, name)([weights], lr=0.01, **theirs), getattr(kernels, name)(203, 0.01, dtype=dtype, **mine)
    for t in range(100):
        grad = vector(203, dtype, t + 1)
        weights.grad = torch.tensor(grad)
        peer.step()
        own.step(theta, grad)
    assert np.abs(theta - weights.detach().numpy()).max() < (1e-12 if dtype == "float64" else 2e-5)


@each_length
def test_sgd_with_momentum(n):
    theta, velocity = vector(n), np.zeros(n)
    mine, sgd = theta.copy(), kernels.SGD(n, 0.1, 0.9, "float64")
    for t in range(10):
        g = vector(n, seed=t)
        sgd.step(mine, g)
        velocity = 0.9 * velocity + g
        theta = theta - 0.1 * velocity
    assert np.allclose(mine, theta, rtol=1e-13, atol=1e-14) and np.allclose(sgd.v, velocity, rtol=1e-13, atol=1e-14)


@each_dtype
def test_no_subnormal_number_stays(dtype):
    """A weight whose gradient was once 1 and is 0 from then on."""
    theta, grad = np.zeros(3, dtype), np.zeros(3, dtype)
    adam, sgd = kernels.Adam(3, 0.1, dtype=dtype), kernels.SGD(3, 0.1, 0.9, dtype)
    for t in range(8000):
        grad[:] = t == 0
        adam.step(theta, grad)
        sgd.step(theta, grad)
    assert not adam.m.any() and not sgd.v.any() and np.isfinite(theta).all()


def test_the_rate_may_change_between_steps():
    theta, sgd = np.zeros(1, "f4"), kernels.SGD(1, 1.0)
    sgd.step(theta, np.ones(1, "f4"))
    sgd.lr = 0.5
    sgd.step(theta, np.ones(1, "f4"))
    assert theta[0] == -1.5


def test_nothing_beyond_the_vector_is_touched():
    theta, grad = np.ones(60, "f4"), np.ones(60, "f4")
    kernels.Adam(19, 0.1).step(theta[20:39], grad[20:39])
    kernels.clip_by_norm(grad[20:39], 0.1)
    kernels.clip_by_value(grad[20:39], 0.01)
    assert (theta[:20] == 1).all() and (theta[39:] == 1).all() and (theta[20:39] != 1).all()
    assert (grad[:20] == 1).all() and (grad[39:] == 1).all() and (grad[20:39] != 1).all()


FIXED = np.zeros(4, "f4")
FIXED.flags.writeable = False
A = np.zeros(4, "f4")


@pytest.mark.parametrize("call, error, message", [
    (lambda: kernels.total([1.0]), TypeError, "a: expected an array of float32 or float64, got list [1.0]"),
    (lambda: kernels.total(np.zeros((2, 2))), ValueError, "a: expected shape (n,), got (2, 2)"),
    (lambda: kernels.clip_by_norm(np.zeros(3, int), 1), TypeError, "grad: expected an array of float32 or float64, got one of int64"),
    (lambda: kernels.clip_by_norm(np.zeros(6)[::2], 1), ValueError, "grad: expected a C-contiguous, writeable array, for it is changed in place"),
    (lambda: kernels.clip_by_norm(FIXED, 1), ValueError, "grad: expected a C-contiguous, writeable array, for it is changed in place"),
    (lambda: kernels.clip_by_norm(A, -1), ValueError, "max_norm: expected a finite number, at least 0, got -1"),
    (lambda: kernels.clip_by_norm(A, "1"), TypeError, "max_norm: expected a number, got '1'"),
    (lambda: kernels.clip_by_value(FIXED, 1), ValueError, "grad: expected a C-contiguous, writeable array, for it is changed in place"),
    (lambda: kernels.clip_by_value(A, -1), ValueError, "most: expected a finite number, at least 0, got -1"),
    (lambda: kernels.clip_by_value(A, None), TypeError, "most: expected a number, got None"),
    (lambda: kernels.Adam(0, 0.1), ValueError, "size: expected an integer of 1 or more, got 0"),
    (lambda: kernels.Adam(4, -0.1), ValueError, "lr: expected a finite number, at least 0, got -0.1"),
    (lambda: kernels.Adam(4, 0.1, beta2=1), ValueError, "beta2: expected a finite number, at least 0, below 1, got 1"),
    (lambda: kernels.Adam(4, math.nan), ValueError, "lr: expected a finite number, at least 0, got nan"),
    (lambda: kernels.SGD(4, 1e39), ValueError, "lr: expected a number within float32's range of +-3.4e+38, got 1e+39"),
    (lambda: kernels.Adam(4, 0.1, eps=1e39), ValueError, "eps: expected a number within float32's range of +-3.4e+38, got 1e+39"),
    (lambda: kernels.total(np.ma.masked_array(A)), TypeError,
     "a: expected an array without a mask, got a masked array; a.filled(value) has none"),
    (lambda: kernels.Adam(4, 0.1).step(np.ma.masked_array(A), A), TypeError,
     "theta: expected an array without a mask, got a masked array; a.filled(value) has none"),
    (lambda: kernels.SGD(4, 0.1, True), TypeError, "momentum: expected a number, got True"),
    (lambda: kernels.SGD(4, 0.1, dtype="f2"), ValueError, 'dtype: expected "float32" or "float64", got \'f2\''),
    (lambda: kernels.Adam(4, 0.1).step(A.astype("f8"), A), TypeError, "theta: expected an array of float32, got one of float64"),
    (lambda: kernels.Adam(4, 0.1).step(A[:3], A), ValueError, "theta: expected shape (4,), got (3,)"),
    (lambda: kernels.Adam(4, 0.1).step(FIXED, A), ValueError, "theta: expected a C-contiguous, writeable array, for it is changed in place"),
    (lambda: kernels.SGD(4, 0.1).step(A, A[:3]), ValueError, "grad: expected shape (4,), got (3,)"),
])
def test_refusals(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize("isa", ["avx512", "avx2", "generic", "neon"])
def test_the_same_bits_with_every_instruction_set(isa):
    assert_golden(isa, "update")


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_a_norm_whose_square_leaves_float64_is_still_a_norm(size):
    grad = np.full(4, size)
    assert kernels.clip_by_norm(grad) == pytest.approx(2 * size, rel=1e-15)
