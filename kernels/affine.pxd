"""The product behind an affine map, forward and backward.

Each number of a product is one fma chain in the order of the inner index, and lanes are columns, so neither lanes nor tiles change
a bit.
"""
from kernels.lanes cimport LANES, REAL, fma, load, load_part, splat, store_part, vec, zero

cdef enum:
    CHAINS = 8    # sums of a tile: enough to hide an fma's latency, few enough for 16 registers
    DEEP = 64     # inner indices at a time: few enough that what several tiles read stays in the nearest cache

cdef struct Affine:
    # out (M, N) = start + a (M, R) b (R, N). A row of a is `down` from the next, its numbers are `along` apart; rows of b and of out
    # are contiguous. start (N,); NULL stands for +0.
    long M, R, N, down, along
    const REAL* a
    const REAL* start
    const REAL* b
    REAL* out


cdef struct Part:
    # Of a product, the inner indices first .. last - 1; out has the sums of those before.
    const Affine* q
    long first, last


cdef inline void tile(int rows, int vecs, const Part* part, long m, long n) noexcept nogil:
    """`rows` rows from m on, of columns from n on: `vecs` vecs, of which the last one may be a part. Both are literals."""
    cdef const Affine* q = part.q
    cdef const REAL* a = q.a + m * q.down + part.first * q.along
    cdef const REAL* b = q.b + part.first * q.N + n
    cdef REAL* out = q.out + m * q.N + n
    cdef vec sums[CHAINS]
    cdef vec w[2]
    cdef vec s
    cdef long r, down = q.down, along = q.along, last = q.N - n - (vecs - 1) * LANES
    cdef int i, v
    for v in range(vecs):
        s = load_part(q.start + n + v * LANES, q.N - n - v * LANES) if q.start else zero()
        for i in range(rows):
            sums[i * vecs + v] = load_part(out + i * q.N + v * LANES, q.N - n - v * LANES) if part.first else s
    for r in range(part.last - part.first):
        for v in range(vecs - 1):
            w[v] = load(b + v * LANES)
        w[vecs - 1] = load(b + (vecs - 1) * LANES) if last >= LANES else load_part(b + (vecs - 1) * LANES, last)
        b += q.N
        for i in range(rows):
            s = splat(a[i * down])
            for v in range(vecs):
                sums[i * vecs + v] = fma(s, w[v], sums[i * vecs + v])
        a += along
    for i in range(rows):
        for v in range(vecs):
            store_part(out + i * q.N + v * LANES, sums[i * vecs + v], q.N - n - v * LANES)


cdef inline void columns(int vecs, const Part* part, long n) noexcept nogil:
    """All rows of `vecs` vecs of columns."""
    cdef int rows = CHAINS // vecs
    cdef long m, M = part.q.M
    for m in range(M // rows):
        tile(CHAINS // vecs, vecs, part, m * rows, n)
    for m in range(M - M % rows, M):
        tile(1, vecs, part, m, n)


cdef inline void affine(const Affine* q) noexcept nogil:
    cdef Part part = Part(q, 0, 0)
    cdef long n
    while part.last < q.R:
        part.first, part.last, n = part.last, min(part.last + DEEP, q.R), 0
        while n < q.N:
            if q.N - n > LANES:
                columns(2, &part, n)
            else:
                columns(1, &part, n)
            n += 2 * LANES


cdef inline void transpose(const REAL* a, long M, long N, REAL* out) noexcept nogil:
    """out (N, M) = a^T, of a (M, N)."""
    cdef long m, n
    for m in range(M):
        for n in range(N):
            out[n * M + m] = a[m * N + n]
