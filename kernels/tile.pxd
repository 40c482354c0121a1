"""One step of any cell for a run of rows: the products, the equations while their operands are in L1, and back.

Everything here is inline and takes the cell's equations and its `Form` as literals, so that each cell is compiled to tiles of its
own. The layouts are described in recurrence.pxd.

A tile's sums go through L1 to the equations. The equations are therefore compiled once for any number of rows, not once for each height
of a tile: with AVX-512 that is half as much machine code, which also runs faster. Where a tile has one line, the products are also
compiled once for all cells. That halves the compile time, and costs 1 % of the speed.
"""
from kernels.lanes cimport (REAL, vec, LANES, LINE, PIECES, TILE_LINES, hide, load, load_part, prefetch, store, store_part, zero, flush)
from kernels.panel cimport (SUMS, WIDEST, Factor, Sums, accumulate, line_start, line_step, next_tile, panel_start, panels,
                            pick, tile_vecs)
from kernels.recurrence cimport (MOST_BLOCKS, MOST_FEEDS, MOST_STATES, Feed, Form, recurrence_t, gates_at, operand_at, slot_after, slot_before,
                                 source_at, state_at)

ctypedef void (*Forward)(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil
ctypedef void (*Backward)(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil

cdef enum: TALLEST = SUMS // PIECES     # most rows of a tile with one line

cdef struct Place:
    # Where a tile begins: step, row, unit group.
    long t, b, u


# ---------------------------------------------------------------------------------------------------------- forward

cdef inline void multiply(Sums sums, int first, int last, Factor x, const REAL* panel) noexcept nogil:
    """Add a product that feeds the blocks [first, last) of a stage."""
    sums.acc += first * PIECES
    if first < last and x.symbols:
        pick(sums, last - first, x, panel, line_step(sums.width * (last - first)))
    elif first < last:
        accumulate(sums, last - first, x, panel, line_step(sums.width * (last - first)))


cdef inline Factor inputs_at(const recurrence_t* r, Place at) noexcept nogil:
    """x from a row on."""
    cdef long row = at.t * r.B + at.b
    cdef Factor x = Factor(r.x + row * r.I, r.I, r.I, NULL)
    if r.symbols:
        x.symbols = r.symbols + row
    return x


cdef inline void feed(Sums sums, const Form* f, int i, const recurrence_t* r, Place at) noexcept nogil:
    """The stage's i-th product with recurrent weights, if there is one."""
    cdef const Feed* q = &f.feed[i]
    if i < f.feeds:
        multiply(sums, q.first - f.first, q.last - f.first, Factor(source_at(r, q.source, at.t, at.b), r.pad, r.H, NULL),
                 r.U[f.stage][i] + at.u * r.H * (q.last - q.first) * LINE)


cdef inline void preactivate(Sums sums, const Form* f, const recurrence_t* r, Place at) noexcept nogil:
    """a = b + x W + h' U (and other recurrent products), each sum in index order."""
    cdef int m, w, i, vecs = sums.blocks * PIECES
    cdef bint prepared = at.t < r.prepared
    cdef const REAL* start = gates_at(r, f.blocks, at.t, at.u, at.b) if prepared else r.bias + at.u * f.blocks * LINE
    cdef long row_step = f.blocks * LINE if prepared else 0, group_step = f.blocks * LINE * (r.B if prepared else 1)
    for m in range(sums.rows):
        for w in range(sums.width):
            for i in range(vecs):
                sums.acc[(m * sums.width + w) * vecs + i] = load(start + m * row_step + w * group_step + f.first * LINE + i * LANES)
    if not prepared:
        multiply(sums, f.w0 - f.first, f.w1 - f.first, inputs_at(r, at), r.W[f.stage] + at.u * r.I * (f.w1 - f.w0) * LINE)
    feed(sums, f, 0, r, at)
    feed(sums, f, 1, r, at)
    feed(sums, f, 2, r, at)
    feed(sums, f, 3, r, at)


cdef inline void finish(Forward cell, Form f, Sums sums, const recurrence_t* r, Place at) noexcept nogil:
    """Apply the cell's equations to a tile's sums; write gates, states or operands, and y."""
    cdef int m, w, g, s, i
    cdef vec a[MOST_BLOCKS]
    cdef vec p[MOST_BLOCKS]
    cdef vec prev[MOST_STATES + 1]
    cdef vec state[MOST_STATES]
    cdef long batch = r.B, pad = r.pad, units = r.H, ldy = r.ldy, slots = r.slots * batch * pad, place, j
    cdef const REAL* before = state_at(r, 0, slot_before(r, at.t), 0)
    cdef REAL* after = state_at(r, 0, slot_after(r, at.t), 0)
    cdef REAL* operands = operand_at(r, 0, at.t, 0)
    cdef REAL* y = r.y + at.t * batch * ldy if r.y else NULL
    cdef REAL* tape = gates_at(r, f.blocks, at.t, at.u, at.b)
    cdef REAL* gates
    for m in range(sums.rows):
        for w in range(sums.width):
            for i in range(PIECES):
                j = (at.u + w) * LINE + i * LANES
                place = (at.b + m) * pad + j
                gates = tape + (w * batch + m) * f.blocks * LINE + i * LANES
                for g in range(f.first):
                    a[g] = load(gates + g * LINE)
                for g in range(sums.blocks):
                    a[f.first + g] = sums.acc[(g * TALLEST + m if TILE_LINES == 1 else (m * sums.width + w) * sums.blocks + g) * PIECES + i]
                for g in range(f.peepholes):
                    p[g] = load(r.p + g * pad + j)
                for s in range(f.states):
                    prev[s] = load(before + s * slots + place)
                if f.direct:
                    prev[f.states] = load_part(r.x + (at.t * batch + at.b + m) * r.I + j, r.I - j)
                cell(a, p, prev, state)
                for g in range(f.first, f.last):
                    store(gates + g * LINE, a[g])
                if f.stage + 1 < f.stages:
                    for s in range(f.operands):
                        store(operands + s * (r.slots - 1) * batch * pad + place, state[s])
                for s in range(f.s0, f.s1):
                    store(after + s * slots + place, state[s])
                if f.s0 == 0 and f.s1 and y:
                    store_part(y + (at.b + m) * ldy + j, state[0], units - j)


cdef struct Term:
    # A product that feeds a line of sums: the factor at the first row, and the line in its panel.
    Factor x
    const REAL* panel

cdef struct Line:
    # Where the sums of the first row begin, those of the next are start_step away; the products that follow, in order.
    const REAL* start
    long start_step
    int terms
    Term term[1 + MOST_FEEDS]

cdef struct Lines:
    # The blocks of a stage, in one unit group, and the sums of a tile: (block, TALLEST rows, piece).
    int blocks
    Line line[WIDEST]
    vec sums[WIDEST * SUMS]


ctypedef int (*SumLines)(Lines* lines, const Form* f, const recurrence_t* r, Place at, long m, long n) noexcept nogil


cdef inline void add_term(Line* q, int g, int first, int last, Factor x, const REAL* panel) noexcept nogil:
    """Let block g have a product that feeds the blocks [first, last)."""
    if first <= g < last:
        q.term[q.terms] = Term(x, panel + line_start(g - first, x.depth))
        q.terms += 1


cdef inline void find_lines(Lines* lines, const Form* f, const recurrence_t* r, Place at) noexcept nogil:
    cdef bint prepared = at.t < r.prepared
    cdef const REAL* start = gates_at(r, f.blocks, at.t, at.u, at.b) if prepared else r.bias + at.u * f.blocks * LINE
    cdef const Feed* p
    cdef Line* q
    cdef int g, i
    lines.blocks = f.last - f.first
    for g in range(f.first, f.last):
        q = &lines.line[g - f.first]
        q.start, q.start_step, q.terms = start + g * LINE, f.blocks * LINE if prepared else 0, 0
        if not prepared:
            add_term(q, g, f.w0, f.w1, inputs_at(r, at), r.W[f.stage] + at.u * r.I * (f.w1 - f.w0) * LINE)
        for i in range(f.feeds):
            p = &f.feed[i]
            add_term(q, g, p.first, p.last, Factor(source_at(r, p.source, at.t, at.b), r.pad, r.H, NULL),
                     r.U[f.stage][i] + at.u * r.H * (p.last - p.first) * LINE)


cdef inline void lines_tile(int rows, const void* work, long m0) noexcept nogil:
    """The sums of one line after another, each in registers."""
    cdef Lines* w = <Lines*> work
    cdef const Line* q
    cdef Factor x
    cdef int g, k, m, i
    cdef vec acc[SUMS]
    cdef Sums sums = Sums(&acc[0], rows, 1, 1)
    for g in range(w.blocks):
        q = &w.line[g]
        for m in range(rows):
            for i in range(PIECES):
                acc[m * PIECES + i] = load(q.start + (m0 + m) * q.start_step + i * LANES)
        for k in range(q.terms):
            x = q.term[k].x
            x.a += m0 * x.lda
            if x.symbols:
                x.symbols += m0
                pick(sums, 1, x, q.term[k].panel, LINE)
            else:
                accumulate(sums, 1, x, q.term[k].panel, LINE)
        for i in range(rows * PIECES):
            w.sums[g * TALLEST * PIECES + i] = acc[i]


cdef inline int sum_lines(Lines* lines, const Form* f, const recurrence_t* r, Place at, long m, long n) noexcept nogil:
    """The pre-activations of a stage for the next tile of n rows, of which m are done, in one unit group; return its rows."""
    if m == 0:
        find_lines(lines, f, r, at)
    return next_tile(lines_tile, lines, PIECES, n - m, m)


cdef inline void forward_lines(Forward cell, Form f, SumLines sum_lines, const recurrence_t* r, Place at, long n) noexcept nogil:
    """A stage for n rows of one unit group, where a tile has one line."""
    cdef Lines lines
    cdef long m = 0
    cdef int rows
    while m < n:
        rows = sum_lines(&lines, &r.cell.form[f.stage], r, at, m, n)
        finish(cell, f, Sums(&lines.sums[0], rows, 1, f.last - f.first), r, Place(at.t, at.b + m, at.u))
        m += rows


cdef struct Panel:
    # A stage at `place`, for `width` unit groups, and the sums of a tile: (rows, width, blocks), since here a line is one vec.
    Form form
    int width
    const recurrence_t* r
    Place place
    vec sums[SUMS]


cdef inline void panel_tile(int rows, const void* work, long m0) noexcept nogil:
    cdef Panel* w = <Panel*> work
    cdef int blocks = w.form.last - w.form.first, i
    cdef vec acc[SUMS]
    preactivate(Sums(&acc[0], rows, w.width, blocks), &w.form, w.r, Place(w.place.t, w.place.b + m0, w.place.u))
    for i in range(rows * w.width * blocks):
        w.sums[i] = acc[i]


cdef inline void forward_panel(Forward cell, Form f, int width, const recurrence_t* r, Place at, long n) noexcept nogil:
    cdef Panel work
    cdef long m = 0
    cdef int rows
    work.form, work.width, work.r, work.place = f, width, r, at
    while m < n:
        rows = hide(next_tile(panel_tile, &work, tile_vecs(width * (f.last - f.first)), n - m, m))
        finish(cell, f, Sums(&work.sums[0], rows, width, f.last - f.first), r, Place(at.t, at.b + m, at.u))
        m += rows


cdef inline void forward_rows(Forward cell, Form f, SumLines sum_lines, const recurrence_t* r, long t, long row, long n) noexcept nogil:
    """One stage of a cell at step t, for rows row .. row + n - 1. sum_lines: the function of that name, compiled once."""
    cdef int blocks = f.last - f.first
    cdef long i, u, width
    if TILE_LINES == 1:
        for u in range(r.groups):
            forward_lines(cell, f, sum_lines, r, Place(t, row, u), n)
        return
    for i in range(panels(r.groups, blocks)):
        u = panel_start(i, r.groups, blocks)
        width = panel_start(i + 1, r.groups, blocks) - u
        if blocks == 1 and width == 4: forward_panel(cell, f, 4, r, Place(t, row, u), n)
        elif blocks == 1 and width == 3: forward_panel(cell, f, 3, r, Place(t, row, u), n)
        elif blocks <= 2 and width == 2: forward_panel(cell, f, 2, r, Place(t, row, u), n)
        else: forward_panel(cell, f, 1, r, Place(t, row, u), n)


# --------------------------------------------------------------------------------------------------------- backward

cdef inline void backward_rows(Backward cell, Form f, const recurrence_t* r, long t, long row, long n) noexcept nogil:
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
    cdef const REAL* peepholes = NULL if r.truncated and not f.own else r.p
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
                    for s in range(f.s0, f.s1):
                        dstate[s] = dprev[s]
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
                if r.norms:
                    for s in range(f.s0, f.s1):
                        store(r.total + s * carries + at, dstate[s])
            gates += f.blocks * LINE


cdef struct Transposed:
    # out (rows, columns) = (out if add) + deltas of blocks [first, last) times weights packed by `pack_transposed`. Rows of out lie
    # ldo apart; columns from `limit` on are not written.
    bint add
    REAL* out
    long ldo, columns, limit
    int first, last
    const REAL* packed


cdef struct TransposedPanel:
    # One panel of it, of `width` lines, for the rows from b on at step t.
    Transposed product
    int width
    const recurrence_t* r
    long t, b


cdef inline void transposed_tile(int rows, const void* work, long first) noexcept nogil:
    cdef const TransposedPanel* w = <const TransposedPanel*> work
    cdef const recurrence_t* r = w.r
    cdef Transposed q = w.product
    cdef vec acc[SUMS]
    cdef const REAL* delta
    cdef REAL* out = q.out + first * q.ldo
    cdef int m, i, g, vecs = w.width * PIECES, blocks = r.cell.form[0].blocks
    cdef long u, units, step = line_step(w.width), lda = blocks * LINE
    for m in range(rows):
        for i in range(vecs):
            acc[m * vecs + i] = load(out + m * q.ldo + i * LANES) if q.add else zero()
    for u in range(r.groups):
        delta = gates_at(r, blocks, w.t, u, w.b + first) + q.first * LINE
        units = r.H - u * LINE
        if units >= LINE:
            accumulate(Sums(&acc[0], rows, w.width, 1), 1, Factor(delta, lda, (q.last - q.first) * LINE, NULL), q.packed, step)
            q.packed += (q.last - q.first) * LINE * step
        else:
            for g in range(q.last - q.first):
                accumulate(Sums(&acc[0], rows, w.width, 1), 1, Factor(delta + g * LINE, lda, units, NULL), q.packed, step)
                q.packed += units * step
    for m in range(rows):
        for i in range(vecs):
            store_part(out + m * q.ldo + i * LANES, acc[m * vecs + i], q.limit - i * LANES)


cdef inline void transposed_panel(int width, const Transposed* q, const recurrence_t* r, Place at, long n) noexcept nogil:
    """The lines of unit (or input) groups at.u .. at.u + width - 1."""
    cdef TransposedPanel work
    cdef long m = 0
    work.product, work.width, work.r, work.t, work.b = q[0], width, r, at.t, at.b
    work.product.out += at.u * LINE
    work.product.limit -= at.u * LINE
    work.product.packed += at.u * (q.last - q.first) * r.H * LINE
    while m < n:
        m += next_tile(transposed_tile, &work, tile_vecs(width), n - m, m)


cdef inline void transposed_rows(const Transposed* q, const recurrence_t* r, long t, long b, long n) noexcept nogil:
    """The product for rows b .. b + n - 1 at step t; q.out is where row b begins."""
    cdef long groups = (q.columns + LINE - 1) // LINE, i, c, width
    if TILE_LINES == 1:
        for c in range(groups):
            transposed_panel(1, q, r, Place(t, b, c), n)
        return
    for i in range(panels(groups, 1)):
        c = panel_start(i, groups, 1)
        width = panel_start(i + 1, groups, 1) - c
        if width == 4: transposed_panel(4, q, r, Place(t, b, c), n)
        elif width == 3: transposed_panel(3, q, r, Place(t, b, c), n)
        elif width == 2: transposed_panel(2, q, r, Place(t, b, c), n)
        else: transposed_panel(1, q, r, Place(t, b, c), n)
