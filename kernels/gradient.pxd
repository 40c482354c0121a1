"""Gradients of weights, biases and peepholes, as products over all steps and rows after the time loop.

Each is the sum over rows r = (t, b) ascending within a chunk of CHUNK steps of x; the chunks' sums are added in the
order in which BPTT finishes them. Threads share panels and rows of the weights, never r, so no sum is ever split.

Design. Both factors of a chunk's products are copied close together first, in the order in which tiles read them: deltas
line by line, the other factor tile by tile. Where they lie, rows are often a power of two apart and drive each other out of
the cache, which costs a third of the speed. The copy of the other factor serves all panels. A panel's sums are taken
through some rows at a time, so that the deltas of these stay in the nearest cache for all tiles.
"""
from libc.string cimport memcpy, memset

from kernels.job cimport Product
from kernels.lanes cimport (REAL, vec, LANES, LINE, PIECES, TILE_LINES, load, load_part, store, store_part, splat, zero,
                            fma)
from kernels.panel cimport SHARED, SUMS, fits, tile_rows
from kernels.tile cimport Run, alive, gates_at, state_at, slot_before, slot_after

cdef enum:
    CHUNK = 32          # steps; the number is part of the numerical contract
    CACHED = 512        # lines of 64 bytes that the nearest cache of every processor holds
    SHALLOW = 2         # rows of weights that are too few to hide the latency of a sum: all lines of a panel at once


cdef inline int outer_vecs(const Product* q, long width) noexcept nogil:
    """Vecs of sums that a row of a tile has, in a panel of `width` groups."""
    cdef int lines = <int> width * (q.g1 - q.g0)
    return (lines if q.depth <= SHALLOW else min(lines, TILE_LINES)) * PIECES


cdef inline long copy_deltas(REAL* to, long line, const Run* r, int cell_blocks, int g0, int g1, long u, long width,
                             long first, long last) noexcept nogil:
    """to (block, group, row, LINE), lines `line` apart: a panel's deltas of the steps first .. last - 1; how many rows."""
    cdef long t, b, i, n, w, rows = 0
    cdef int g, k
    cdef const REAL* d
    cdef REAL* out
    for t in range(first, last):
        b = 0
        while b < r.B:
            n = alive(r, t, b, r.B)
            for w in range(width):
                d = gates_at(r, cell_blocks, t, u + w, b) + g0 * LINE
                for i in range(rows, rows + n):
                    for g in range(g1 - g0):
                        out = to + (g * width + w) * line + i * LINE
                        for k in range(PIECES):
                            store(out + k * LANES, load(d + g * LINE + k * LANES))
                    d += cell_blocks * LINE
            rows += n
            b += n + 1
    return rows


cdef inline REAL* copy_columns(int columns, REAL* to, const Product* q, const Run* r, long first, long last,
                               long m) noexcept nogil:
    cdef long t, b, i, n
    cdef const REAL* a
    for t in range(first, last):
        b = 0
        while b < r.B:
            n = alive(r, t, b, r.B)
            a = q.a + (t - r.t0) * q.step + b * q.lda + m
            for i in range(n):
                memcpy(to, a + i * q.lda, columns * sizeof(REAL))
                to += columns
            b += n + 1
    return to


cdef inline void copy_factor(REAL* to, const Product* q, const Run* r, long first, long last, int vecs) noexcept nogil:
    """to (tile, row, row of weights): what deltas are multiplied by, at the steps first .. last - 1."""
    cdef long m = 0
    cdef int rows
    while m < q.depth:
        rows = tile_rows(q.depth - m, vecs)
        if rows == 12: to = copy_columns(12, to, q, r, first, last, m)
        elif rows == 8: to = copy_columns(8, to, q, r, first, last, m)
        elif rows == 6: to = copy_columns(6, to, q, r, first, last, m)
        elif rows == 4: to = copy_columns(4, to, q, r, first, last, m)
        elif rows == 3: to = copy_columns(3, to, q, r, first, last, m)
        elif rows == 2: to = copy_columns(2, to, q, r, first, last, m)
        else: to = copy_columns(1, to, q, r, first, last, m)
        m += rows


cdef inline void outer_tile(int rows, int lines, REAL* sums, const REAL* a, const REAL* d, long line, long n) noexcept nogil:
    """sums[m, l] += sum over n rows r of a[r, m] d[l, r]"""
    cdef vec acc[SUMS]
    cdef vec b[SHARED]
    cdef vec s
    cdef long r
    cdef int m, l, k, vecs = lines * PIECES
    for m in range(rows * vecs):
        acc[m] = load(sums + m * LANES)
    for r in range(n):
        for l in range(lines):
            for k in range(PIECES):
                b[l * PIECES + k] = load(d + l * line + k * LANES)
        for m in range(rows):
            s = splat(a[m])
            for k in range(vecs):
                acc[m * vecs + k] = fma(s, b[k], acc[m * vecs + k])
        a += rows
        d += LINE
    for m in range(rows * vecs):
        store(sums + m * LANES, acc[m])


cdef inline long stretch_of(int lines) noexcept nogil:
    """Rows of so many lines of deltas that all tiles go through before they go on: cached, with what these are multiplied by."""
    return CACHED // (lines + 1)


cdef inline void outer_stretch(int lines, REAL* sums, long depth, const REAL* a, const REAL* d, long line, long n,
                               long first) noexcept nogil:
    """sums (depth, lines, LINE) of one stretch of n rows: those from `first` on."""
    cdef int rows, vecs = lines * PIECES
    cdef long m = 0, stretch = min(stretch_of(lines), n - first)
    d += first * LINE
    while m < depth:
        rows = tile_rows(depth - m, vecs)
        if fits(12, vecs) and rows == 12: outer_tile(12, lines, sums, a + first * rows, d, line, stretch)
        elif fits(8, vecs) and rows == 8: outer_tile(8, lines, sums, a + first * rows, d, line, stretch)
        elif fits(6, vecs) and rows == 6: outer_tile(6, lines, sums, a + first * rows, d, line, stretch)
        elif fits(4, vecs) and rows == 4: outer_tile(4, lines, sums, a + first * rows, d, line, stretch)
        elif fits(3, vecs) and rows == 3: outer_tile(3, lines, sums, a + first * rows, d, line, stretch)
        elif fits(2, vecs) and rows == 2: outer_tile(2, lines, sums, a + first * rows, d, line, stretch)
        else: outer_tile(1, lines, sums, a + first * rows, d, line, stretch)
        sums += rows * lines * LINE
        a += rows * n
        m += rows


cdef inline void outer_lines(int lines, int l0, const Product* q, const Run* r, long u, long width, const REAL* a,
                             const REAL* d, long line, long n, long m, long end, REAL* sums) noexcept nogil:
    cdef long i, j, left, stretch = stretch_of(lines)
    cdef int l, k
    cdef REAL* to
    memset(sums, 0, (end - m) * lines * LINE * sizeof(REAL))
    for i in range((n + stretch - 1) // stretch):
        outer_stretch(lines, sums, end - m, a + m * n, d + l0 * line, line, n, i * stretch)
    for i in range(m, end):
        for l in range(l0, l0 + lines):
            j = (u + l % width) * LINE
            to = q.out + (l // width * q.depth + i) * r.H + j
            for k in range(PIECES):
                left = r.H - j - k * LANES
                store_part(to + k * LANES, load_part(to + k * LANES, left) + load(sums + k * LANES), left)
            sums += LINE


cdef inline void outer(const Product* q, const Run* r, long u, long width, const REAL* a, const REAL* d, long line, long n,
                       long m, long end, REAL* sums) noexcept nogil:
    """To rows m .. end - 1 of one product's panel of `width` groups from u, add the sum over the n rows of both copies.

    sums: room for (end - m, WIDEST, LINE).
    """
    cdef int lines = <int> width * (q.g1 - q.g0), l
    if TILE_LINES == 1 and q.depth > SHALLOW:
        for l in range(lines):
            outer_lines(1, l, q, r, u, width, a, d, line, n, m, end, sums)
    elif lines == 4: outer_lines(4, 0, q, r, u, width, a, d, line, n, m, end, sums)
    elif lines == 3: outer_lines(3, 0, q, r, u, width, a, d, line, n, m, end, sums)
    elif lines == 2: outer_lines(2, 0, q, r, u, width, a, d, line, n, m, end, sums)
    else: outer_lines(1, 0, q, r, u, width, a, d, line, n, m, end, sums)


cdef inline void diagonal(REAL* out, const Run* r, int cell_blocks, int block, int state, bint before,
                          long first, long last, long u) noexcept nogil:
    """out (H,) += the sum of delta x state: the gradient of one peephole, for the units of group u."""
    cdef long t, b, i, n, j, slot
    cdef int lane, piece
    cdef vec acc
    for piece in range(PIECES):
        lane = piece * LANES
        acc = zero()
        j = u * LINE + lane
        for t in range(first, last):
            slot = slot_before(r, t) if before else slot_after(r, t)
            b = 0
            while b < r.B:
                n = alive(r, t, b, r.B)
                for i in range(b, b + n):
                    acc = fma(load(gates_at(r, cell_blocks, t, u, i) + block * LINE + lane),
                              load(state_at(r, state, slot, i) + j), acc)
                b += n + 1
        store_part(out + j, load_part(out + j, r.H - j) + acc, r.H - j)
