"""Cosine and sine. They have the same bits in every build, and an error near one unit in the last place of 1 for |x| up to 1,000.

x = n pi/2 + r with |r| <= pi/4; the series of sin r and cos r are cut where their next term is below rounding.
"""
from kernels.lanes cimport REAL, vec, fma, select_le0, splat

cdef struct Quarter:
    # sin r, cos r, and n - 4 m, one of -2 .. 2.
    vec sin, cos, turn


cdef inline vec nearest(vec a) noexcept nogil:
    """The integer nearest to a, for |a| up to 2^22."""
    cdef vec large = splat(12582912.0 if sizeof(REAL) == 4 else 6755399441055744.0)     # 3/2 2^23, 3/2 2^52
    return (a + large) - large


cdef inline vec series(vec r2, int k) noexcept nogil:
    """1 - r2 / (k + 1) / (k + 2) (1 - r2 / (k + 3) / (k + 4) (...)), eight times."""
    cdef vec y = splat(1)
    cdef int i
    for i in range(7, -1, -1):
        y = fma(r2 * y, splat(-1.0 / ((k + 2 * i + 1) * (k + 2 * i + 2))), splat(1))
    return y


cdef inline Quarter quarter(vec x) noexcept nogil:
    cdef Quarter q
    cdef vec n = nearest(x * splat(0.6366197723675814)), r, r2      # 2 / pi
    r = fma(-n, splat(1.5707963267948966), x)
    r = fma(-n, splat(-4.371138828673793e-08 if sizeof(REAL) == 4 else 6.123233995736766e-17), r)       # pi/2 less the above
    r2 = r * r
    q.sin, q.cos = r * series(r2, 1), series(r2, 0)
    q.turn = fma(nearest(0.25 * n), splat(-4), n)
    return q


cdef inline vec choose(vec turn, vec odd, vec even) noexcept nogil:
    return select_le0((turn * turn - 1) * (turn * turn - 1), odd, (1 - 0.5 * turn * turn) * even)


cdef inline vec cos(vec x) noexcept nogil:
    cdef Quarter q = quarter(x)
    return choose(q.turn, -q.turn * q.sin, q.cos)


cdef inline vec sin(vec x) noexcept nogil:
    cdef Quarter q = quarter(x)
    return choose(q.turn, q.turn * q.cos, q.sin)
