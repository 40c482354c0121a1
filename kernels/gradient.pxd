"""Gradients of weights, biases and peepholes, as products over all steps and rows after the time loop.

Each is the sum over rows r = (t, b) ascending within a chunk of CHUNK steps of x; the chunks' sums are added in the
order in which BPTT finishes them. Threads share panels and rows of the weights, never r, so no sum is ever split.

Design. A stretch of rows at a time goes through all products, whose sums lie in memory in between (where a chunk is one stretch,
one product's after another's in the same place). Both factors of a stretch are copied close together first, in the order in
which tiles read them: deltas line by line, the other factor tile by tile.
Where they lie, rows are often a power of two apart and drive each other out of the cache, which costs a third of the speed.
The copy of the other factor serves all panels, and a stretch is short enough for the deltas that a tile reads to stay in
the nearest cache for all tiles.
"""
from libc.string cimport memcpy

from kernels.job cimport Product
from kernels.lanes cimport (REAL, vec, LANES, LINE, PIECES, TILE_LINES, keep, load, load_part, prefetch, store, store_part,
                            splat, zero, fma)
from kernels.panel cimport AHEAD, SHARED, SUMS, fits, tile_rows
from kernels.tile cimport Run, alive, gates_at, state_at, slot_before, slot_after

cdef enum:
    CHUNK = 32          # steps; the number is part of the numerical contract
    STRETCH = 512 // (TILE_LINES + 1) // 32 * 32    # rows, of which the nearest cache holds what a tile reads; whole LINEs
    SHALLOW = 4         # rows x lines that a tile has at least, where there are so many: fewer sums do not hide their latency


cdef inline int lines_of(const Product* q, long width) noexcept nogil:
    """Lines that a product has in a panel of `width` groups."""
    return <int> width * (q.g1 - q.g0)


cdef inline int together(const Product* q, int lines) noexcept nogil:
    """Lines of a panel whose sums a tile has in registers at a time: a divisor of `lines`, so that all tiles have the same rows."""
    cdef int most = min(lines, max(TILE_LINES, SHALLOW // q.depth))
    return most if lines % most == 0 else 1


cdef inline long following(const Run* r, long row, long end) noexcept nogil:
    """How many of the rows (t, b) from `row` on are alive and at one step."""
    return alive(r, row // r.B, row % r.B, min(r.B, row % r.B + end - row))


cdef inline long copy_deltas(REAL* to, const Run* r, int cell_blocks, int g0, int g1, long u, long width,
                             long row, long end) noexcept nogil:
    """to (block, group, STRETCH, LINE): a panel's deltas of the rows row .. end - 1; how many of them are alive."""
    cdef long i, n, w, rows = 0
    cdef int g, k
    cdef const REAL* d
    cdef REAL* out
    while row < end:
        n = following(r, row, end)
        for w in range(width):
            d = gates_at(r, cell_blocks, row // r.B, u + w, row % r.B) + g0 * LINE
            for i in range(rows, rows + n):
                for g in range(g1 - g0):
                    out = to + ((g * width + w) * STRETCH + i) * LINE
                    for k in range(PIECES):
                        store(out + k * LANES, load(d + g * LINE + k * LANES))
                d += cell_blocks * LINE
        rows += n
        row += max(1, n)
    return rows


cdef inline void copy_columns(int columns, REAL* to, const REAL* a, long lda, long n) noexcept nogil:
    cdef long i
    for i in range(n):
        memcpy(to + i * columns, a + i * lda, columns * sizeof(REAL))


cdef inline void copy_factor(REAL* to, const Product* q, const Run* r, long row, long end, long rows, int vecs) noexcept nogil:
    """to (tile, row, row of weights): what deltas are multiplied by, of the rows row .. end - 1, `rows` of them alive."""
    cdef const REAL* a
    cdef REAL* out
    cdef long n, m, done = 0
    cdef int columns
    while row < end:
        n = following(r, row, end)
        m = 0
        while m < q.depth:
            columns = tile_rows(q.depth - m, vecs)
            a = q.a + (row // r.B - r.t0) * q.step + row % r.B * q.lda + m
            out = to + m * rows + done * columns
            if columns == 12: copy_columns(12, out, a, q.lda, n)
            elif columns == 8: copy_columns(8, out, a, q.lda, n)
            elif columns == 6: copy_columns(6, out, a, q.lda, n)
            elif columns == 4: copy_columns(4, out, a, q.lda, n)
            elif columns == 3: copy_columns(3, out, a, q.lda, n)
            elif columns == 2: copy_columns(2, out, a, q.lda, n)
            else: copy_columns(1, out, a, q.lda, n)
            m += columns
        done += n
        row += max(1, n)


cdef inline void outer_tile(int rows, int lines, REAL* sums, const REAL* a, const REAL* d, long n) noexcept nogil:
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
                b[l * PIECES + k] = keep(load(d + l * STRETCH * LINE + k * LANES))
        for m in range(rows):
            s = splat(a[m])
            for k in range(vecs):
                acc[m * vecs + k] = fma(s, b[k], acc[m * vecs + k])
        a += rows
        d += LINE
    for m in range(rows * vecs):
        store(sums + m * LANES, acc[m])


cdef inline void outer_lines(int lines, REAL* sums, long depth, const REAL* a, const REAL* d, long n) noexcept nogil:
    """sums (depth, lines, LINE) += the sum over n rows of both copies."""
    cdef int rows, vecs = lines * PIECES
    cdef long m = 0
    while m < depth:
        rows = tile_rows(depth - m, vecs)
        if fits(12, vecs) and rows == 12: outer_tile(12, lines, sums, a, d, n)
        elif fits(8, vecs) and rows == 8: outer_tile(8, lines, sums, a, d, n)
        elif fits(6, vecs) and rows == 6: outer_tile(6, lines, sums, a, d, n)
        elif fits(4, vecs) and rows == 4: outer_tile(4, lines, sums, a, d, n)
        elif fits(3, vecs) and rows == 3: outer_tile(3, lines, sums, a, d, n)
        elif fits(2, vecs) and rows == 2: outer_tile(2, lines, sums, a, d, n)
        else: outer_tile(1, lines, sums, a, d, n)
        sums += rows * lines * LINE
        a += rows * n
        m += rows


cdef inline void outer(const Product* q, int lines, REAL* sums, long depth, const REAL* a, const REAL* d,
                       long n) noexcept nogil:
    """To the sums of `depth` rows of one product's panel, add the sum over the n rows of both copies.

    sums : (part, depth, line, LINE), a part being the lines that go together
    """
    cdef int some = together(q, lines), i
    for i in range(lines // some):
        if some == 4: outer_lines(4, sums, depth, a, d, n)
        elif some == 3: outer_lines(3, sums, depth, a, d, n)
        elif some == 2: outer_lines(2, sums, depth, a, d, n)
        else: outer_lines(1, sums, depth, a, d, n)
        sums += some * depth * LINE
        d += some * STRETCH * LINE


cdef inline void add_sums(const Product* q, const Run* r, long u, long width, const REAL* sums, long m, long end) noexcept nogil:
    """To rows m .. end - 1 of the weights of a panel of `width` groups from u, add their sums as `outer` leaves them."""
    cdef int lines = lines_of(q, width), some = together(q, lines), k
    cdef long part, i, j, unit, left
    cdef REAL* to
    for part in range(lines // some):
        for i in range(m, end):
            for j in range(part * some, (part + 1) * some):
                unit = (u + j % width) * LINE
                to = q.out + (j // width * q.depth + i) * r.H + unit
                prefetch(to + AHEAD * r.H)      # rows this far apart are not fetched by themselves
                for k in range(PIECES):
                    left = r.H - unit - k * LANES
                    store_part(to + k * LANES, load_part(to + k * LANES, left) + load(sums + k * LANES), left)
                sums += LINE


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
