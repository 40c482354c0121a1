"""The product of a wide x with W, for a chunk of steps before the time loop reaches them.

Design. With too few rows to fill a tile, latency dominates; half of it is x W, so it is computed ahead. The rows of consecutive steps
fill tiles together: b + x W goes to the gate buffer, and the time loop continues from there. It is the same chain of fma, cut by a
store and a load, so the bits are the same. This is done only for steps at which all rows are alive. From FEW rows on, a step fills
its tiles by itself, and the way through memory would cost a few per cent.
"""
from libc.string cimport memcpy

from kernels.lanes cimport REAL, vec, LANES, LINE, PIECES, load, store
from kernels.panel cimport SUMS, Factor, Sums, accumulate, line_start, line_step, panel_start, panels
from kernels.recurrence cimport Form, recurrence_t, gates_at

cdef enum:
    FEW = 4             # from this number of rows on, a step fills its tiles; fewer rows are not shared among threads
    WIDE = 16           # from this number of inputs on, the product ahead pays
    TILE = 8 // PIECES  # rows: enough sums to hide their latency, and a whole number of tiles in a chunk


cdef inline REAL* sums_at(const recurrence_t* r, const Form* f, long row, long u, int block) noexcept nogil:
    """The gate buffer of a block of group u, for row = t B + b."""
    cdef long t = row if r.B == 1 else row // r.B       # one row needs no division, which takes as long as a small tile
    return gates_at(r, f.blocks, t, u, row - t * r.B) + block * LINE


cdef inline void input_tile(int rows, const recurrence_t* r, const Form* f, long row, long u, long width, int n) noexcept nogil:
    """Add x times line n of the panel of W (width groups from u), to the sums of `rows` rows (t, b) from `row` on."""
    cdef int fed = f.w1 - f.w0, m, i
    cdef const REAL* line = r.W[f.stage] + u * fed * r.I * LINE + line_start(n, r.I)
    cdef vec acc[SUMS]
    cdef REAL* sums[SUMS]
    for m in range(rows):
        sums[m] = sums_at(r, f, row + m, u + n // fed, f.w0 + n % fed)
        for i in range(PIECES):
            acc[m * PIECES + i] = load(sums[m] + i * LANES)
    accumulate(Sums(&acc[0], rows, 1, 1), 1, Factor(r.x + row * r.I, r.I, r.I, NULL), line, line_step(width * fed))
    for m in range(rows):
        for i in range(PIECES):
            store(sums[m] + i * LANES, acc[m * PIECES + i])


cdef inline void inputs_ahead(const recurrence_t* r, const Form* f, long first, long last) noexcept nogil:
    """Write b + x W of a stage to the gate buffer, for all rows of the steps first .. last - 1."""
    cdef int blocks = f.last - f.first, n
    cdef long row, u, i, width
    for row in range(first * r.B, last * r.B):
        for u in range(r.groups):
            memcpy(sums_at(r, f, row, u, f.first), r.bias + (u * f.blocks + f.first) * LINE, blocks * LINE * sizeof(REAL))
    for i in range(panels(r.groups, blocks)):
        u = panel_start(i, r.groups, blocks)
        width = panel_start(i + 1, r.groups, blocks) - u
        for n in range(width * (f.w1 - f.w0)):
            row = first * r.B
            while row + TILE <= last * r.B:
                input_tile(TILE, r, f, row, u, width, n)
                row += TILE
            while row < last * r.B:
                input_tile(1, r, f, row, u, width, n)
                row += 1
