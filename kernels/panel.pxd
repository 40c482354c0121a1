"""Panels of weights, and the product that states and deltas go through.

Design. The unit of layout is a line of 64 bytes: LINE units, or LINE columns. A panel holds up to four of them for each k. A
tile keeps rows x lines x PIECES vectors of sums in registers and reads a panel's line once for all of its rows: all lines of a
panel where a register holds a whole line, and then they lie side by side for each k; else one after the other, and then they
lie one behind the other, each through all k, so that a tile reads its line without gaps. Deep panels come from a far cache: a
line for each k is fetched ahead of its use.
`rows`, `lines` and `width` are literals at every call: that is what keeps the sums in registers. The products fill the
processor's load units as much as its multiply-adds, so nothing is loaded twice: a line is kept in its registers, and three
rows share a pointer: more pointers would not fit in registers either, and be loaded for each k.

Each sum is one chain of fma over k in index order, whatever the tile. Rejected: splitting the chain to hide latency
(other bits), a BLAS (its threads, and an order of summation that depends on the processor), and a slice of each of four lines
where registers are narrower (three rows share it, half of each cache line goes unused, and registers spill: half the speed).
"""
from kernels.lanes cimport REAL, vec, LANES, LINE, PIECES, ROWS_BUDGET, TILE_LINES, keep, load, prefetch, splat, fma

cdef enum:
    WIDEST = 4          # lines in a panel
    SUMS = 24           # most accumulators in a tile
    SHARED = 16         # most vecs that all rows of a tile share
    AHEAD = 12          # lines, or rows of weights, from the one in use to the one fetched


cdef inline int tile_vecs(int lines) noexcept nogil:
    """Vecs of sums that a row of a tile has, of so many lines that are wanted."""
    return min(lines, TILE_LINES) * PIECES


cdef inline bint fits(int rows, int vecs) noexcept nogil:
    """Whether the sums of a tile fit in registers."""
    return rows * vecs <= ROWS_BUDGET


cdef inline int tile_rows(long left, int vecs) noexcept nogil:
    """The most rows, of 12 8 6 4 3 2 1, that are left and whose sums fit in registers; of 7 and 8 left about half."""
    if left >= 12 and fits(12, vecs): return 12
    if left >= 8 and fits(8, vecs): return 8
    if left >= 6 and fits(6, vecs) and left != 7 and left != 8: return 6
    if left >= 4 and fits(4, vecs): return 4
    if left >= 3 and fits(3, vecs): return 3
    return 2 if left >= 2 and fits(2, vecs) else 1


cdef inline long line_step(long lines) noexcept nogil:
    """From a k of a line to the next, in a panel of so many lines."""
    return (lines if TILE_LINES > 1 else 1) * LINE


cdef inline long line_start(long line, long depth) noexcept nogil:
    """Where a line begins in a panel of `depth` k."""
    return line * (1 if TILE_LINES > 1 else depth) * LINE


cdef inline void accumulate(vec* acc, int rows, int width, int fed, int blocks, const REAL* a, long lda,
                            const REAL* panel, long step, long depth) noexcept nogil:
    """acc[m, w, g] += sum over k of a[m, k] panel[k, w, g], for the first `fed` of acc's `blocks` lines in each group w."""
    cdef vec b[SHARED]
    cdef vec s
    cdef vec* sums
    cdef const REAL* third[4]       # of rows 0, 3, 6, 9
    cdef long k
    cdef int m, w, i
    for i in range((rows + 2) // 3):
        third[i] = a + 3 * i * lda
    for k in range(depth):
        prefetch(panel + AHEAD * LINE)
        for i in range(width * fed * PIECES):
            b[i] = keep(load(panel + i * LANES))
        for m in range(rows):
            s = splat(third[m // 3][m % 3 * lda])
            for w in range(width):
                sums = acc + (m * width + w) * blocks * PIECES
                for i in range(fed * PIECES):
                    sums[i] = fma(s, b[w * fed * PIECES + i], sums[i])
        for i in range((rows + 2) // 3):
            third[i] += 1
        panel += step


cdef inline long panels(long groups, int blocks) noexcept nogil:
    """Panels of at most WIDEST lines that hold `groups` groups of `blocks` lines each."""
    cdef long widest = WIDEST // blocks
    return (groups + widest - 1) // widest


cdef inline long panel_start(long i, long groups, int blocks) noexcept nogil:
    """First group of panel i: groups are shared evenly, so that no panel is much narrower than the others."""
    return groups * i // panels(groups, blocks)


cdef inline void pack(REAL* out, const REAL* w, long depth, long units, int blocks, int span) noexcept nogil:
    """Weights w (blocks, depth, units) to panels of lines (group, block), over k of depth; lanes past `units` are 0.

    Panels are cut as for `span` blocks, the blocks of the stage that they feed.
    """
    cdef long groups = (units + LINE - 1) // LINE, i, k, u, j, first, last
    cdef int g
    cdef REAL* to
    for i in range(panels(groups, span)):
        first, last = panel_start(i, groups, span), panel_start(i + 1, groups, span)
        for k in range(depth):
            for u in range(first, last):
                for g in range(blocks):
                    to = out + line_start((u - first) * blocks + g, depth) + k * line_step((last - first) * blocks) - u * LINE
                    for j in range(u * LINE, (u + 1) * LINE):
                        to[j] = w[(g * depth + k) * units + j] if j < units else 0
        out += (last - first) * blocks * depth * LINE


cdef inline void pack_transposed(REAL* out, const REAL* w, long depth, long units, int blocks) noexcept nogil:
    """Weights w (blocks, depth, units) to panels of lines of columns of depth, over k (unit group, block, unit): no padded k."""
    cdef long columns = (depth + LINE - 1) // LINE, groups = (units + LINE - 1) // LINE, i, k, u, j, c, v, first, last
    cdef int g
    cdef REAL* to
    for i in range(panels(columns, 1)):
        first, last = panel_start(i, columns, 1), panel_start(i + 1, columns, 1)
        k = 0
        for u in range(groups):
            for g in range(blocks):
                for j in range(u * LINE, min((u + 1) * LINE, units)):
                    for v in range(first, last):
                        to = out + line_start(v - first, blocks * units) + k * line_step(last - first) - v * LINE
                        for c in range(v * LINE, (v + 1) * LINE):
                            to[c] = w[(g * depth + c) * units + j] if c < depth else 0
                    k += 1
        out += (last - first) * blocks * units * LINE
