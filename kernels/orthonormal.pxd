"""Gram-Schmidt in a fixed order: float64, the same bits with any instruction set."""

from libc.math cimport sqrt

from kernels.lanes cimport REAL
from kernels.sums cimport dot


cdef inline double unit(REAL* a, const REAL* q, long rows, long n) noexcept nogil:
    """Make a (n,) a unit vector orthogonal to the orthonormal rows of q (rows, n); return the length of its part orthogonal to them.

    Modified Gram-Schmidt, each row twice, which gives orthogonality to rounding (Giraud et al. 2005). If that part is 0, a becomes 0.
    """
    cdef long i, k, again
    cdef double along
    for again in range(2):
        for i in range(rows):
            along = dot(a, q + i * n, n)
            for k in range(n):
                a[k] = a[k] - along * q[i * n + k]
    along = sqrt(dot(a, a, n))
    if along != 0:
        for k in range(n):
            a[k] = a[k] / along
    return along
