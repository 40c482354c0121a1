# Weight gradients: of W, b, the recurrent weights and the peepholes, for a stretch of rows that BPTT has passed. Included by
# timeloop.pyx.
#
# Each gradient is the sum over rows r = t B + b ascending within a chunk of CHUNK steps of x. The sums of chunks are added in the
# order in which BPTT finishes them.
#
# Design. The unit is a column: the deltas of a vec of units in one block. A tile keeps the sums of some rows of weights and of up to
# COLUMNS columns in registers, over all rows of a stretch. Columns without units are left out. Every tile reads the deltas of its
# columns again. They are read in place if one stride leads from each row to the next. Elsewhere they are first copied, column by
# column: in place, they are often a power of two apart and evict each other from the cache, which costs a third of the speed. A
# stretch is so short that the columns of a tile stay in the nearest cache. The other factor is read once for all columns of a tile;
# it is copied only where some rows between are past their ends.

cdef enum:
    CHUNK = 32              # steps; the number is part of the numerical contract
    COLUMNS = 4             # most columns of a tile
    STRETCH = 64            # rows


# ----------------------------------------------------------------------------------------------------- rows of a stretch

cdef struct Run:
    # n rows from (t, b) on, all of them alive.
    long t, b, n


cdef struct Stretch:
    # Rows of the chunk of steps first .. last - 1 that are alive; those after them begin at (t, b). The factors of row i are
    # a[m] + i lda[m] in product m, and the deltas at + i ldd in each column.
    long first, last, t, b, rows
    bint opens, closes          # the chunk
    int runs
    Run run[STRETCH]
    uint16_t symbol[STRETCH]    # of each row, where x is one-hot
    const REAL* a[2 + MOST_FEEDS]
    long lda[2 + MOST_FEEDS]
    long at, ldd


cdef inline void add_run(Stretch* s, long n) noexcept nogil:
    if n:
        s.run[s.runs] = Run(s.t, s.b, n)
        s.runs += 1
        s.rows += n


cdef void take_rows(Stretch* s, const recurrence_t* r) noexcept nogil:
    """Go on to the next STRETCH rows, or to the last ones of the chunk."""
    cdef long n
    s.opens = s.t == s.first and s.b == 0
    s.rows = s.runs = 0
    s.run[0] = Run(s.t, s.b, 0)
    while s.t < s.last and s.rows < STRETCH:
        if s.t < r.shortest:
            n = min((min(s.last, r.shortest) - s.t) * r.B - s.b, STRETCH - s.rows)
            add_run(s, n)
            n += s.b
            s.t, s.b = s.t + n // r.B, n % r.B
            continue
        n = alive(r, s.t, s.b, min(r.B, s.b + STRETCH - s.rows))
        add_run(s, n)
        s.b += n + (s.rows < STRETCH)       # the row that ended the run is past its end
        if s.b >= r.B:
            s.t, s.b = s.t + 1, 0
    s.closes = s.t == s.last


# ---------------------------------------------------------------------------------------------------------------- copies

cdef struct Panel:
    # The blocks [first, last) of unit groups from u on, the vecs that hold the units, and copies of the deltas or NULL.
    int first, last, vecs
    long u
    REAL* copies                # (block, vec, STRETCH, LANES)


cdef inline Panel panel_at(const recurrence_t* r, int k, long i, REAL* copies) noexcept nogil:
    cdef const Form* f = &r.cell.form[k]
    cdef long u = panel_start(i, r.groups, f.last - f.first), end = panel_start(i + 1, r.groups, f.last - f.first)
    return Panel(f.first, f.last, <int> ((min(end * LINE, r.H) - u * LINE + LANES - 1) // LANES), u, copies)


cdef inline const REAL* deltas_at(const recurrence_t* r, Panel p, int block, int i, Run at) noexcept nogil:
    """Vec i of a panel in one block, at the first row of a run."""
    return gates_at(r, r.cell.form[0].blocks, at.t, p.u + i // PIECES, at.b) + block * LINE + i % PIECES * LANES


cdef inline const REAL* column_at(const recurrence_t* r, Panel p, int block, int i) noexcept nogil:
    """The column of vec i in one block: a copy, or where the tape begins."""
    if p.copies:
        return p.copies + ((block - p.first) * p.vecs + i) * STRETCH * LANES
    return deltas_at(r, p, block, i, Run(r.start, 0, 0))


cdef inline void copy_deltas(const recurrence_t* r, Panel p, const Stretch* s) noexcept nogil:
    cdef long n, j, step = r.cell.form[0].blocks * LINE
    cdef int k, g, w, i, pieces
    cdef Run at
    cdef const REAL* d
    cdef REAL* to = p.copies
    cdef REAL* out
    for k in range(s.runs):
        at = s.run[k]
        while at.n > 0:
            n = min(at.n, r.B - at.b)
            for w in range((p.vecs + PIECES - 1) // PIECES):
                d = deltas_at(r, p, p.first, w * PIECES, at)
                pieces = min(PIECES, p.vecs - w * PIECES)
                for j in range(n):
                    out = to + (w * PIECES * STRETCH + j) * LANES
                    for g in range(p.last - p.first):
                        for i in range(pieces):
                            store(out + i * STRETCH * LANES, load(d + g * LINE + i * LANES))
                        out += p.vecs * STRETCH * LANES
                    d += step
            to += n * LANES
            at = Run(at.t + 1, 0, at.n - n)


cdef inline long apart(const Product* q) noexcept nogil:
    """Distance of the rows of a copy of the other factor: an odd number of lines, so that they do not evict each other."""
    return ((q.depth + LINE - 1) // LINE | 1) * LINE


cdef inline void copy_factor(REAL* to, const recurrence_t* r, const Product* q, const Stretch* s) noexcept nogil:
    cdef long i
    cdef int k
    cdef const REAL* a
    for k in range(s.runs):
        a = q.a + ((s.run[k].t - r.start) * r.B + s.run[k].b) * q.lda
        for i in range(s.run[k].n):
            memcpy(to, a + i * q.lda, q.depth * sizeof(REAL))
            to += apart(q)


cdef inline void copy_symbols(Stretch* s, const recurrence_t* r) noexcept nogil:
    cdef uint16_t* to = s.symbol
    cdef int k
    for k in range(s.runs):
        memcpy(to, r.symbols + s.run[k].t * r.B + s.run[k].b, s.run[k].n * sizeof(uint16_t))
        to += s.run[k].n


# --------------------------------------------------------------------------------------------------------- the products

cdef struct Outer
ctypedef void (*Add)(const Outer* work) noexcept nogil

cdef struct Outer:
    # Up to COLUMNS columns of a product: rows begin .. end - 1 of weights, ldo apart from `out` on, where a column has `left` units
    # or more. Columns of deltas begin at d.
    Add add                     # a function of its own for each number of columns, whose loops need all registers, and for symbols
    int product, columns
    long begin, end, ldo
    REAL* out[COLUMNS]
    long left[COLUMNS]
    const REAL* d[COLUMNS]
    const Stretch* stretch
    REAL* sums                  # (row of weights, column, LANES), between the stretches of a chunk


cdef inline void add_parts(int rows, int columns, vec* acc, REAL* out, long ldo, long left) noexcept nogil:
    """Add a column of sums to parts of vecs, ldo apart.

    A masked store delays a load that has lanes in common with it, also those that it leaves alone. Where ldo is below LANES, these are
    the next row's. So all rows are loaded before one is stored.
    """
    cdef int m
    for m in range(rows):
        acc[m * columns] = load_part(out + m * ldo, left) + acc[m * columns]
    for m in range(rows):
        store_part(out + m * ldo, acc[m * columns], left)


cdef inline void outer_tile(int rows, const void* work, long first) noexcept nogil:
    """sums[m, c] += sum over rows i of a[i, m] d[c, i]; if the stretch closes its chunk, add them to the weight gradients."""
    cdef const Outer* w = <const Outer*> work
    cdef int m, c, columns = w.columns
    cdef REAL* sums = w.sums + first * columns * LANES
    cdef REAL* out
    cdef const REAL* a = w.stretch.a[w.product] + first
    cdef const REAL* d[COLUMNS]
    cdef vec acc[SUMS]
    cdef vec b[COLUMNS]
    cdef vec s[COLUMNS]
    cdef long i, left, at = w.stretch.at, lda = w.stretch.lda[w.product], ldd = w.stretch.ldd
    for c in range(columns):
        d[c] = w.d[c]
    for m in range(rows * columns):
        acc[m] = zero() if w.stretch.opens else load(sums + m * LANES)
    for i in range(w.stretch.rows):
        if rows < columns:      # the shorter side of the tile stays in registers
            for m in range(rows):
                s[m] = keep(splat(a[m]))
            for c in range(columns):
                b[0] = load(d[c] + at)
                for m in range(rows):
                    acc[m * columns + c] = fma(s[m], b[0], acc[m * columns + c])
        else:
            for c in range(columns):
                b[c] = keep(load(d[c] + at))
            for m in range(rows):
                s[0] = splat(a[m])
                for c in range(columns):
                    acc[m * columns + c] = fma(s[0], b[c], acc[m * columns + c])
        a += lda
        at += ldd
    if not w.stretch.closes:
        for m in range(rows * columns):
            store(sums + m * LANES, acc[m])
        return
    for c in range(columns):
        out, left = w.out[c] + first * w.ldo, w.left[c]
        if left >= LANES:
            for m in range(rows):
                prefetch(out + AHEAD * w.ldo)       # the processor does not prefetch rows this far apart
                store(out, load(out) + acc[m * columns + c])
                out += w.ldo
        else:
            add_parts(rows, columns, &acc[c], out, w.ldo, left)


cdef inline void outer_columns(int columns, Outer work) noexcept nogil:
    cdef long m = work.begin
    work.columns = columns
    while m < work.end:
        m += next_tile(outer_tile, &work, columns, work.end - m, m)


cdef void outer_symbols(const Outer* work) noexcept nogil:
    """The product of `outer_columns` for one-hot rows a: the deltas of each row go to the sums of its symbol."""
    cdef int columns = work.columns, c
    cdef long at = work.stretch.at, i, m, left
    cdef REAL* sums
    cdef REAL* out
    if work.stretch.opens:
        memset(work.sums + work.begin * columns * LANES, 0, (work.end - work.begin) * columns * LANES * sizeof(REAL))
    for i in range(work.stretch.rows):
        m = work.stretch.symbol[i]
        if work.begin <= m < work.end:
            sums = work.sums + m * columns * LANES
            for c in range(columns):
                store(sums + c * LANES, load(sums + c * LANES) + load(work.d[c] + at))
        at += work.stretch.ldd
    if work.stretch.closes:
        for c in range(columns):
            left, out, sums = work.left[c], work.out[c], work.sums + c * LANES
            for m in range(work.begin, work.end):
                store(sums + m * columns * LANES, load_part(out + m * work.ldo, left) + load(sums + m * columns * LANES))
            for m in range(work.begin, work.end):       # after all loads, as in `add_parts`
                store_part(out + m * work.ldo, load(sums + m * columns * LANES), left)


cdef void outer_1(const Outer* work) noexcept nogil:
    outer_columns(1, work[0])

cdef void outer_2(const Outer* work) noexcept nogil:
    outer_columns(2, work[0])

cdef void outer_3(const Outer* work) noexcept nogil:
    outer_columns(3, work[0])

cdef void outer_4(const Outer* work) noexcept nogil:
    outer_columns(4, work[0])


# ------------------------------------------------------------------------------------------------------------- peepholes

cdef inline void diagonals(int n, int first, const recurrence_t* r, Panel p, int i, const Stretch* s, REAL* sums) noexcept nogil:
    """Add delta x state, over a stretch, to the sums of n peepholes from `first` on, for vec i of a panel."""
    cdef const Peephole* q = &r.cell.peephole[first]
    cdef const REAL* d[MOST_BLOCKS]
    cdef const REAL* state[MOST_BLOCKS]
    cdef vec acc[MOST_BLOCKS]
    cdef REAL* out
    cdef long unit = p.u * LINE + i * LANES, left = r.H - unit, at = s.at, j
    cdef int k, run
    for k in range(n):
        d[k] = column_at(r, p, q[k].block, i)
        acc[k] = zero() if s.opens else load(sums + k * LANES)
    for run in range(s.runs):
        for k in range(n):
            j = slot_before(r, s.run[run].t) if q[k].before else slot_after(r, s.run[run].t)
            state[k] = state_at(r, q[k].state, j, s.run[run].b) + unit
        for j in range(s.run[run].n):
            for k in range(n):
                acc[k] = fma(load(d[k] + at), load(state[k]), acc[k])
                state[k] += r.pad
            at += s.ldd
    for k in range(n):
        out = r.dp + (first + k) * r.H + unit
        if s.closes:
            store_part(out, load_part(out, left) + acc[k], left)
        else:
            store(sums + k * LANES, acc[k])


cdef void peephole_gradients(const recurrence_t* r, Panel p, const Stretch* s, REAL* sums) noexcept nogil:
    """Of all peepholes, for a panel of the cell's first stage. sums: (vec, peephole, LANES), between the stretches of a chunk."""
    cdef int n = r.cell.form[0].peepholes, i, k
    for i in range(p.vecs):
        k = 0
        while k + 3 <= n:
            diagonals(3, k, r, p, i, s, sums + k * LANES)
            k += 3
        if n - k == 2: diagonals(2, k, r, p, i, s, sums + k * LANES)
        elif n - k == 1: diagonals(1, k, r, p, i, s, sums + k * LANES)
        sums += n * LANES
