"""The product behind an affine map, forward and backward.

Each number of a product is one fma chain in the order of the inner index, and lanes are columns, so neither lanes nor tiles change
a bit.
"""
from kernels.lanes cimport LANES, REAL, fma, load, load_part, splat, store_part, vec, zero

cdef enum: ROWS = 8      # rows of a tile: enough chains to hide an fma's latency, few enough for 16 registers

cdef struct Affine:
    # out (M, N) = start + a (M, R) b (R, N). A row of a is `down` from the next, its numbers are `along` apart; rows of b and of out
    # are contiguous. start (N,); NULL stands for +0.
    long M, R, N, down, along
    const REAL* a
    const REAL* start
    const REAL* b
    REAL* out


cdef inline void tile(int rows, const Affine* q, long m, long n) noexcept nogil:
    """`rows` rows from m on, of up to LANES columns from n on."""
    cdef const REAL* a = q.a + m * q.down
    cdef const REAL* b = q.b + n
    cdef vec sums[ROWS]
    cdef vec w = load_part(q.start + n, q.N - n) if q.start else zero()
    cdef long r, down = q.down, along = q.along, left = q.N - n
    cdef int i
    for i in range(rows):
        sums[i] = w
    for r in range(q.R):
        w = load(b) if left >= LANES else load_part(b, left)
        b += q.N
        for i in range(rows):
            sums[i] = fma(splat(a[i * down]), w, sums[i])
        a += along
    for i in range(rows):
        store_part(q.out + (m + i) * q.N + n, sums[i], left)


cdef inline void affine(const Affine* q) noexcept nogil:
    cdef long m, n = 0
    while n < q.N:
        for m in range(q.M // ROWS):
            tile(ROWS, q, m * ROWS, n)
        for m in range(q.M - q.M % ROWS, q.M):
            tile(1, q, m, n)
        n += LANES
