"""Orthonormal rows, singular values and products: against a linear-algebra library, and the same bits everywhere."""

import numpy as np
import pytest
from head_hashes import assert_golden

import kernels

SHAPES = [(1, 1), (3, 7), (16, 16), (33, 33), (64, 64)]


def matrix(m, n, seed=0):
    return np.random.default_rng([m, n, seed]).standard_normal((m, n))


@pytest.mark.parametrize("m, n", SHAPES)
def test_singular_values(m, n):
    a = matrix(m, n)
    kept = a.copy()
    assert kernels.singular_values(a) == pytest.approx(np.linalg.svd(a, compute_uv=False), rel=1e-11) and np.array_equal(a, kept)


def test_singular_values_of_matrices_that_are_hard():
    """Far apart, all equal, none; more rows than columns; entries of any size whose squares are numbers."""
    q, _ = np.linalg.qr(matrix(40, 40))
    far = 10.0 ** -np.arange(0.0, 20, 0.5)
    assert kernels.singular_values(far[:, None] * q) == pytest.approx(far, rel=1e-10)
    assert kernels.singular_values(q) == pytest.approx(np.ones(40), rel=1e-13)
    assert not kernels.singular_values(np.zeros((4, 4))).any()
    tall = matrix(9, 4)
    assert kernels.singular_values(tall)[:4] == pytest.approx(np.linalg.svd(tall, compute_uv=False), rel=1e-12)
    assert (kernels.singular_values(tall)[4:] < 1e-14).all()
    for size in (2.0**-400, 2.0**400):
        assert np.array_equal(kernels.singular_values(size * tall), size * kernels.singular_values(tall))
    assert np.isnan(kernels.singular_values(np.full((3, 3), np.nan))).all()


@pytest.mark.parametrize("m, n", SHAPES)
def test_rows_become_orthonormal_and_say_how_long_they_were(m, n):
    q = matrix(m, n)
    factor = np.linalg.qr(q.T)[1]
    lengths = kernels.orthonormalise(q)
    assert lengths == pytest.approx(np.abs(np.diag(factor)), rel=1e-10) and np.abs(q @ q.T - np.eye(m)).max() < 1e-14


def test_a_row_of_which_nothing_is_left_is_zero():
    q = np.array([[3.0, 4.0], [0.0, 0.0], [1.0, 0.0]])
    assert kernels.orthonormalise(q).tolist() == [5, 0, 0.8] and not q[1].any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products(dtype):
    a, b = matrix(17, 9).astype(dtype), matrix(9, 21, 1).astype(dtype)
    assert kernels.product(a, b) == pytest.approx(a.astype(float) @ b, abs=1e-5 if dtype == "float32" else 1e-14)
    assert np.array_equal(kernels.product(np.asfortranarray(a), b), kernels.product(a, b))


@pytest.mark.parametrize("call, error, message", [
    (lambda: kernels.singular_values(np.zeros(3)), ValueError, "a: expected shape (m, n), got (3,)"),
    (lambda: kernels.singular_values(np.zeros((2, 2), "f4")), TypeError, "a: expected an array of float64, got one of float32"),
    (lambda: kernels.orthonormalise(np.zeros((4, 4))[:, ::2]), ValueError,
     "rows: expected a C-contiguous, writeable array, for it is changed in place"),
    (lambda: kernels.product(np.zeros((2, 3)), np.zeros((2, 3))), ValueError, "b: expected shape (3, N), got (2, 3)"),
    (lambda: kernels.product(np.zeros((2, 3)), np.zeros((3, 3), "f4")), TypeError, "b: expected an array of float64, got one of float32"),
])
def test_refusals(call, error, message):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize("isa", ["avx512", "avx2", "generic", "neon"])
def test_the_same_bits_with_every_instruction_set(isa):
    assert_golden(isa, "spectrum")
    assert_golden(isa, "clamp")
