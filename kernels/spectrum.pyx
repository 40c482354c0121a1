"""Orthonormal rows and singular values of a float64 matrix.

They use only + - x / sqrt in a fixed order, without fused operations. So the bits are the same everywhere; those of a
linear-algebra library are not.
"""

import numpy as np

from kernels import checks

cimport numpy as cnp
from libc.math cimport fabs, sqrt

cimport kernels.lanes as lanes
from kernels.lanes cimport REAL
from kernels.orthonormal cimport unit
from kernels.sums cimport dot

cnp.import_array()

cdef enum: SWEEPS = 40      # at most; quadratic convergence needs about ten
cdef double ROUNDING = 2.0 ** -52

FLOAT64 = checks.FLOATS[1:]


def orthonormalise(rows):
    """Make the rows of a matrix orthonormal, in order and in place, by Gram-Schmidt.

    Parameters
    ----------
    rows : (m, n) float64

    Returns
    -------
    (m,) float64
        The length of each row's part orthogonal to the rows before it: the diagonal of the triangular factor. A row without
        such a part becomes 0.
    """
    rows = checks.changed("rows", rows, FLOAT64, ("m", "n"))
    cdef long m = rows.shape[0], n = rows.shape[1], i
    lengths = np.empty(m)
    cdef REAL* q = <REAL*>cnp.PyArray_DATA(rows)
    cdef double* length = <double*>cnp.PyArray_DATA(lengths)
    cdef lanes.mode saved = lanes.enter_mode()
    for i in range(m):
        length[i] = unit(q + i * n, q, i, n)
    lanes.leave_mode(saved)
    return lengths


def singular_values(a):
    """The singular values of a matrix, largest first.

    Parameters
    ----------
    a : (m, n) float64

    Returns
    -------
    (m,) float64
        One for each row; if m > n, the last m - n are 0 to rounding.

    Notes
    -----
    One-sided Jacobi rotations (Hestenes 1958) of pairs of rows in a fixed order, until all are orthogonal to rounding; their
    lengths are the singular values.
    """
    a = checks.fits("a", a, FLOAT64, ("m", "n"))
    size = int(np.frexp(np.abs(a).max())[1])
    work = np.ldexp(a, -size, order="C")      # numbers near 1, whose squares neither overflow nor underflow
    cdef long m = work.shape[0], n = work.shape[1], i, j, sweep, turned
    values = np.empty(m)
    cdef REAL* row = <REAL*>cnp.PyArray_DATA(work)
    cdef double* value = <double*>cnp.PyArray_DATA(values)
    cdef lanes.mode saved = lanes.enter_mode()
    for sweep in range(SWEEPS):
        turned = 0
        for i in range(m):
            value[i] = dot(row + i * n, row + i * n, n)
        for i in range(m - 1):
            for j in range(i + 1, m):
                turned += turn(row + i * n, row + j * n, n, value + i, value + j)
        if not turned:
            break
    for i in range(m):
        value[i] = sqrt(dot(row + i * n, row + i * n, n))
    lanes.leave_mode(saved)
    return np.ldexp(np.sort(values)[::-1], size)


cdef inline bint turn(REAL* a, REAL* b, long n, double* aa, double* bb) noexcept nogil:
    """Rotate two rows, of squared lengths aa and bb, so that they are orthogonal; return False if they were already."""
    cdef double ab = dot(a, b, n), zeta, t, c, s, x
    cdef long k
    if not fabs(ab) > ROUNDING * sqrt(aa[0]) * sqrt(bb[0]):
        return False
    zeta = (bb[0] - aa[0]) / (2 * ab)
    t = 1 / (zeta + sqrt(1 + zeta * zeta)) if zeta > 0 else 1 / (zeta - sqrt(1 + zeta * zeta))
    c = 1 / sqrt(1 + t * t)
    s = c * t
    for k in range(n):
        x = a[k]
        a[k] = c * x - s * b[k]
        b[k] = s * x + c * b[k]
    aa[0] = aa[0] - t * ab
    bb[0] = bb[0] + t * ab
    return True
