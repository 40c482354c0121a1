"""The product of a wide x with W for a chunk of steps at once, ahead of the loop over them.

Design. With fewer rows than a tile wants, a step waits for its few sums and for weights from a far cache, and half of that is
x's product, which could be had before. Rows of consecutive steps fill tiles together: b + W x goes to the tape, where the
gates will be, and the loop goes on from there. It is the same chain of fma, cut by a store and a load: the same bits.
Only steps at which all rows are alive. Of FEW rows or more a step fills tiles by itself, and the way through memory costs a few
per cent.
"""
from libc.string cimport memcpy

from kernels.lanes cimport REAL, vec, LANES, LINE, PIECES, load, store
from kernels.panel cimport SUMS, accumulate, line_start, line_step, panel_start, panels
from kernels.tile cimport Form, Run, gates_at

cdef enum:
    FEW = 4             # rows from which on a step fills its tiles; fewer are one thread's
    WIDE = 16           # inputs that are worth it
    TILE = 8 // PIECES  # rows: as many sums as hide their latency, and a whole number of tiles in a chunk


cdef inline REAL* sums_at(const Run* r, const Form* f, long row, long u, int block) noexcept nogil:
    """Of row (t, b), counted from (0, 0)."""
    return gates_at(r, f.blocks, row // r.B, u, row % r.B) + block * LINE


cdef inline void input_tile(int rows, const Run* r, const Form* f, long row, long u, int block, const REAL* line,
                            long step) noexcept nogil:
    """To the sums of a block of group u, rows (t, b) from `row` on, add x times a line of W."""
    cdef vec acc[SUMS]
    cdef REAL* sums[SUMS]
    cdef int m, i
    for m in range(rows):
        sums[m] = sums_at(r, f, row + m, u, block)
        for i in range(PIECES):
            acc[m * PIECES + i] = load(sums[m] + i * LANES)
    accumulate(acc, rows, 1, 1, 1, r.x + row * r.I, r.I, line, step, r.I)
    for m in range(rows):
        for i in range(PIECES):
            store(sums[m] + i * LANES, acc[m * PIECES + i])


cdef inline void inputs_ahead(const Run* r, const Form* f, long first, long last) noexcept nogil:
    """b + W x of a stage for all rows of the steps first .. last - 1, onto the tape."""
    cdef int fed = f.w1 - f.w0, blocks = f.last - f.first, n
    cdef long row, u, i, width
    cdef const REAL* line
    for row in range(first * r.B, last * r.B):
        for u in range(r.groups):
            memcpy(sums_at(r, f, row, u, f.first), r.bias + (u * f.blocks + f.first) * LINE, blocks * LINE * sizeof(REAL))
    for i in range(panels(r.groups, blocks)):
        u = panel_start(i, r.groups, blocks)
        width = panel_start(i + 1, r.groups, blocks) - u
        for n in range(width * fed):
            line = r.W[f.stage] + u * fed * r.I * LINE + line_start(n, r.I)
            row = first * r.B
            while row + TILE <= last * r.B:
                input_tile(TILE, r, f, row, u + n // fed, f.w0 + n % fed, line, line_step(width * fed))
                row += TILE
            while row < last * r.B:
                input_tile(1, r, f, row, u + n // fed, f.w0 + n % fed, line, line_step(width * fed))
                row += 1
