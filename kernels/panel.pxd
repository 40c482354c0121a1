"""Panels of weights, the products of states and deltas with them, and the heights of tiles.

Design. The unit of layout is a line of 64 bytes: LINE units, or LINE columns. A panel holds up to four lines for each k. A tile keeps
rows x lines x PIECES vectors of sums in registers and reads a panel's line once for all of its rows. Where a register holds a whole
line, a tile takes all lines of a panel, and they lie side by side for each k. Elsewhere it takes one line at a time, and a line lies
in one piece through all k, so that it is read without gaps. A deep panel lies in a far cache, so each line is prefetched.
`rows`, `width` and `blocks` are literals at every call: this keeps the sums in registers. The products fill the load units as much as
the multiply-add units, so nothing is loaded twice: a line stays in its registers, and three rows share a pointer, because more
pointers would not fit in registers.

Each sum is one chain of fma over k in index order, whatever the tile; where x is one-hot, only the link that is not 0 is added.
Rejected: splitting the chain to hide latency (other bits), a BLAS (its threads, and an order of summation that depends on the
processor), and a slice of each of four lines where registers are narrower (three rows share it, half of each cache line goes unused, and
registers spill: half the speed).
"""
from libc.stdint cimport uint16_t

from kernels.lanes cimport (REAL, vec, LANES, LINE, PIECES, ROWS_BUDGET, TILE_LINES, keep, load, load_part, prefetch, splat, store, zero,
                            fma)

cdef enum:
    WIDEST = 4          # lines in a panel
    SUMS = 24           # most accumulators in a tile
    SHARED = 16         # most vecs that all rows of a tile share
    AHEAD = 12          # lines, or rows of weights, from the one in use to the one fetched

cdef struct Sums:
    # The sums of a tile: acc (rows, width, blocks, PIECES).
    vec* acc
    int rows, width, blocks

cdef struct Factor:
    # The left factor of a product: rows of `depth` numbers, lda apart; their symbols if they are one-hot (as in a Port), or NULL.
    const REAL* a
    long lda, depth
    const uint16_t* symbols

ctypedef void (*Tile)(int rows, const void* work, long m) noexcept nogil


cdef inline int tile_vecs(int lines) noexcept nogil:
    """Vecs of sums that a row of a tile has, if `lines` lines are wanted."""
    return min(lines, TILE_LINES) * PIECES


cdef inline bint fits(int rows, int vecs) noexcept nogil:
    """Whether the sums of a tile fit in registers."""
    return rows * vecs <= ROWS_BUDGET


cdef inline int tile_rows(long left, int vecs) noexcept nogil:
    """The height of the next tile: 12, 8, 6, 4, 3, 2 or 1 rows, whose sums fit in registers; about half of 7 or 8 rows left."""
    if left >= 12 and fits(12, vecs): return 12
    if left >= 8 and fits(8, vecs): return 8
    if left >= 6 and fits(6, vecs) and left != 7 and left != 8: return 6
    if left >= 4 and fits(4, vecs): return 4
    if left >= 3 and fits(3, vecs): return 3
    return 2 if left >= 2 and fits(2, vecs) else 1


cdef inline int next_tile(Tile tile, const void* work, int vecs, long left, long m) noexcept nogil:
    """Call tile(rows, work, m) for the tallest tile of the rows left; return its rows. In each call `rows` is a literal."""
    cdef int rows = tile_rows(left, vecs)
    if fits(12, vecs) and rows == 12: tile(12, work, m)
    elif fits(8, vecs) and rows == 8: tile(8, work, m)
    elif fits(6, vecs) and rows == 6: tile(6, work, m)
    elif fits(4, vecs) and rows == 4: tile(4, work, m)
    elif fits(3, vecs) and rows == 3: tile(3, work, m)
    elif fits(2, vecs) and rows == 2: tile(2, work, m)
    else: tile(1, work, m)
    return rows


cdef inline long line_step(long lines) noexcept nogil:
    """The distance from one k of a line to the next, in a panel of `lines` lines."""
    return (lines if TILE_LINES > 1 else 1) * LINE


cdef inline long line_start(long line, long depth) noexcept nogil:
    """Where a line begins in a panel whose k run to `depth`."""
    return line * (1 if TILE_LINES > 1 else depth) * LINE


cdef inline void accumulate(Sums sums, int fed, Factor x, const REAL* panel, long step) noexcept nogil:
    """acc[m, w, g] += sum over k of x[m, k] panel[k, w, g], for the first `fed` of the blocks in each group w."""
    cdef vec b[SHARED]
    cdef vec s
    cdef vec* acc
    cdef const REAL* third[4]       # of rows 0, 3, 6, 9
    cdef long k
    cdef int m, w, i
    for i in range((sums.rows + 2) // 3):
        third[i] = x.a + 3 * i * x.lda
    for k in range(x.depth):
        for i in range(sums.width * fed):
            prefetch(panel + (AHEAD + i) * LINE)
        for i in range(sums.width * fed * PIECES):
            b[i] = keep(load(panel + i * LANES))
        for m in range(sums.rows):
            s = splat(third[m // 3][m % 3 * x.lda])
            for w in range(sums.width):
                acc = sums.acc + (m * sums.width + w) * sums.blocks * PIECES
                for i in range(fed * PIECES):
                    acc[i] = fma(s, b[w * fed * PIECES + i], acc[i])
        for i in range((sums.rows + 2) // 3):
            third[i] += 1
        panel += step


cdef inline void pick(Sums sums, int fed, Factor x, const REAL* panel, long step) noexcept nogil:
    """`accumulate` for an x with symbols: 0 times a finite weight adds nothing, and 1 times a weight is that weight."""
    cdef vec* acc
    cdef const REAL* line
    cdef int m, w, i
    for m in range(sums.rows):
        if x.symbols[m] < x.depth:
            line = panel + x.symbols[m] * step
            for w in range(sums.width):
                acc = sums.acc + (m * sums.width + w) * sums.blocks * PIECES
                for i in range(fed * PIECES):
                    acc[i] = acc[i] + load(line + (w * fed * PIECES + i) * LANES)


cdef inline long panels(long groups, int blocks) noexcept nogil:
    """Panels of at most WIDEST lines that hold `groups` groups of `blocks` lines each."""
    if 2 * blocks > WIDEST:     # no division by a variable: it takes as long as a small tile
        return groups
    return (groups + 1) // 2 if blocks == 2 else (groups + WIDEST - 1) // WIDEST


cdef inline long panel_start(long i, long groups, int blocks) noexcept nogil:
    """First group of panel i: groups are shared evenly, so that no panel is much narrower than the others."""
    cdef long n = panels(groups, blocks)
    if n == 1 or n == groups:
        return groups * i if n == 1 else i
    return groups * i // n


cdef struct Block:
    # Rows of weights, `units` numbers apart, of which `left` or a whole line go to lines `step` apart.
    const REAL* w
    long units, left, step


cdef inline void pack_line(REAL* to, Block block, long depth) noexcept nogil:
    """Copy a line for each k of depth; lanes past the units are 0."""
    cdef long k
    cdef int i
    for k in range(depth):
        for i in range(PIECES):
            store(to + i * LANES, load_part(block.w + i * LANES, block.left - i * LANES))
        to += block.step
        block.w += block.units


cdef inline void pack(REAL* out, const REAL* w, long depth, long units, int blocks, int span) noexcept nogil:
    """Weights w (blocks, depth, units) to panels of lines (group, block), over k of depth; lanes past `units` are 0.

    Panels are cut as for `span` blocks, the blocks of the stage that they feed.
    """
    cdef long groups = (units + LINE - 1) // LINE, i, u, first, last, step
    cdef int g
    for i in range(panels(groups, span)):
        first, last = panel_start(i, groups, span), panel_start(i + 1, groups, span)
        step = line_step((last - first) * blocks)
        for u in range(first, last):
            for g in range(blocks):
                pack_line(out + line_start((u - first) * blocks + g, depth),
                          Block(w + g * depth * units + u * LINE, units, units - u * LINE, step), depth)
        out += (last - first) * blocks * depth * LINE


cdef inline void pack_columns(REAL* to, Block block, long columns) noexcept nogil:
    """Copy `columns` rows of weights to the columns of a line for each unit; the line's other columns are 0."""
    cdef long c, j, n = min(<long> LINE, block.left)
    cdef int i
    if columns < LINE:
        for j in range(n):
            for i in range(PIECES):
                store(to + j * block.step + i * LANES, zero())
    for c in range(min(<long> LINE, columns)):
        for j in range(n):
            to[j * block.step + c] = block.w[j]
        block.w += block.units


cdef inline void pack_transposed(REAL* out, const REAL* w, long depth, long units, int blocks) noexcept nogil:
    """Weights w (blocks, depth, units) to panels of lines of columns of depth, over k (unit group, block, unit): no padded k."""
    cdef long columns = (depth + LINE - 1) // LINE, groups = (units + LINE - 1) // LINE, i, k, u, v, first, last, step
    cdef int g
    for i in range(panels(columns, 1)):
        first, last = panel_start(i, columns, 1), panel_start(i + 1, columns, 1)
        step = line_step(last - first)
        k = 0
        for u in range(groups):
            for g in range(blocks):
                for v in range(first, last):
                    pack_columns(out + line_start(v - first, blocks * units) + k * step,
                                 Block(w + (g * depth + v * LINE) * units + u * LINE, units, units - u * LINE, step), depth - v * LINE)
                k += min(<long> LINE, units - u * LINE)
        out += (last - first) * blocks * units * LINE
