"""Gradients of weights, biases and peepholes, as products over all steps and rows after the time loop.

Each is the sum over rows r = (t, b) ascending within a chunk of CHUNK steps of x; the chunks' sums are added in the
order in which BPTT finishes them. Threads share panels and rows of the weights, never r, so no sum is ever split.
"""
from kernels.job cimport Form, Job, Peephole, Product
from kernels.lanes cimport (REAL, vec, LANES, LINE, load, load_part, store_part, zero, fma, mode, enter_mode,
                            leave_mode)
from kernels.panel cimport SUMS, tile_rows, accumulate_outer, panels, panel_start
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


# -------------------------------------------------------------------------------------------------- threads

cdef inline long tall(const Product* q, long width) noexcept nogil:
    """Rows of the product's tallest tile."""
    return tile_rows(q.depth, <int> width * (q.g1 - q.g0))


cdef inline long tiles(const Product* q, long width) noexcept nogil:
    return (q.depth + tall(q, width) - 1) // tall(q, width) if q.g1 > q.g0 else 0


cdef inline void peephole_gradients(const Job* job, long u, long width, long first, long last) noexcept nogil:
    cdef const Form* f = &job.row.form[0]
    cdef const Peephole* q
    cdef int i
    cdef long w
    for i in range(f.peepholes):
        q = &job.row.peephole[i]
        for w in range(u, u + width):
            diagonal(job.dp + i * job.run.H, &job.run, f.blocks, q.block, q.state, q.before, first, last, w)


cdef inline void gradient_panel(const Job* job, int k, long u, long width, long low, long high) noexcept nogil:
    """Of the tiles of a panel's three products, numbered through, those from low to high - 1; chunk after chunk."""
    cdef const Run* r = &job.run
    cdef const Form* f = &job.row.form[k]
    cdef const Product* q
    cdef long chunks = (job.t1 - 1) // CHUNK - job.t0 // CHUNK + 1, i, c, first, last, start, begin, end
    cdef int m
    for i in range(chunks):
        c = job.t0 // CHUNK + (i if r.reverse else chunks - 1 - i)
        first, last = max(c * CHUNK, job.t0), min((c + 1) * CHUNK, job.t1)
        start = 0
        for m in range(3):
            q = &job.product[k][m]
            begin, end = max(low - start, 0), min(high - start, tiles(q, width))
            if begin < end:
                outer(width, q, r, f.blocks, first, last, u, begin * tall(q, width), min(end * tall(q, width), q.depth))
                if m == 2 and k == 0:
                    peephole_gradients(job, u, width, first, last)
            start += tiles(q, width)


cdef inline void gradient_share(const Job* jobs, int njobs, long share, long shares) noexcept nogil:
    """Tiles of all weight gradients, numbered through all jobs, stages and panels: one share of them."""
    cdef long count = 0, start, total, low = 0, high = 0, i, u, width, n
    cdef int d, k, m, sweep, blocks
    cdef const Job* job
    cdef mode saved = enter_mode()
    for sweep in range(2):
        start = 0
        for d in range(njobs):
            job = &jobs[d]
            for k in range(job.row.stages):
                blocks = job.row.form[k].last - job.row.form[k].first
                for i in range(panels(job.run.groups, blocks)):
                    u = panel_start(i, job.run.groups, blocks)
                    width = panel_start(i + 1, job.run.groups, blocks) - u
                    n = 0
                    for m in range(3):
                        n += tiles(&job.product[k][m], width)
                    if sweep and low < start + n and high > start:
                        gradient_panel(job, k, u, width, low - start, high - start)
                    start += n
        low, high = start * share // shares, start * (share + 1) // shares
    leave_mode(saved)
