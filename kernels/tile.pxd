"""One step of any cell over a run of rows: the product, the equations while the tile is in registers or L1, and back.

Everything here is inline and takes the cell's equations and its `Form` as literals, so that each line of TABLE
compiles to tiles of its own. A `Run` is one direction of one call: sizes, packed weights, and the tape.

Layouts (L = LINE): gates (step, group, B, block, L); states (S, slot, B, pad) with pad = groups x L; operands
(operand, step, B, pad); carries (S, B, pad). A forward run finds h' at slot t - t0 and puts h at t - t0 + 1; a reverse run
the other way round, so the initial state lies at the end where the run starts.
"""
from kernels.lanes cimport (REAL, vec, LANES, LINE, PIECES, TILE_LINES, load, load_part, prefetch, store, store_part, zero, flush)
from kernels.panel cimport SUMS, WIDEST, accumulate, fits, line_start, line_step, panel_start, panels, tile_rows, tile_vecs

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
    long prepared               # before this step, once its chunk has begun, b + W x lies where the gates will be
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

cdef inline void multiply(vec* acc, int rows, int g0, int g1, int width, int first, int last,
                          const REAL* a, long lda, const REAL* panel, long depth) noexcept nogil:
    """To sums of the blocks [g0, g1) of `width` groups, add a product that feeds [first, last)."""
    cdef long step = line_step(width * (last - first))
    if g1 - g0 > 1:
        accumulate(acc + (first - g0) * PIECES, rows, width, last - first, g1 - g0, a, lda, panel, step, depth)
    elif first <= g0 < last:
        accumulate(acc, rows, width, 1, 1, a, lda, panel + line_start(g0 - first, depth), step, depth)


cdef inline void feed(vec* acc, Form f, int i, int rows, int g0, int g1, int width,
                      const Run* r, long t, long b, long u) noexcept nogil:
    """The stage's i-th product with recurrent weights, where it has so many."""
    cdef Feed q = f.feed[i]
    if i < f.feeds:
        multiply(acc, rows, g0, g1, width, q.first, q.last, source_at(r, q.source, t, b), r.pad,
                 r.U[f.stage][i] + u * r.H * (q.last - q.first) * LINE, r.H)


cdef inline void preactivate(vec* acc, Form f, int rows, int g0, int g1, int width,
                             const Run* r, long t, long b, long u) noexcept nogil:
    """a = b, then x, then h' (and whatever else recurrent weights multiply), each in index order."""
    cdef int m, w, i, vecs = (g1 - g0) * PIECES
    cdef bint prepared = t < r.prepared
    cdef const REAL* start = gates_at(r, f.blocks, t, u, b) if prepared else r.bias + u * f.blocks * LINE
    cdef long row_step = f.blocks * LINE if prepared else 0, group_step = f.blocks * LINE * (r.B if prepared else 1)
    for m in range(rows):
        for w in range(width):
            for i in range(vecs):
                acc[(m * width + w) * vecs + i] = load(start + m * row_step + w * group_step + g0 * LINE + i * LANES)
    if not prepared:
        multiply(acc, rows, g0, g1, width, f.w0, f.w1, r.x + (t * r.B + b) * r.I, r.I,
                 r.W[f.stage] + u * r.I * (f.w1 - f.w0) * LINE, r.I)
    feed(acc, f, 0, rows, g0, g1, width, r, t, b, u)
    feed(acc, f, 1, rows, g0, g1, width, r, t, b, u)
    feed(acc, f, 2, rows, g0, g1, width, r, t, b, u)
    feed(acc, f, 3, rows, g0, g1, width, r, t, b, u)


cdef inline void finish(Forward cell, Form f, int rows, int width, const vec* acc, const Run* r, long t, long b,
                        long u) noexcept nogil:
    """The cell's equations on a tile's sums (row, group, block, piece), and what they make onto the tape."""
    cdef int blocks = f.last - f.first, m, w, g, s, i
    cdef vec a[MOST_BLOCKS]
    cdef vec p[MOST_BLOCKS]
    cdef vec prev[MOST_STATES + 1]
    cdef vec state[MOST_STATES]
    cdef long batch = r.B, pad = r.pad, units = r.H, ldy = r.ldy, slots = r.slots * batch * pad, at, j
    cdef const REAL* before = state_at(r, 0, slot_before(r, t), 0)
    cdef REAL* after = state_at(r, 0, slot_after(r, t), 0)
    cdef REAL* operands = operand_at(r, 0, t, 0)
    cdef REAL* y = r.y + t * batch * ldy if r.y else NULL
    cdef REAL* tape = gates_at(r, f.blocks, t, u, b)
    cdef REAL* gates
    for m in range(rows):
        for w in range(width):
            for i in range(PIECES):
                j = (u + w) * LINE + i * LANES
                at = (b + m) * pad + j
                gates = tape + (w * batch + m) * f.blocks * LINE + i * LANES
                for g in range(f.first):
                    a[g] = load(gates + g * LINE)
                for g in range(blocks):
                    a[f.first + g] = acc[((m * width + w) * blocks + g) * PIECES + i]
                for g in range(f.peepholes):
                    p[g] = load(r.p + g * pad + j)
                for s in range(f.states):
                    prev[s] = load(before + s * slots + at)
                if f.direct:
                    prev[f.states] = load_part(r.x + (t * batch + b + m) * r.I + j, r.I - j)
                cell(a, p, prev, state)
                for g in range(f.first, f.last):
                    store(gates + g * LINE, a[g])
                if f.stage + 1 < f.stages:
                    for s in range(f.operands):
                        store(operands + s * (r.slots - 1) * batch * pad + at, state[s])
                else:
                    for s in range(f.states):
                        store(after + s * slots + at, state[s])
                    if y:
                        store_part(y + (b + m) * ldy + j, state[0], units - j)


cdef inline void forward_tile(Forward cell, Form f, int rows, int width, vec* sums, const Run* r, long t, long b,
                              long u) noexcept nogil:
    """A tile whose sums stay in registers until the equations have them; where they are computed line by line, to `sums`."""
    cdef int blocks = f.last - f.first, m, g, i
    cdef vec acc[SUMS]
    if TILE_LINES > 1:
        preactivate(acc, f, rows, f.first, f.last, width, r, t, b, u)
        finish(cell, f, rows, width, acc, r, t, b, u)
    else:
        for g in range(blocks):
            preactivate(acc, f, rows, f.first + g, f.first + g + 1, 1, r, t, b, u)
            for m in range(rows):
                for i in range(PIECES):
                    sums[(m * blocks + g) * PIECES + i] = acc[m * PIECES + i]


cdef inline void forward_panel(Forward cell, Form f, int width, const Run* r, long t, long row, long n,
                               long u) noexcept nogil:
    cdef vec sums[SUMS * WIDEST]        # (row, block, piece), of tiles that are computed line by line
    cdef int vecs = tile_vecs(width * (f.last - f.first)), rows
    cdef long b = row
    while b < row + n:
        rows = tile_rows(row + n - b, vecs)
        if fits(12, vecs) and rows == 12: forward_tile(cell, f, 12, width, sums, r, t, b, u)
        elif fits(8, vecs) and rows == 8: forward_tile(cell, f, 8, width, sums, r, t, b, u)
        elif fits(6, vecs) and rows == 6: forward_tile(cell, f, 6, width, sums, r, t, b, u)
        elif fits(4, vecs) and rows == 4: forward_tile(cell, f, 4, width, sums, r, t, b, u)
        elif fits(3, vecs) and rows == 3: forward_tile(cell, f, 3, width, sums, r, t, b, u)
        elif fits(2, vecs) and rows == 2: forward_tile(cell, f, 2, width, sums, r, t, b, u)
        else: forward_tile(cell, f, 1, width, sums, r, t, b, u)
        if TILE_LINES == 1:
            finish(cell, f, rows, 1, sums, r, t, b, u)
        b += rows


cdef inline void forward_rows(Forward cell, Form f, const Run* r, long t, long row, long n) noexcept nogil:
    """One stage of a cell at step t, for rows row .. row + n - 1."""
    cdef int blocks = f.last - f.first
    cdef long i, u, width
    if TILE_LINES == 1:
        for u in range(r.groups):
            forward_panel(cell, f, 1, r, t, row, n, u)
        return
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
    cdef long carries = r.B * r.pad, slots = r.slots * carries, pad = r.pad, end = row + n, onward = 1 if r.reverse else -1
    cdef long u, b, j, at
    cdef const REAL* before = state_at(r, 0, slot_before(r, t), 0)
    cdef const REAL* after = state_at(r, 0, slot_after(r, t), 0)
    cdef const REAL* dy = r.dy + t * r.B * r.lddy if r.dy else NULL
    cdef const REAL* peepholes = NULL if r.truncated else r.p
    cdef REAL* gates
    cdef REAL* carry = r.carry
    cdef int piece, g, s
    for u in range(r.groups):
        gates = gates_at(r, f.blocks, t, u, row)
        for b in range(row, end):
            if final and dy:        # of the next step: rows this far apart are not fetched by themselves
                prefetch(dy + (b + onward * r.B) * r.lddy + u * LINE)
            for s in range(f.states):
                prefetch(before + s * slots + (b + onward * r.B) * pad + u * LINE)
            for piece in range(PIECES):
                j = u * LINE + piece * LANES
                at = b * pad + j
                for g in range(f.peepholes):
                    p[g] = load(peepholes + g * pad + j) if peepholes else zero()
                for g in range(f.last):
                    a[g] = load(gates + g * LINE + piece * LANES)
                for s in range(f.states):
                    prev[s] = load(before + s * slots + at)
                    state[s] = load(after + s * slots + at)
                if f.direct:
                    prev[f.states] = load_part(r.x + (t * r.B + b) * r.I + j, r.I - j)
                if final:
                    for s in range(f.states):
                        dstate[s] = load(carry + s * carries + at)
                    if dy:
                        dstate[0] = dstate[0] + load_part(dy + b * r.lddy + j, r.H - j)
                else:
                    for s in range(f.operands):
                        dstate[s] = load(r.doperand + s * carries + at)
                    for s in range(f.states):
                        dprev[s] = load(carry + s * carries + at)
                    if f.direct:
                        dprev[f.states] = load(r.ddirect + at)
                cell(a, p, prev, state, dstate, dprev)
                for g in range(f.first):
                    store(gates + g * LINE + piece * LANES, a[g])
                for g in range(f.first, f.last):
                    store(gates + g * LINE + piece * LANES, flush(a[g]))
                for s in range(f.states):
                    store(carry + s * carries + at, flush(dprev[s]))
                if f.direct:
                    store(r.ddirect + at, flush(dprev[f.states]))
                if final and r.norms:
                    for s in range(f.states):
                        store(r.total + s * carries + at, dstate[s])
            gates += f.blocks * LINE


cdef inline void transposed_tile(int rows, int width, bint add, REAL* out, long ldo, long limit, const Run* r,
                                 int blocks, int g0, int g1, const REAL* panel, long t, long b) noexcept nogil:
    """out[m, :] = (out[m, :] if add) + delta of blocks [g0, g1) times a panel of `width` lines of transposed weights."""
    cdef vec acc[SUMS]
    cdef const REAL* delta
    cdef long u, units, step = line_step(width)
    cdef int m, i, g, vecs = width * PIECES
    for m in range(rows):
        for i in range(vecs):
            acc[m * vecs + i] = load(out + m * ldo + i * LANES) if add else zero()
    for u in range(r.groups):
        delta = gates_at(r, blocks, t, u, b) + g0 * LINE
        units = r.H - u * LINE
        if units >= LINE:
            accumulate(acc, rows, width, 1, 1, delta, blocks * LINE, panel, step, (g1 - g0) * LINE)
            panel += (g1 - g0) * LINE * step
        else:
            for g in range(g1 - g0):
                accumulate(acc, rows, width, 1, 1, delta + g * LINE, blocks * LINE, panel, step, units)
                panel += units * step
    for m in range(rows):
        for i in range(vecs):
            store_part(out + m * ldo + i * LANES, acc[m * vecs + i], limit - i * LANES)


cdef inline void transposed_panel(int width, bint add, REAL* out, long ldo, long limit, const Run* r, int blocks,
                                  int g0, int g1, const REAL* panel, long t, long b, long n) noexcept nogil:
    cdef int rows, vecs = tile_vecs(width)
    cdef long m = 0
    while m < n:
        rows = tile_rows(n - m, vecs)
        if fits(12, vecs) and rows == 12: transposed_tile(12, width, add, out, ldo, limit, r, blocks, g0, g1, panel, t, b + m)
        elif fits(8, vecs) and rows == 8: transposed_tile(8, width, add, out, ldo, limit, r, blocks, g0, g1, panel, t, b + m)
        elif fits(6, vecs) and rows == 6: transposed_tile(6, width, add, out, ldo, limit, r, blocks, g0, g1, panel, t, b + m)
        elif fits(4, vecs) and rows == 4: transposed_tile(4, width, add, out, ldo, limit, r, blocks, g0, g1, panel, t, b + m)
        elif fits(3, vecs) and rows == 3: transposed_tile(3, width, add, out, ldo, limit, r, blocks, g0, g1, panel, t, b + m)
        elif fits(2, vecs) and rows == 2: transposed_tile(2, width, add, out, ldo, limit, r, blocks, g0, g1, panel, t, b + m)
        else: transposed_tile(1, width, add, out, ldo, limit, r, blocks, g0, g1, panel, t, b + m)
        out += rows * ldo
        m += rows


cdef inline void transposed_rows(bint add, REAL* out, long ldo, long columns, long limit, const Run* r, int blocks,
                                 int g0, int g1, const REAL* packed, long t, long b, long n) noexcept nogil:
    """The deltas of rows b .. b + n - 1 at step t, through weights packed by `pack_transposed`, to `columns` columns."""
    cdef long groups = (columns + LINE - 1) // LINE, depth = (g1 - g0) * r.H, i, c, width
    cdef const REAL* panel
    if TILE_LINES == 1:
        for c in range(groups):
            transposed_panel(1, add, out + c * LINE, ldo, limit - c * LINE, r, blocks, g0, g1, packed + c * depth * LINE, t, b, n)
        return
    for i in range(panels(groups, 1)):
        c = panel_start(i, groups, 1)
        width = panel_start(i + 1, groups, 1) - c
        panel = packed + c * depth * LINE
        if width == 4: transposed_panel(4, add, out + c * LINE, ldo, limit - c * LINE, r, blocks, g0, g1, panel, t, b, n)
        elif width == 3: transposed_panel(3, add, out + c * LINE, ldo, limit - c * LINE, r, blocks, g0, g1, panel, t, b, n)
        elif width == 2: transposed_panel(2, add, out + c * LINE, ldo, limit - c * LINE, r, blocks, g0, g1, panel, t, b, n)
        else: transposed_panel(1, add, out + c * LINE, ldo, limit - c * LINE, r, blocks, g0, g1, panel, t, b, n)
