"""Panels of weights and the two products that training is made of.

Design. The unit of layout is a line of 64 bytes: LINE units, or LINE columns. A panel holds up to four lines side
by side for each k, so a tile of `rows` rows keeps rows x lines vectors of sums in registers and reads a panel's line
once for all of its rows. Where a processor's `vec` is narrower than a line, a tile covers one slice of each line.
`rows`, `lines` and `width` are literals at every call: that is what keeps the sums in registers.

Each sum is one chain of fma over k in index order, whatever the tile. Rejected: splitting the chain to hide latency
(other bits), and a BLAS (its threads, and an order of summation that depends on the processor).
"""
from kernels.lanes cimport REAL, vec, LANES, LINE, ROWS_BUDGET, load, splat, fma

cdef enum:
    WIDEST = 4          # lines in a panel
    SUMS = 24           # most accumulators in a tile


cdef inline int tile_rows(long left, int lines) noexcept nogil:
    """The most rows, of 12 8 6 4 3 2 1, that are left and whose sums fit in registers."""
    if left >= 12 and 12 * lines <= ROWS_BUDGET: return 12
    if left >= 8 and 8 * lines <= ROWS_BUDGET: return 8
    if left >= 6 and 6 * lines <= ROWS_BUDGET: return 6
    if left >= 4 and 4 * lines <= ROWS_BUDGET: return 4
    if left >= 3: return 3
    return 2 if left >= 2 else 1


cdef inline void accumulate(vec* acc, int rows, int width, int fed, int blocks,
                            const REAL* a, long lda, const REAL* panel, long depth) noexcept nogil:
    """acc[m, w, g] += sum over k of a[m, k] panel[k, w, g], for the first `fed` of acc's `blocks` lines in each group w."""
    cdef vec b[WIDEST]
    cdef vec s
    cdef long k
    cdef int m, w, g
    for k in range(depth):
        for g in range(width * fed):
            b[g] = load(panel + g * LINE)
        for m in range(rows):
            s = splat(a[m * lda + k])
            for w in range(width):
                for g in range(fed):
                    acc[(m * width + w) * blocks + g] = fma(s, b[w * fed + g], acc[(m * width + w) * blocks + g])
        panel += width * fed * LINE


cdef inline void accumulate_outer(vec* acc, int rows, int width, int blocks, const REAL* a, long lda,
                                  const REAL* d, long ldd, long group, long n) noexcept nogil:
    """acc[m, (w, g)] += sum over n rows r of a[r, m] d[w, r, g]; `group` lies between the groups w of d."""
    cdef vec b[WIDEST]
    cdef vec s
    cdef long r
    cdef int m, w, g, lines = width * blocks
    for r in range(n):
        for w in range(width):
            for g in range(blocks):
                b[w * blocks + g] = load(d + w * group + g * LINE)
        for m in range(rows):
            s = splat(a[m])
            for g in range(lines):
                acc[m * lines + g] = fma(s, b[g], acc[m * lines + g])
        a += lda
        d += ldd


cdef inline long panels(long groups, int blocks) noexcept nogil:
    """Panels of at most WIDEST lines that hold `groups` groups of `blocks` lines each."""
    cdef long widest = WIDEST // blocks
    return (groups + widest - 1) // widest


cdef inline long panel_start(long i, long groups, int blocks) noexcept nogil:
    """First group of panel i: groups are shared evenly, so that no panel is much narrower than the others."""
    return groups * i // panels(groups, blocks)


cdef inline void pack(REAL* out, const REAL* w, long depth, long units, int blocks, int span) noexcept nogil:
    """Weights w (blocks, depth, units) to panels [panel][k][group, block, unit]; lanes past `units` are 0.

    Panels are cut as for `span` blocks, the blocks of the stage that they feed.
    """
    cdef long groups = (units + LINE - 1) // LINE, i, k, u, j
    cdef int g
    for i in range(panels(groups, span)):
        for k in range(depth):
            for u in range(panel_start(i, groups, span), panel_start(i + 1, groups, span)):
                for g in range(blocks):
                    for j in range(u * LINE, (u + 1) * LINE):
                        out[0] = w[(g * depth + k) * units + j] if j < units else 0
                        out += 1


cdef inline void pack_transposed(REAL* out, const REAL* w, long depth, long units, int blocks) noexcept nogil:
    """Weights w (blocks, depth, units) to panels [panel][unit group, block, unit][column of depth]: no padded k."""
    cdef long columns = (depth + LINE - 1) // LINE, groups = (units + LINE - 1) // LINE, i, u, j, c, first, last
    cdef int g
    for i in range(panels(columns, 1)):
        first, last = panel_start(i, columns, 1) * LINE, panel_start(i + 1, columns, 1) * LINE
        for u in range(groups):
            for g in range(blocks):
                for j in range(u * LINE, min((u + 1) * LINE, units)):
                    for c in range(first, last):
                        out[0] = w[(g * depth + c) * units + j] if c < depth else 0
                        out += 1
