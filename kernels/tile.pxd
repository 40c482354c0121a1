"""One step of any cell over a run of rows: the product, the equations on the tile while it is in registers, and back.

Everything here is inline and takes the cell's equations and its `Form` as literals, so that each line of TABLE
compiles to tiles of its own. A `Run` is one direction of one call: sizes, packed weights, and the tape.

Layouts (L = LINE): gates (step, group, B, block, L); states (S, slot, B, pad) with pad = groups x L; operands
(operand, step, B, pad); carries (S, B, pad). A forward run finds h' at slot t - t0 and puts h at t - t0 + 1; a reverse run
the other way round, so the initial state lies at the end where the run starts.
"""
from kernels.lanes cimport (REAL, vec, LANES, LINE, load, load_part, store, store_part, zero, flush)
from kernels.panel cimport SUMS, accumulate, panel_start, panels, tile_rows

cdef extern from *:
    """
    #undef I    /* complex.h's, which NumPy's headers bring */
    """

cdef enum:
    MOST_BLOCKS = 8
    MOST_STATES = 6
    MOST_STAGES = 2
    MOST_FEEDS = 4
    OPERAND = MOST_STATES       # the source of a Feed: a state of the step before, or OPERAND + an operand

ctypedef void (*Forward)(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil
ctypedef void (*Backward)(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil

cdef struct Feed:
    # A product with recurrent weights: what it multiplies, and the blocks [first, last) that it feeds.
    int source, first, last

cdef struct Form:
    # What a stage of a cell looks like: `blocks`, `states`, `peepholes` of the cell, the operands that its first stage
    # makes, whether it sees x itself; the blocks [first, last) that the stage completes, those of them that W feeds,
    # and its products with recurrent weights.
    int blocks, states, peepholes, operands
    bint direct
    int stage, stages
    int first, last, w0, w1
    int feeds
    Feed feed[MOST_FEEDS]

cdef struct Run:
    long T, B, I, H, groups, pad
    bint reverse, truncated
    const int* lengths
    long shortest
    const REAL* x
    # packed parameters
    REAL* bias                  # (group, block, L)
    REAL* p                     # (peephole, pad)
    REAL* W[MOST_STAGES]
    REAL* U[MOST_STAGES][MOST_FEEDS]
    REAL* UT[MOST_STAGES][MOST_FEEDS]
    REAL* WT
    # the tape: steps t0 .. t0 + slots - 2
    long t0, slots
    REAL* gates
    REAL* states
    REAL* operands
    # results and what arrives
    REAL* y
    long ldy
    const REAL* dy
    long lddy
    REAL* carry                 # d state, on its way back
    REAL* doperand              # (operand, B, pad)
    REAL* ddirect               # (B, pad): of x itself
    REAL* total                 # (S, B, pad): total derivatives of one step, only for norms
    double* norms               # (S, T, B)
    REAL* dx


cdef inline REAL* state_at(const Run* r, int s, long slot, long b) noexcept nogil:
    return r.states + ((s * r.slots + slot) * r.B + b) * r.pad

cdef inline long slot_before(const Run* r, long t) noexcept nogil:
    return t - r.t0 + r.reverse

cdef inline long slot_after(const Run* r, long t) noexcept nogil:
    return t - r.t0 + 1 - r.reverse

cdef inline REAL* gates_at(const Run* r, int blocks, long t, long u, long b) noexcept nogil:
    return r.gates + (((t - r.t0) * r.groups + u) * r.B + b) * blocks * LINE

cdef inline REAL* operand_at(const Run* r, int k, long t, long b) noexcept nogil:
    return r.operands + ((k * (r.slots - 1) + t - r.t0) * r.B + b) * r.pad

cdef inline const REAL* source_at(const Run* r, int source, long t, long b) noexcept nogil:
    """What a Feed multiplies at step t."""
    return operand_at(r, source - OPERAND, t, b) if source >= OPERAND else state_at(r, source, slot_before(r, t), b)

cdef inline long alive(const Run* r, long t, long b, long end) noexcept nogil:
    """How many rows from b on, of those before `end`, are still within their length at step t."""
    cdef long n = b
    if t < r.shortest:
        return end - b
    while n < end and t < r.lengths[n]:
        n += 1
    return n - b


# ---------------------------------------------------------------------------------------------------------- forward

cdef inline void feed(vec* acc, Form f, int i, int rows, int width,
                      const Run* r, long t, long b, long u, int lane) noexcept nogil:
    """The tile's i-th product with recurrent weights, where the stage has so many."""
    cdef Feed q = f.feed[i]
    if i < f.feeds:
        accumulate(acc + (q.first - f.first), rows, width, q.last - q.first, f.last - f.first,
                   source_at(r, q.source, t, b), r.pad, r.U[f.stage][i] + u * r.H * (q.last - q.first) * LINE + lane, r.H)


cdef inline void forward_tile(Forward cell, Form f, int rows, int width,
                              const Run* r, long t, long b, long u, int lane) noexcept nogil:
    cdef int blocks = f.last - f.first, lines = width * blocks, m, w, g, s
    cdef vec acc[SUMS]
    cdef vec a[MOST_BLOCKS]
    cdef vec p[MOST_BLOCKS]
    cdef vec prev[MOST_STATES + 1]
    cdef vec state[MOST_STATES]
    cdef long j
    cdef REAL* gates
    # a = b, then x, then h' (and whatever else recurrent weights multiply), each in index order
    for m in range(rows):
        for w in range(width):
            for g in range(blocks):
                acc[m * lines + w * blocks + g] = load(r.bias + ((u + w) * f.blocks + f.first + g) * LINE + lane)
    accumulate(acc + (f.w0 - f.first), rows, width, f.w1 - f.w0, blocks, r.x + (t * r.B + b) * r.I, r.I,
               r.W[f.stage] + u * r.I * (f.w1 - f.w0) * LINE + lane, r.I)
    feed(acc, f, 0, rows, width, r, t, b, u, lane)
    feed(acc, f, 1, rows, width, r, t, b, u, lane)
    feed(acc, f, 2, rows, width, r, t, b, u, lane)
    feed(acc, f, 3, rows, width, r, t, b, u, lane)
    for m in range(rows):
        for w in range(width):
            j = (u + w) * LINE + lane
            gates = gates_at(r, f.blocks, t, u + w, b + m) + lane
            for g in range(f.first):
                a[g] = load(gates + g * LINE)
            for g in range(blocks):
                a[f.first + g] = acc[m * lines + w * blocks + g]
            for g in range(f.peepholes):
                p[g] = load(r.p + g * r.pad + j)
            for s in range(f.states):
                prev[s] = load(state_at(r, s, slot_before(r, t), b + m) + j)
            if f.direct:
                prev[f.states] = load_part(r.x + (t * r.B + b + m) * r.I + j, r.I - j)
            cell(a, p, prev, state)
            for g in range(f.first, f.last):
                store(gates + g * LINE, a[g])
            if f.stage + 1 < f.stages:
                for s in range(f.operands):
                    store(operand_at(r, s, t, b + m) + j, state[s])
            else:
                for s in range(f.states):
                    store(state_at(r, s, slot_after(r, t), b + m) + j, state[s])
                if r.y:
                    store_part(r.y + (t * r.B + b + m) * r.ldy + j, state[0], r.H - j)


cdef inline void forward_panel(Forward cell, Form f, int width, const Run* r, long t, long row, long n,
                               long u) noexcept nogil:
    cdef int lines = width * (f.last - f.first), rows, lane, piece
    cdef long b
    for piece in range(LINE // LANES):
        lane = piece * LANES
        b = row
        while b < row + n:
            rows = tile_rows(row + n - b, lines)
            if lines <= 2 and rows == 12: forward_tile(cell, f, 12, width, r, t, b, u, lane)
            elif lines <= 3 and rows == 8: forward_tile(cell, f, 8, width, r, t, b, u, lane)
            elif rows == 6: forward_tile(cell, f, 6, width, r, t, b, u, lane)
            elif rows == 4: forward_tile(cell, f, 4, width, r, t, b, u, lane)
            elif rows == 3: forward_tile(cell, f, 3, width, r, t, b, u, lane)
            elif rows == 2: forward_tile(cell, f, 2, width, r, t, b, u, lane)
            else: forward_tile(cell, f, 1, width, r, t, b, u, lane)
            b += rows


cdef inline void forward_rows(Forward cell, Form f, const Run* r, long t, long row, long n) noexcept nogil:
    """One stage of a cell at step t, for rows row .. row + n - 1."""
    cdef int blocks = f.last - f.first
    cdef long i, u, width
    for i in range(panels(r.groups, blocks)):
        u = panel_start(i, r.groups, blocks)
        width = panel_start(i + 1, r.groups, blocks) - u
        if blocks == 1 and width == 4: forward_panel(cell, f, 4, r, t, row, n, u)
        elif blocks == 1 and width == 3: forward_panel(cell, f, 3, r, t, row, n, u)
        elif blocks <= 2 and width == 2: forward_panel(cell, f, 2, r, t, row, n, u)
        else: forward_panel(cell, f, 1, r, t, row, n, u)


# --------------------------------------------------------------------------------------------------------- backward

cdef inline void backward_rows(Backward cell, Form f, const Run* r, long t, long row, long n) noexcept nogil:
    """One stage of a cell at step t: gates become deltas in place, the carry moves along the states' own paths."""
    cdef bint final = f.stage + 1 == f.stages
    cdef vec a[MOST_BLOCKS]
    cdef vec p[MOST_BLOCKS]
    cdef vec prev[MOST_STATES + 1]
    cdef vec state[MOST_STATES]
    cdef vec dstate[MOST_STATES]
    cdef vec dprev[MOST_STATES + 1]
    cdef REAL* gates
    cdef REAL* carry
    cdef long u, b, j
    cdef int lane, piece, g, s
    for u in range(r.groups):
        for piece in range(LINE // LANES):
            lane = piece * LANES
            j = u * LINE + lane
            for g in range(f.peepholes):
                p[g] = zero() if r.truncated else load(r.p + g * r.pad + j)
            for b in range(row, row + n):
                gates = gates_at(r, f.blocks, t, u, b) + lane
                carry = r.carry + b * r.pad + j
                for g in range(f.last):
                    a[g] = load(gates + g * LINE)
                for s in range(f.states):
                    prev[s] = load(state_at(r, s, slot_before(r, t), b) + j)
                    state[s] = load(state_at(r, s, slot_after(r, t), b) + j)
                if f.direct:
                    prev[f.states] = load_part(r.x + (t * r.B + b) * r.I + j, r.I - j)
                if final:
                    for s in range(f.states):
                        dstate[s] = load(carry + s * r.B * r.pad)
                    if r.dy:
                        dstate[0] = dstate[0] + load_part(r.dy + (t * r.B + b) * r.lddy + j, r.H - j)
                else:
                    for s in range(f.operands):
                        dstate[s] = load(r.doperand + (s * r.B + b) * r.pad + j)
                    for s in range(f.states):
                        dprev[s] = load(carry + s * r.B * r.pad)
                    if f.direct:
                        dprev[f.states] = load(r.ddirect + b * r.pad + j)
                cell(a, p, prev, state, dstate, dprev)
                for g in range(f.first):
                    store(gates + g * LINE, a[g])
                for g in range(f.first, f.last):
                    store(gates + g * LINE, flush(a[g]))
                for s in range(f.states):
                    store(carry + s * r.B * r.pad, flush(dprev[s]))
                if f.direct:
                    store(r.ddirect + b * r.pad + j, flush(dprev[f.states]))
                if final and r.norms:
                    for s in range(f.states):
                        store(r.total + (s * r.B + b) * r.pad + j, dstate[s])


cdef inline void transposed_tile(int rows, int lines, bint add, REAL* out, long ldo, long limit, const Run* r,
                                 int blocks, int g0, int g1, const REAL* panel, long t, long b, int lane) noexcept nogil:
    """out[m, :] = (out[m, :] if add) + delta of blocks [g0, g1) times one panel of transposed weights."""
    cdef vec acc[SUMS]
    cdef const REAL* delta
    cdef long u, lanes
    cdef int m, l, g
    for m in range(rows):
        for l in range(lines):
            acc[m * lines + l] = load(out + m * ldo + l * LINE + lane) if add else zero()
    panel += lane
    for u in range(r.groups):
        delta = gates_at(r, blocks, t, u, b) + g0 * LINE
        lanes = r.H - u * LINE
        if lanes >= LINE:
            accumulate(acc, rows, lines, 1, 1, delta, blocks * LINE, panel, (g1 - g0) * LINE)
            panel += (g1 - g0) * LINE * lines * LINE
        else:
            for g in range(g1 - g0):
                accumulate(acc, rows, lines, 1, 1, delta + g * LINE, blocks * LINE, panel, lanes)
                panel += lanes * lines * LINE
    for m in range(rows):
        for l in range(lines):
            store_part(out + m * ldo + l * LINE + lane, acc[m * lines + l], limit - l * LINE - lane)


cdef inline void transposed_panel(int lines, bint add, REAL* out, long ldo, long limit, const Run* r, int blocks,
                                  int g0, int g1, const REAL* panel, long t, long b, long n) noexcept nogil:
    cdef int rows, lane, piece
    cdef long m
    for piece in range(LINE // LANES):
        lane = piece * LANES
        m = 0
        while m < n:
            rows = tile_rows(n - m, lines)
            if lines <= 2 and rows == 12: transposed_tile(12, lines, add, out + m * ldo, ldo, limit, r, blocks, g0, g1, panel, t, b + m, lane)
            elif lines <= 3 and rows == 8: transposed_tile(8, lines, add, out + m * ldo, ldo, limit, r, blocks, g0, g1, panel, t, b + m, lane)
            elif rows == 6: transposed_tile(6, lines, add, out + m * ldo, ldo, limit, r, blocks, g0, g1, panel, t, b + m, lane)
            elif rows == 4: transposed_tile(4, lines, add, out + m * ldo, ldo, limit, r, blocks, g0, g1, panel, t, b + m, lane)
            elif rows == 3: transposed_tile(3, lines, add, out + m * ldo, ldo, limit, r, blocks, g0, g1, panel, t, b + m, lane)
            elif rows == 2: transposed_tile(2, lines, add, out + m * ldo, ldo, limit, r, blocks, g0, g1, panel, t, b + m, lane)
            else: transposed_tile(1, lines, add, out + m * ldo, ldo, limit, r, blocks, g0, g1, panel, t, b + m, lane)
            m += rows


cdef inline void transposed_rows(bint add, REAL* out, long ldo, long columns, long limit, const Run* r, int blocks,
                                 int g0, int g1, const REAL* packed, long t, long b, long n) noexcept nogil:
    """The deltas of rows b .. b + n - 1 at step t, through weights packed by `pack_transposed`, to `columns` columns."""
    cdef long groups = (columns + LINE - 1) // LINE, depth = (g1 - g0) * r.H, i, c, width
    cdef const REAL* panel
    for i in range(panels(groups, 1)):
        c = panel_start(i, groups, 1)
        width = panel_start(i + 1, groups, 1) - c
        panel = packed + c * depth * LINE
        if width == 4: transposed_panel(4, add, out + c * LINE, ldo, limit - c * LINE, r, blocks, g0, g1, panel, t, b, n)
        elif width == 3: transposed_panel(3, add, out + c * LINE, ldo, limit - c * LINE, r, blocks, g0, g1, panel, t, b, n)
        elif width == 2: transposed_panel(2, add, out + c * LINE, ldo, limit - c * LINE, r, blocks, g0, g1, panel, t, b, n)
        else: transposed_panel(1, add, out + c * LINE, ldo, limit - c * LINE, r, blocks, g0, g1, panel, t, b, n)
