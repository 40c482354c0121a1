"""The loops over time for one row of a batch whose units fit in a few vecs: forward and backpropagation through all of its steps.

Design. With one row, the latency of the chain from state to state is all that counts. So the cell's equations, its `Form` and the
number of vecs across the units are literals, and the loop over time lies inside: pointers advance by constants, a tile's sums and
the carry stay in registers, and nothing is decided per step. Only the vecs that hold units are computed; the rest of a line is set
to 0. b + x W goes to the gate buffer ahead of the loop, for a few steps at a time, which hides its latency. The chains of fma are
those of tile.pxd, so the bits are the same. Wider rows go through tile.pxd.
"""
from kernels.lanes cimport REAL, vec, LANES, LINE, PIECES, ROWS_BUDGET, keep, load, load_part, store, store_part, splat, zero, fma, flush
from kernels.panel cimport WIDEST, line_start, line_step
from kernels.recurrence cimport (MOST_BLOCKS, MOST_STATES, OPERAND, Form, Steps, recurrence_t, gates_at, operand_at, slot_after,
                                 slot_before, state_at)
from kernels.sums cimport norm
from kernels.tile cimport Backward, Forward

cdef enum:
    MOST_VECS = 4       # most vecs across the units
    MOST_LINES = 2      # most lines: of these, the panels' layout is the same for all numbers of units
    CELL_SUMS = 32      # MOST_VECS x MOST_BLOCKS
    AHEAD_SUMS = 8      # sums of b + x W at a time: enough to hide their latency
    AHEAD_STEPS = 16    # steps for which b + x W lies in the gate buffer: the nearest cache holds them


cdef inline int width_of(long units) noexcept nogil:
    """Which of 1, 2 or 4 vecs hold the units, as the power of two; -1 if none of them does."""
    cdef long vecs = (units + LANES - 1) // LANES
    if vecs > MOST_VECS or units > MOST_LINES * LINE:
        return -1
    return 0 if vecs <= 1 else 1 if vecs == 2 else 2


cdef struct Here:
    # A row at one step: its gates, its states before and after, its operands, x and y; the next step's lie `onward` steps away.
    REAL* gates
    REAL* before
    REAL* after
    REAL* operands
    const REAL* x
    REAL* y
    const REAL* dy
    REAL* dx


cdef inline Here here(const recurrence_t* r, int blocks, long row, long t) noexcept nogil:
    cdef Here at
    at.gates = gates_at(r, blocks, t, 0, row)
    at.before = state_at(r, 0, slot_before(r, t), row)
    at.after = state_at(r, 0, slot_after(r, t), row)
    at.operands = operand_at(r, 0, t, row)
    at.x = r.x + (t * r.B + row) * r.I
    at.y = r.y + (t * r.B + row) * r.ldy if r.y else NULL
    at.dy = r.dy + (t * r.B + row) * r.lddy if r.dy else NULL
    at.dx = r.dx + (t * r.B + row) * r.I if r.dx else NULL
    return at


cdef inline Here moved(Here at, const recurrence_t* r, int lines, long steps) noexcept nogil:
    """The same row `steps` steps of the loop later. lines: the lines of a row's gates."""
    cdef long rows = steps * r.B
    cdef long onward = -rows if r.reverse else rows
    at.gates += onward * lines * LINE
    at.before += onward * r.pad
    at.after += onward * r.pad
    at.operands += onward * r.pad
    at.x += onward * r.I
    at.y = at.y + onward * r.ldy if at.y else NULL
    at.dy = at.dy + onward * r.lddy if at.dy else NULL
    at.dx = at.dx + onward * r.I if at.dx else NULL
    return at


cdef inline int lines_of_units(int vecs) noexcept nogil:
    return (vecs + PIECES - 1) // PIECES


cdef inline long vec_start(int v, int g, int fed, int span, int vecs, long depth) noexcept nogil:
    """Where vec v of block g lies in packed weights that feed `fed` blocks, in panels cut for `span` blocks."""
    cdef int groups = lines_of_units(vecs), u = v // PIECES
    cdef int width = groups if span * groups <= WIDEST else 1
    return (u // width * width * fed) * depth * LINE + line_start(u % width * fed + g, depth) + v % PIECES * LANES


cdef inline long vec_step(int fed, int span, int vecs) noexcept nogil:
    """From one k of such a panel to the next."""
    cdef int groups = lines_of_units(vecs)
    return line_step(fed * (groups if span * groups <= WIDEST else 1))


cdef inline long gate_start(int v, int g, int blocks, long B) noexcept nogil:
    """Where vec v of block g lies in a row's gates."""
    return (v // PIECES * B * blocks + g) * LINE + v % PIECES * LANES


# ---------------------------------------------------------------------------------------------------------- forward

cdef inline void ahead_tile(int steps, int v, Form f, int vecs, const recurrence_t* r, Here at, long onward) noexcept nogil:
    """b + x W of vec v, for `steps` steps."""
    cdef int fed = f.w1 - f.w0, span = f.last - f.first, m, g
    cdef long k, depth = r.I, step = vec_step(fed, span, vecs), ldx = onward * r.I, ldg = onward * f.blocks * lines_of_units(vecs) * LINE
    cdef const REAL* w = r.W[f.stage]
    cdef const REAL* bias = r.bias
    cdef const REAL* x = at.x
    cdef vec acc[MOST_BLOCKS * AHEAD_SUMS]
    cdef vec b[MOST_BLOCKS]
    cdef vec s
    for g in range(fed):
        b[g] = load(bias + gate_start(v, f.w0 + g, f.blocks, 1))
        for m in range(steps):
            acc[m * fed + g] = b[g]
    for k in range(depth):
        for g in range(fed):
            b[g] = keep(load(w + vec_start(v, g, fed, span, vecs, depth)))
        for m in range(steps):
            s = splat(x[m * ldx])
            for g in range(fed):
                acc[m * fed + g] = fma(s, b[g], acc[m * fed + g])
        x += 1
        w += step
    for m in range(steps):
        for g in range(fed):
            store(at.gates + m * ldg + gate_start(v, f.w0 + g, f.blocks, r.B), acc[m * fed + g])


cdef inline void ahead(Form f, int vecs, const recurrence_t* r, Here at, long n) noexcept nogil:
    """b + x W of a stage to the gate buffer, for n steps."""
    cdef int fed = f.w1 - f.w0, v
    cdef int steps = AHEAD_SUMS // fed if fed else 1
    cdef long m = 0, onward = -r.B if r.reverse else r.B
    if fed == 0:
        return
    while m < n:
        if m + steps <= n:
            for v in range(vecs):
                ahead_tile(steps, v, f, vecs, r, at, onward)
            at = moved(at, r, f.blocks * lines_of_units(vecs), steps)
            m += steps
        else:
            for v in range(vecs):
                ahead_tile(1, v, f, vecs, r, at, onward)
            at = moved(at, r, f.blocks * lines_of_units(vecs), 1)
            m += 1


cdef inline void feed(vec* acc, int v0, int tile, Form f, int i, int vecs, const recurrence_t* r, Here at) noexcept nogil:
    """Add the stage's i-th product with recurrent weights, if there is one, to the sums (tile, block) of the vecs from v0 on."""
    cdef int source = f.feed[i].source, g0 = f.feed[i].first, g1 = f.feed[i].last, fed = g1 - g0, span = f.last - f.first, v, g
    cdef long k, units = r.H, step = vec_step(fed, span, vecs)
    cdef const REAL* a
    cdef const REAL* u
    cdef vec s
    if i >= f.feeds:
        return
    u = r.U[f.stage][i]
    a = at.operands + (source - OPERAND) * (r.slots - 1) * r.B * r.pad if source >= OPERAND else at.before + source * r.slots * r.B * r.pad
    for k in range(units):
        s = splat(a[k])
        for v in range(tile):
            for g in range(fed):
                acc[v * span + g0 - f.first + g] = fma(s, load(u + vec_start(v0 + v, g, fed, span, vecs, units)),
                                                       acc[v * span + g0 - f.first + g])
        u += step


cdef inline void finish(Forward cell, Form f, const vec* sums, int v, const recurrence_t* r, Here at) noexcept nogil:
    """Apply the cell's equations to the sums of vec v; write gates, states or operands, and y."""
    cdef int g, s, span = f.last - f.first
    cdef long j = v * LANES, plane = r.B * r.pad
    cdef vec a[MOST_BLOCKS]
    cdef vec p[MOST_BLOCKS]
    cdef vec prev[MOST_STATES + 1]
    cdef vec state[MOST_STATES]
    for g in range(f.first):
        a[g] = load(at.gates + gate_start(v, g, f.blocks, r.B))
    for g in range(span):
        a[f.first + g] = sums[g]
    for g in range(f.peepholes):
        p[g] = load(r.p + g * r.pad + j)
    for s in range(f.states):
        prev[s] = load(at.before + s * r.slots * plane + j)
    if f.direct:
        prev[f.states] = load_part(at.x + j, r.I - j)
    cell(a, p, prev, state)
    for g in range(f.first, f.last):
        store(at.gates + gate_start(v, g, f.blocks, r.B), a[g])
    if f.stage + 1 < f.stages:
        for s in range(f.operands):
            store(at.operands + s * (r.slots - 1) * plane + j, state[s])
    else:
        for s in range(f.states):
            store(at.after + s * r.slots * plane + j, state[s])
        if at.y:
            store_part(at.y + j, state[0], r.H - j)


cdef inline void clear(Form f, int v, const recurrence_t* r, Here at) noexcept nogil:
    """Set gates and states of vec v, which holds no units, to 0."""
    cdef int g, s
    for g in range(f.blocks):
        store(at.gates + gate_start(v, g, f.blocks, r.B), zero())
    for s in range(f.states):
        store(at.after + s * r.slots * r.B * r.pad + v * LANES, zero())


cdef inline void forward_stage(Forward cell, Form f, int vecs, const recurrence_t* r, Here at) noexcept nogil:
    """One stage of a cell at one step."""
    cdef int span = f.last - f.first, i, v, g, v0
    cdef int tile = vecs if vecs * span <= ROWS_BUDGET else 2
    cdef vec acc[CELL_SUMS]
    for i in range(vecs // tile):
        v0 = i * tile
        for v in range(tile):
            for g in range(f.first, f.last):
                if f.w0 <= g < f.w1:
                    acc[v * span + g - f.first] = load(at.gates + gate_start(v0 + v, g, f.blocks, r.B))
                else:
                    acc[v * span + g - f.first] = load(r.bias + gate_start(v0 + v, g, f.blocks, 1))
        feed(acc, v0, tile, f, 0, vecs, r, at)
        feed(acc, v0, tile, f, 1, vecs, r, at)
        feed(acc, v0, tile, f, 2, vecs, r, at)
        feed(acc, v0, tile, f, 3, vecs, r, at)
        for v in range(tile):
            finish(cell, f, &acc[v * span], v0 + v, r, at)


cdef inline void forward_row(Forward early, Forward cell, Form e, Form f, int vecs, const recurrence_t* r, Steps q) noexcept nogil:
    """All steps of one row. early, e: the first of two stages; of one stage, they are not used."""
    cdef int lines = f.blocks * lines_of_units(vecs), v
    cdef long i, n, left = q.t1 - q.t0
    cdef Here at
    if vecs > MOST_LINES * PIECES:
        return
    at = here(r, f.blocks, q.row, q.t1 - 1 if r.reverse else q.t0)
    while left > 0:
        n = min(left, AHEAD_STEPS)
        if f.stages > 1:
            ahead(e, vecs, r, at, n)
        ahead(f, vecs, r, at, n)
        for i in range(n):
            if f.stages > 1:
                forward_stage(early, e, vecs, r, at)
            forward_stage(cell, f, vecs, r, at)
            for v in range(vecs, lines_of_units(vecs) * PIECES):
                clear(f, v, r, at)
            at = moved(at, r, lines, 1)
        left -= n


# --------------------------------------------------------------------------------------------------------- backward

cdef struct Carried:
    # What goes from step to step and from stage to stage: (state or operand, vec).
    vec carry[MOST_STATES * MOST_VECS]
    vec doperand[MOST_STATES * MOST_VECS]
    vec direct[MOST_VECS]


cdef inline void backward_vec(Backward cell, Form f, int v, Carried* c, const recurrence_t* r, Here at) noexcept nogil:
    """The equations of one stage for vec v: gates become deltas in place, the carry moves along the states' own paths."""
    cdef bint final = f.stage + 1 == f.stages
    cdef int g, s
    cdef long j = v * LANES, plane = r.B * r.pad
    cdef vec a[MOST_BLOCKS]
    cdef vec p[MOST_BLOCKS]
    cdef vec prev[MOST_STATES + 1]
    cdef vec state[MOST_STATES]
    cdef vec dstate[MOST_STATES]
    cdef vec dprev[MOST_STATES + 1]
    for g in range(f.peepholes):
        p[g] = zero() if r.truncated else load(r.p + g * r.pad + j)
    for g in range(f.last):
        a[g] = load(at.gates + gate_start(v, g, f.blocks, r.B))
    for s in range(f.states):
        prev[s] = load(at.before + s * r.slots * plane + j)
        state[s] = load(at.after + s * r.slots * plane + j)
    if f.direct:
        prev[f.states] = load_part(at.x + j, r.I - j)
    if final:
        for s in range(f.states):
            dstate[s] = c.carry[s * MOST_VECS + v]
        if at.dy:
            dstate[0] = dstate[0] + load_part(at.dy + j, r.H - j)
    else:
        for s in range(f.operands):
            dstate[s] = c.doperand[s * MOST_VECS + v]
        for s in range(f.states):
            dprev[s] = c.carry[s * MOST_VECS + v]
        if f.direct:
            dprev[f.states] = c.direct[v]
    cell(a, p, prev, state, dstate, dprev)
    for g in range(f.first):
        store(at.gates + gate_start(v, g, f.blocks, r.B), a[g])
    for g in range(f.first, f.last):
        store(at.gates + gate_start(v, g, f.blocks, r.B), flush(a[g]))
    for s in range(f.states):
        c.carry[s * MOST_VECS + v] = flush(dprev[s])
    if f.direct:
        c.direct[v] = flush(dprev[f.states])
    if final and r.norms:
        for s in range(f.states):
            store(r.total + s * plane + j, dstate[s])


cdef inline void feed_back(Form f, int i, int vecs, Carried* c, const recurrence_t* r, Here at) noexcept nogil:
    """The deltas through the stage's i-th product, if there is one, to what it multiplies."""
    cdef int source = f.feed[i].source, g0 = f.feed[i].first, g1 = f.feed[i].last, groups = lines_of_units(vecs), u, g, v
    cdef long j, units, H = r.H, depth = (g1 - g0) * H, step = vec_step(1, 1, vecs)
    cdef const REAL* delta
    cdef const REAL* w
    cdef vec acc[MOST_VECS]
    cdef vec s
    if i >= f.feeds:
        return
    if source < OPERAND and r.truncated:
        return
    w = r.UT[f.stage][i]
    for v in range(vecs):
        acc[v] = zero() if source >= OPERAND else c.carry[source * MOST_VECS + v]
    for u in range(groups):
        units = min(LINE, H - u * LINE)
        for g in range(g0, g1):
            delta = at.gates + (u * r.B * f.blocks + g) * LINE
            for j in range(units):
                s = splat(delta[j])
                for v in range(vecs):
                    acc[v] = fma(s, load(w + vec_start(v, 0, 1, 1, vecs, depth)), acc[v])
                w += step
    for v in range(vecs):
        if source >= OPERAND:
            c.doperand[(source - OPERAND) * MOST_VECS + v] = acc[v]
        else:
            c.carry[source * MOST_VECS + v] = acc[v]


cdef inline void backward_stage(Backward cell, Form f, int vecs, Carried* c, const recurrence_t* r, Here at) noexcept nogil:
    """One stage of a cell at one step."""
    cdef int v
    for v in range(vecs):
        backward_vec(cell, f, v, c, r, at)
    feed_back(f, 0, vecs, c, r, at)
    feed_back(f, 1, vecs, c, r, at)
    feed_back(f, 2, vecs, c, r, at)
    feed_back(f, 3, vecs, c, r, at)


cdef inline void backward_row(Backward early, Backward cell, Form e, Form f, int vecs, const recurrence_t* r, Steps q) noexcept nogil:
    """BPTT through all steps of one row. early, e: the first of two stages; of one stage, they are not used."""
    cdef int lines = f.blocks * lines_of_units(vecs), s, v
    cdef long i, t, plane = r.B * r.pad
    cdef REAL* carry = r.carry + q.row * r.pad
    cdef Carried c
    cdef Here at
    if vecs > MOST_LINES * PIECES:
        return
    at = here(r, f.blocks, q.row, q.t0 if r.reverse else q.t1 - 1)
    for s in range(f.states):
        for v in range(vecs):
            c.carry[s * MOST_VECS + v] = load(carry + s * plane + v * LANES)
    for i in range(q.t1 - q.t0):
        backward_stage(cell, f, vecs, &c, r, at)
        if f.stages > 1:
            backward_stage(early, e, vecs, &c, r, at)
        if f.direct and at.dx:
            for v in range(vecs):
                store_part(at.dx + v * LANES, c.direct[v], r.I - v * LANES)
        if r.norms:
            t = q.t0 + i if r.reverse else q.t1 - 1 - i
            for s in range(f.states):
                r.norms[(s * r.T + t) * r.B + q.row] = norm(r.total + s * plane, r.H)
        at = moved(at, r, lines, -1)
    for s in range(f.states):
        for v in range(vecs):
            store(carry + s * plane + v * LANES, c.carry[s * MOST_VECS + v])
