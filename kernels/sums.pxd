"""Sums whose bits do not depend on the number of lanes: float64, 16 partial sums by index mod 16, combined 8-4-2-1.

A partial sum adds its terms in ascending order. Products are rounded to float64 before they are added.
"""

from libc.math cimport sqrt

from kernels.lanes cimport REAL

cdef enum: PARTS = 16

cdef extern from *:
    """
    #define LONGLAG_TWO_TO_400 0x1p400
    """
    double TWO_TO_400 "LONGLAG_TWO_TO_400"


cdef inline double combined(double* part) noexcept nogil:
    """The sum of the partial sums, which it overwrites."""
    cdef long i
    for i in range(8):
        part[i] += part[i + 8]
    for i in range(4):
        part[i] += part[i + 4]
    for i in range(2):
        part[i] += part[i + 2]
    return part[0] + part[1]


cdef inline double total(const REAL* a, long n) noexcept nogil:
    """sum_i a[i]"""
    cdef double part[PARTS]
    cdef long i, k
    for k in range(PARTS):
        part[k] = 0
    for i in range(n // PARTS):
        for k in range(PARTS):
            part[k] += a[i * PARTS + k]
    for k in range(n % PARTS):
        part[k] += a[n - n % PARTS + k]
    return combined(part)


cdef inline double dot(const REAL* a, const REAL* b, long n) noexcept nogil:
    """sum_i a[i] b[i]"""
    cdef double part[PARTS]
    cdef long i, k
    for k in range(PARTS):
        part[k] = 0
    for i in range(n // PARTS):
        for k in range(PARTS):
            part[k] += <double>a[i * PARTS + k] * <double>b[i * PARTS + k]
    for k in range(n % PARTS):
        part[k] += <double>a[n - n % PARTS + k] * <double>b[n - n % PARTS + k]
    return combined(part)


cdef inline double norm(const REAL* a, long n) noexcept nogil:
    """sqrt(sum_i a[i]^2), scaled by a power of two where the squares of float64 would leave its range."""
    cdef double part[PARTS]
    cdef double largest = 0, scale = 1, term
    cdef long i
    for i in range(n):
        if a[i] > largest or -a[i] > largest:
            largest = a[i] if a[i] > 0 else -a[i]
    if largest < 1 / TWO_TO_400:
        scale = TWO_TO_400 * TWO_TO_400
    elif largest > TWO_TO_400:
        scale = 1 / TWO_TO_400 / TWO_TO_400
    for i in range(PARTS):
        part[i] = 0
    for i in range(n):
        term = scale * a[i]
        part[i % PARTS] += term * term
    return sqrt(combined(part)) / scale
