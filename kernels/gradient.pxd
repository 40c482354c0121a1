"""Gradients of weights, biases and peepholes, as products over all steps and rows after the time loop.

Each is the sum over rows r = (t, b) ascending within a chunk of CHUNK steps of x; the chunks' sums are added in the
order in which BPTT finishes them. Threads share panels and rows of the weights, never r, so no sum is ever split.
"""
from kernels.job cimport Product
from kernels.lanes cimport REAL, vec, LANES, LINE, load, load_part, store_part, zero, fma
from kernels.panel cimport SUMS, tile_rows, accumulate_outer
from kernels.tile cimport Run, alive, gates_at, state_at, slot_before, slot_after

cdef enum:
    CHUNK = 32          # steps; the number is part of the numerical contract

cdef inline void outer_tile(int rows, int width, int blocks, const Product* q, const Run* r, int cell_blocks,
                            long first, long last, long u, int lane, long m) noexcept nogil:
    cdef vec acc[SUMS]
    cdef long t, b, n, group = r.B * cell_blocks * LINE
    cdef int i, w, g, lines = width * blocks
    cdef REAL* out
    for i in range(rows * lines):
        acc[i] = zero()
    for t in range(first, last):
        b = 0
        while b < r.B:
            n = alive(r, t, b, r.B)
            accumulate_outer(acc, rows, width, blocks, q.a + (t - r.t0) * q.step + b * q.lda + m, q.lda,
                             gates_at(r, cell_blocks, t, u, b) + q.g0 * LINE + lane, cell_blocks * LINE, group, n)
            b += n + 1
    for i in range(rows):
        for w in range(width):
            for g in range(blocks):
                out = q.out + (g * q.depth + m + i) * r.H + (u + w) * LINE + lane
                n = r.H - (u + w) * LINE - lane
                store_part(out, load_part(out, n) + acc[i * lines + w * blocks + g], n)


cdef inline void outer_rows(int width, int blocks, const Product* q, const Run* r, int cell_blocks,
                            long first, long last, long u, long m, long end) noexcept nogil:
    cdef int rows, lane, piece, lines = width * blocks
    cdef long i
    for piece in range(LINE // LANES):
        lane = piece * LANES
        i = m
        while i < end:
            rows = tile_rows(end - i, lines)
            if lines <= 2 and rows == 12: outer_tile(12, width, blocks, q, r, cell_blocks, first, last, u, lane, i)
            elif lines <= 3 and rows == 8: outer_tile(8, width, blocks, q, r, cell_blocks, first, last, u, lane, i)
            elif rows == 6: outer_tile(6, width, blocks, q, r, cell_blocks, first, last, u, lane, i)
            elif rows == 4: outer_tile(4, width, blocks, q, r, cell_blocks, first, last, u, lane, i)
            elif rows == 3: outer_tile(3, width, blocks, q, r, cell_blocks, first, last, u, lane, i)
            elif rows == 2: outer_tile(2, width, blocks, q, r, cell_blocks, first, last, u, lane, i)
            else: outer_tile(1, width, blocks, q, r, cell_blocks, first, last, u, lane, i)
            i += rows


cdef inline void outer(long width, const Product* q, const Run* r, int cell_blocks,
                       long first, long last, long u, long m, long end) noexcept nogil:
    """Rows m .. end - 1 of one product's panel of `width` groups from u, summed over the steps first .. last - 1."""
    cdef int blocks = q.g1 - q.g0
    if blocks == 4: outer_rows(1, 4, q, r, cell_blocks, first, last, u, m, end)
    elif blocks == 3: outer_rows(1, 3, q, r, cell_blocks, first, last, u, m, end)
    elif blocks == 2 and width == 2: outer_rows(2, 2, q, r, cell_blocks, first, last, u, m, end)
    elif blocks == 2: outer_rows(1, 2, q, r, cell_blocks, first, last, u, m, end)
    elif width == 4: outer_rows(4, 1, q, r, cell_blocks, first, last, u, m, end)
    elif width == 3: outer_rows(3, 1, q, r, cell_blocks, first, last, u, m, end)
    elif width == 2: outer_rows(2, 1, q, r, cell_blocks, first, last, u, m, end)
    else: outer_rows(1, 1, q, r, cell_blocks, first, last, u, m, end)


cdef inline void diagonal(REAL* out, const Run* r, int cell_blocks, int block, int state, bint before,
                          long first, long last, long u) noexcept nogil:
    """out (H,) += the sum of delta x state: the gradient of one peephole, for the units of group u."""
    cdef long t, b, i, n, j, slot
    cdef int lane, piece
    cdef vec acc
    for piece in range(LINE // LANES):
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
