"""The loops over time for one row of a batch whose units fit in a few vecs: forward and backpropagation through all of its steps.

Design. With one row, the latency of the chain from state to state is all that counts. So the cell's equations, its `Form` and the
number of vecs across the units are literals, and the loop over time lies inside: pointers advance, a tile's sums and the carry stay
in registers, and nothing is decided per step but where x W comes from. Only the vecs that hold units are computed; the rest of a line
is set to 0. A narrow x W does not wait for the state, so the processor computes it while it waits for the equations of the step before;
a wide one is computed ahead (inputs.pxd), unless it is looked up. The chains of fma are those of tile.pxd, so the bits are the same.
Wider rows go through tile.pxd.
"""
from kernels.lanes cimport REAL, vec, LANES, LINE, PIECES, ROWS_BUDGET, load, load_part, store, store_part, splat, zero, fma, flush
from kernels.panel cimport WIDEST, line_start, line_step
from kernels.recurrence cimport (MOST_BLOCKS, MOST_STATES, NEW, OPERAND, Form, Steps, recurrence_t, gates_at, operand_at, slot_after,
                                 slot_before, state_at)
from kernels.sums cimport norm
from kernels.tile cimport Backward, Forward

cdef enum:
    MOST_VECS = 4       # most vecs across the units
    LEAST_UNITS = 8     # fewer units are not worth loops of their own
    MOST_LINES = 2      # most lines: up to here, the panels' layout depends on nothing but the vecs
    ROW_SUMS = 32       # most sums of a stage: MOST_VECS x MOST_BLOCKS


cdef inline int lines_of(int vecs) noexcept nogil:
    return (vecs + PIECES - 1) // PIECES


cdef inline bint has_loops(int vecs) noexcept nogil:
    """Whether the loops are compiled for units of so many vecs; in float64, which serves probes and checks, they are not: for set-up."""
    return sizeof(REAL) == 4 and lines_of(vecs) <= MOST_LINES and vecs * LANES >= LEAST_UNITS


cdef inline int width_of(long units) noexcept nogil:
    """The power of two of the fewest vecs that hold the units and have loops; -1 if there are none."""
    if has_loops(1) and units <= LANES: return 0
    if has_loops(2) and units <= 2 * LANES: return 1
    return 2 if has_loops(4) and units <= 4 * LANES else -1


cdef struct Row:
    # A row at one step: its gates (line of units), its states before and after, its operands, x, y, and their gradients. y, dy and dx
    # are NULL where there are none. A state or operand lies `plane` or `operand` numbers behind the one before.
    REAL* gates[MOST_LINES]
    const REAL* before
    REAL* after
    REAL* operands
    const REAL* x
    REAL* y
    const REAL* dy
    REAL* dx
    long plane, operand, row, t
    long gates_step, states_step, x_step, y_step, dy_step, dx_step   # to the next step of the loop


cdef inline Row row_at(const recurrence_t* r, int blocks, int vecs, long row, long t, long onward) noexcept nogil:
    """A row at step t. onward: 1 or -1, the direction of the loop."""
    cdef Row at
    cdef int u
    for u in range(lines_of(vecs)):
        at.gates[u] = gates_at(r, blocks, t, u, row)
    at.before, at.after = state_at(r, 0, slot_before(r, t), row), state_at(r, 0, slot_after(r, t), row)
    at.operands = operand_at(r, 0, t, row)
    at.x = r.x + (t * r.B + row) * r.I
    at.y = r.y + (t * r.B + row) * r.ldy if r.y else NULL
    at.dy = r.dy + (t * r.B + row) * r.lddy if r.dy else NULL
    at.dx = r.dx + (t * r.B + row) * r.I if r.dx else NULL
    at.plane, at.operand, at.row, at.t = r.slots * r.B * r.pad, (r.slots - 1) * r.B * r.pad, row, t
    at.states_step, at.x_step = onward * r.B * r.pad, onward * r.B * r.I
    at.gates_step = at.states_step * blocks
    at.y_step, at.dy_step = onward * r.B * r.ldy if r.y else 0, onward * r.B * r.lddy if r.dy else 0
    at.dx_step = at.x_step if r.dx else 0
    return at


cdef inline void move(Row* at, int vecs, long onward) noexcept nogil:
    """To the next step of the loop."""
    cdef int u
    for u in range(lines_of(vecs)):
        at.gates[u] += at.gates_step
    at.before += at.states_step
    at.after += at.states_step
    at.operands += at.states_step
    at.x += at.x_step
    at.y += at.y_step
    at.dy += at.dy_step
    at.dx += at.dx_step
    at.t += onward


cdef inline REAL* gate(const Row* at, int v, int g) noexcept nogil:
    """Vec v of block g."""
    return at.gates[v // PIECES] + g * LINE + v % PIECES * LANES


cdef inline long vec_start(int v, int g, int fed, int span, int vecs, long depth) noexcept nogil:
    """Where vec v of block g lies in packed weights that feed `fed` blocks, in panels cut for `span` blocks."""
    cdef int u = v // PIECES, width = lines_of(vecs) if span * lines_of(vecs) <= WIDEST else 1
    return (u // width * width * fed) * depth * LINE + line_start(u % width * fed + g, depth) + v % PIECES * LANES


cdef inline long vec_step(int fed, int span, int vecs) noexcept nogil:
    """From one k of such a panel to the next."""
    return line_step(fed * (lines_of(vecs) if span * lines_of(vecs) <= WIDEST else 1))


# ---------------------------------------------------------------------------------------------------------- forward

cdef struct Tile:
    # The sums acc (vec, block) of a stage for `width` vecs from v0 on, of `vecs` across the units.
    vec* acc
    int v0, width, vecs


cdef inline void multiply(const Tile* q, const Form* f, int g0, int g1, const REAL* a, long depth, const REAL* panel) noexcept nogil:
    """Add a product that feeds the blocks [g0, g1)."""
    cdef int span = f.last - f.first, v, g
    cdef long k
    cdef vec s
    for k in range(depth):
        s = splat(a[k])
        for v in range(q.width):
            for g in range(g0, g1):
                q.acc[v * span + g - f.first] = fma(s, load(panel + vec_start(q.v0 + v, g - g0, g1 - g0, span, q.vecs, depth)),
                                                    q.acc[v * span + g - f.first])
        panel += vec_step(g1 - g0, span, q.vecs)


cdef inline void pick(const Tile* q, const Form* f, long symbol, long depth, const REAL* panel) noexcept nogil:
    """`multiply` by a one-hot x, which has this symbol; a symbol of `depth` stands for 0."""
    cdef int span = f.last - f.first, v, g
    if symbol < depth:
        panel += symbol * vec_step(f.w1 - f.w0, span, q.vecs)
        for v in range(q.width):
            for g in range(f.w0, f.w1):
                q.acc[v * span + g - f.first] = (q.acc[v * span + g - f.first]
                                                 + load(panel + vec_start(q.v0 + v, g - f.w0, f.w1 - f.w0, span, q.vecs, depth)))


cdef inline void feed(const Tile* q, const Form* f, int i, const recurrence_t* r, const Row* at) noexcept nogil:
    """Add the stage's i-th product with recurrent weights, if there is one."""
    cdef int source = f.feed[i].source
    cdef const REAL* a = at.before + source * at.plane
    if source >= NEW:
        a = at.after + (source - NEW) * at.plane
    elif source >= OPERAND:
        a = at.operands + (source - OPERAND) * at.operand
    if i < f.feeds:
        multiply(q, f, f.feed[i].first, f.feed[i].last, a, r.H, r.U[f.stage][i])


cdef inline void preactivate(const Tile* q, const Form* f, const recurrence_t* r, const Row* at) noexcept nogil:
    """a = b + x W + h' U (and other recurrent products), each sum in index order."""
    cdef int span = f.last - f.first, v, g
    if at.t < r.prepared:
        for v in range(q.width):
            for g in range(span):
                q.acc[v * span + g] = load(gate(at, q.v0 + v, f.first + g))
    else:
        for v in range(q.width):
            for g in range(span):
                q.acc[v * span + g] = load(r.bias + ((q.v0 + v) // PIECES * f.blocks + f.first + g) * LINE + (q.v0 + v) % PIECES * LANES)
        if f.w0 < f.w1 and r.symbols:
            pick(q, f, r.symbols[at.t * r.B + at.row], r.I, r.W[f.stage])
        elif f.w0 < f.w1:
            multiply(q, f, f.w0, f.w1, at.x, r.I, r.W[f.stage])
    feed(q, f, 0, r, at)
    feed(q, f, 1, r, at)
    feed(q, f, 2, r, at)
    feed(q, f, 3, r, at)


cdef inline void finish(Forward cell, const Form* f, const vec* sums, int v, const recurrence_t* r, const Row* at) noexcept nogil:
    """Apply the cell's equations to the sums of vec v; write gates, states or operands, and y."""
    cdef int g, s
    cdef long j = v * LANES
    cdef vec a[MOST_BLOCKS]
    cdef vec p[MOST_BLOCKS]
    cdef vec prev[MOST_STATES + 1]
    cdef vec state[MOST_STATES]
    for g in range(f.first):
        a[g] = load(gate(at, v, g))
    for g in range(f.first, f.last):
        a[g] = sums[g - f.first]
    for g in range(f.peepholes):
        p[g] = load(r.p + g * r.pad + j)
    for s in range(f.states):
        prev[s] = load(at.before + s * at.plane + j)
    if f.direct:
        prev[f.states] = load_part(at.x + j, r.I - j)
    cell(a, p, prev, state)
    if f.stage + 1 < f.stages:
        for s in range(f.operands):
            store(at.operands + s * at.operand + j, state[s])
    for s in range(f.s0, f.s1):
        store(at.after + s * at.plane + j, state[s])
    if f.s0 == 0 and f.s1 and at.y:
        store_part(at.y + j, state[0], r.H - j)
    for g in range(f.first, f.last):
        store(gate(at, v, g), a[g])


cdef inline void clear(const Form* f, int v, const Row* at) noexcept nogil:
    """Set gates and states of vec v, which holds no units, to 0."""
    cdef int g, s
    for g in range(f.blocks):
        store(gate(at, v, g), zero())
    for s in range(f.states):
        store(at.after + s * at.plane + v * LANES, zero())


cdef inline void forward_stage(Forward cell, const Form* f, int vecs, const recurrence_t* r, const Row* at) noexcept nogil:
    """One stage of a cell at one step."""
    cdef int span = f.last - f.first, i, v
    cdef int width = vecs if vecs * span <= ROWS_BUDGET else 2
    cdef vec acc[ROW_SUMS]
    cdef Tile q
    for i in range(vecs // width):
        q = Tile(&acc[0], i * width, width, vecs)
        preactivate(&q, f, r, at)
        for v in range(width):
            finish(cell, f, &acc[v * span], i * width + v, r, at)


cdef inline void forward_row(Forward early, Forward cell, Form e, Form f, int vecs, const recurrence_t* r, Steps q) noexcept nogil:
    """All steps of one row. early, e: the first of two stages; of one stage, they are not used."""
    cdef int v
    cdef long i, onward = -1 if r.reverse else 1
    cdef Row at
    if not has_loops(vecs):
        return
    at = row_at(r, f.blocks, vecs, q.row, q.t1 - 1 if r.reverse else q.t0, onward)
    for i in range(q.t1 - q.t0):
        if f.stages > 1:
            forward_stage(early, &e, vecs, r, &at)
        forward_stage(cell, &f, vecs, r, &at)
        for v in range(vecs, lines_of(vecs) * PIECES):
            clear(&f, v, &at)
        move(&at, vecs, onward)


# --------------------------------------------------------------------------------------------------------- backward

cdef struct Carried:
    # What goes from step to step and from stage to stage: (state or operand, vec).
    vec carry[MOST_STATES * MOST_VECS]
    vec doperand[MOST_STATES * MOST_VECS]
    vec direct[MOST_VECS]


cdef inline void backward_vec(Backward cell, const Form* f, int v, Carried* c, const recurrence_t* r, const Row* at) noexcept nogil:
    """The equations of one stage for vec v: gates become deltas in place, the carry moves along the states' own paths."""
    cdef bint final = f.stage + 1 == f.stages
    cdef int g, s
    cdef long j = v * LANES
    cdef vec a[MOST_BLOCKS]
    cdef vec p[MOST_BLOCKS]
    cdef vec prev[MOST_STATES + 1]
    cdef vec state[MOST_STATES]
    cdef vec dstate[MOST_STATES]
    cdef vec dprev[MOST_STATES + 1]
    for g in range(f.peepholes):
        p[g] = zero() if r.truncated and not f.own else load(r.p + g * r.pad + j)
    for g in range(f.last):
        a[g] = load(gate(at, v, g))
    for s in range(f.states):
        prev[s] = load(at.before + s * at.plane + j)
        state[s] = load(at.after + s * at.plane + j)
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
        for s in range(f.s0, f.s1):
            dstate[s] = dprev[s]
        if f.direct:
            dprev[f.states] = c.direct[v]
    cell(a, p, prev, state, dstate, dprev)
    for g in range(f.first):
        store(gate(at, v, g), a[g])
    for g in range(f.first, f.last):
        store(gate(at, v, g), flush(a[g]))
    for s in range(f.states):
        c.carry[s * MOST_VECS + v] = flush(dprev[s])
    if f.direct:
        c.direct[v] = flush(dprev[f.states])
    if r.norms:
        for s in range(f.s0, f.s1):
            store(r.total + s * r.B * r.pad + j, dstate[s])


cdef inline void feed_back(const Form* f, int i, int vecs, Carried* c, const recurrence_t* r, const Row* at) noexcept nogil:
    """The deltas through the stage's i-th product, if there is one, to what it multiplies."""
    cdef int source = f.feed[i].source, g0 = f.feed[i].first, g1 = f.feed[i].last, u, g, v
    cdef long j, units, H = r.H, depth = (g1 - g0) * H, step = vec_step(1, 1, vecs)
    cdef const REAL* delta
    cdef const REAL* w
    cdef vec acc[MOST_VECS]
    cdef vec* to
    cdef vec s
    if i >= f.feeds:
        return
    if source < OPERAND and r.truncated:
        return
    w = r.UT[f.stage][i]
    if source >= NEW:
        to = &c.carry[(source - NEW) * MOST_VECS]
    elif source >= OPERAND:
        to = &c.doperand[(source - OPERAND) * MOST_VECS]
    else:
        to = &c.carry[source * MOST_VECS]
    for v in range(vecs):
        acc[v] = zero() if OPERAND <= source < NEW else to[v]
    for u in range(lines_of(vecs)):
        units = min(LINE, H - u * LINE)
        for g in range(g0, g1):
            delta = at.gates[u] + g * LINE
            for j in range(units):
                s = splat(delta[j])
                for v in range(vecs):
                    acc[v] = fma(s, load(w + vec_start(v, 0, 1, 1, vecs, depth)), acc[v])
                w += step
    for v in range(vecs):
        to[v] = acc[v]


cdef inline void backward_stage(Backward cell, const Form* f, int vecs, Carried* c, const recurrence_t* r, const Row* at) noexcept nogil:
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
    cdef int s, v
    cdef long i, onward = 1 if r.reverse else -1, plane = r.B * r.pad
    cdef REAL* carry = r.carry + q.row * r.pad
    cdef Carried c
    cdef Row at
    if not has_loops(vecs):
        return
    at = row_at(r, f.blocks, vecs, q.row, q.t0 if r.reverse else q.t1 - 1, onward)
    for s in range(f.states):
        for v in range(vecs):
            c.carry[s * MOST_VECS + v] = load(carry + s * plane + v * LANES)
    for i in range(q.t1 - q.t0):
        backward_stage(cell, &f, vecs, &c, r, &at)
        if f.stages > 1:
            backward_stage(early, &e, vecs, &c, r, &at)
        if f.direct and at.dx:
            for v in range(vecs):
                store_part(at.dx + v * LANES, c.direct[v], r.I - v * LANES)
        if r.norms:
            for s in range(f.states):
                r.norms[(s * r.T + at.t) * r.B + q.row] = norm(r.total + s * plane, r.H)
        move(&at, vecs, onward)
    for s in range(f.states):
        for v in range(vecs):
            store(carry + s * plane + v * LANES, c.carry[s * MOST_VECS + v])
