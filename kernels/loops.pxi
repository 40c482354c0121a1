# The loops over time for one slice of the batch, in one direction, and a thread's share of the weight gradients. Included
# by timeloop.pyx. Rows that have ended are never operands: the loops go over runs of rows that are still alive.

cdef void hold(const Run* r, int states, long t, long b) noexcept nogil:
    """A row past its end keeps its states, and its output is 0."""
    cdef int s
    for s in range(states):
        memcpy(state_at(r, s, slot_after(r, t), b), state_at(r, s, slot_before(r, t), b), r.pad * sizeof(REAL))
    if r.y:
        memset(r.y + (t * r.B + b) * r.ldy, 0, r.H * sizeof(REAL))


cdef void forward_slice(const Job* job, long b0, long b1) noexcept nogil:
    cdef const Run* r = &job.run
    cdef const Row* row = job.row
    cdef long steps = job.t1 - job.t0, i, t, b, n, first
    cdef int k
    cdef mode saved = enter_mode()
    for i in range(steps):
        t = job.t1 - 1 - i if r.reverse else job.t0 + i
        if i % CHUNK == 0:
            n = min(CHUNK, steps - i)
            first = t + 1 - n if r.reverse else t
            for k in range(row.stages):
                inputs_ahead(r, &row.form[k], first, min(first + n, r.prepared))
        b = b0
        while b < b1:
            n = alive(r, t, b, b1)
            if n:
                for k in range(row.stages):
                    row.forward[k](r, t, b, n)
            b += n
            if b < b1:
                hold(r, row.form[0].states, t, b)
                b += 1
    leave_mode(saved)


cdef void carry_back(bint add, REAL* out, long ldo, long columns, long limit, const Run* r, int blocks, int g0, int g1,
                     const REAL* packed, long t, long b, long n) noexcept nogil:
    """transposed_rows, compiled once."""
    transposed_rows(add, out, ldo, columns, limit, r, blocks, g0, g1, packed, t, b, n)


cdef void backward_run(const Row* row, const Run* r, long t, long b, long n) noexcept nogil:
    """BPTT through step t for n rows from b that are alive at it."""
    cdef const Form* f
    cdef const Feed* q
    cdef REAL* to
    cdef long i
    cdef int k, s
    for k in range(row.stages - 1, -1, -1):
        f = &row.form[k]
        row.backward[k](r, t, b, n)
        for s in range(f.feeds):
            q = &f.feed[s]
            if q.source >= OPERAND:
                to = r.doperand + ((q.source - OPERAND) * r.B + b) * r.pad
                carry_back(False, to, r.pad, r.H, r.pad, r, f.blocks, q.first, q.last, r.UT[k][s], t, b, n)
            elif not r.truncated:
                to = r.carry + (q.source * r.B + b) * r.pad
                carry_back(True, to, r.pad, r.H, r.pad, r, f.blocks, q.first, q.last, r.UT[k][s], t, b, n)
    f = &row.form[row.stages - 1]
    if r.dx:
        if f.direct:
            to = r.ddirect + b * r.pad
            carry_back(True, to, r.pad, r.I, r.pad, r, f.blocks, row.form[0].w0, f.w1, r.WT, t, b, n)
            for i in range(n):
                memcpy(r.dx + (t * r.B + b + i) * r.I, to + i * r.pad, r.I * sizeof(REAL))
        else:
            to = r.dx + (t * r.B + b) * r.I
            carry_back(False, to, r.I, r.I, r.I, r, f.blocks, row.form[0].w0, f.w1, r.WT, t, b, n)
    if r.norms:
        for s in range(f.states):
            for i in range(b, b + n):
                r.norms[(s * r.T + t) * r.B + i] = norm(r.total + (s * r.B + i) * r.pad, r.H)


cdef void backward_slice(const Job* job, long b0, long b1) noexcept nogil:
    cdef const Run* r = &job.run
    cdef long i, t, b, n
    cdef mode saved = enter_mode()
    for i in range(job.t1 - job.t0):
        t = job.t0 + i if r.reverse else job.t1 - 1 - i
        b = b0
        while b < b1:
            n = alive(r, t, b, b1)
            if n:
                backward_run(job.row, r, t, b, n)
            b += n
            if b < b1:
                if r.dx:
                    memset(r.dx + (t * r.B + b) * r.I, 0, r.I * sizeof(REAL))
                b += 1
    leave_mode(saved)


# -------------------------------------------------------------------------------------------------- weight gradients

cdef inline int vecs_of(const Product* q, long width) noexcept nogil:
    """Vecs of sums that a row of a tile has, in a panel of `width` groups."""
    return together(q, lines_of(q, width)) * PIECES


cdef inline long tall(const Product* q, long width) noexcept nogil:
    """Rows of the product's tallest tile."""
    return tile_rows(q.depth, vecs_of(q, width))


cdef long shares_of(const Product* q, long width) noexcept nogil:
    """How many parts of a product's panel threads can share: a tall tile each, the last with what is left."""
    return max(1, q.depth // tall(q, width)) if q.g1 > q.g0 else 0


cdef long panel_shares(const Job* job, int k, long width) noexcept nogil:
    cdef long n = 0
    cdef int m
    for m in range(2 + job.row.form[k].feeds):
        n += shares_of(&job.product[k][m], width)
    return n


cdef void peephole_gradients(const Job* job, long u, long width, long first, long last) noexcept nogil:
    cdef const Form* f = &job.row.form[0]
    cdef const Peephole* q
    cdef int i
    cdef long w
    for i in range(f.peepholes):
        q = &job.row.peephole[i]
        for w in range(u, u + width):
            diagonal(job.dp + i * job.run.H, &job.run, f.blocks, q.block, q.state, q.before, first, last, w)


cdef long room_of(const Job* job, int k) noexcept nogil:
    """Numbers that the sums of a stage's weight gradients take, and the copies of their factors."""
    cdef const Product* q
    cdef long sums = 0, row = WIDEST * LINE
    cdef int m
    for m in range(2 + job.row.form[k].feeds):
        q = &job.product[k][m]
        sums += (q.g1 - q.g0) * q.depth * job.run.pad
        row += q.depth
    return sums + STRETCH * row


cdef void gradient_stretch(const Job* job, int k, long low, long high, long first, long last, long row, long end,
                           REAL* room) noexcept nogil:
    """Of the chunk of the steps first .. last - 1, the rows (t, b) from row to end - 1, for the parts from low to high - 1."""
    cdef const Run* r = &job.run
    cdef const Form* f = &job.row.form[k]
    cdef const Product* q
    cdef int blocks = f.last - f.first, m, vecs, lines
    cdef int copied[2 + MOST_FEEDS]
    cdef REAL* a[2 + MOST_FEEDS]
    cdef REAL* sums = room + STRETCH * WIDEST * LINE
    cdef long i, u, width, n, begin, until, count, size
    cdef bint opens = row == first * r.B, closes = end == last * r.B
    for m in range(2 + f.feeds):
        copied[m] = 0
        a[m] = sums
        sums += STRETCH * job.product[k][m].depth
    for i in range(panels(r.groups, blocks)):
        u = panel_start(i, r.groups, blocks)
        width = panel_start(i + 1, r.groups, blocks) - u
        if high > 0 and low < panel_shares(job, k, width):
            n = copy_deltas(room, r, f.blocks, f.first, f.last, u, width, row, end)
            for m in range(2 + f.feeds):
                q = &job.product[k][m]
                if q.g1 == q.g0:
                    continue
                count = shares_of(q, width)
                begin = max(low, 0) * tall(q, width)
                until = q.depth if high >= count else high * tall(q, width)
                if low < count and high > 0:
                    vecs, lines = vecs_of(q, width), lines_of(q, width)
                    if copied[m] != vecs:
                        copy_factor(a[m], q, r, row, end, n, vecs)
                        copied[m] = vecs
                    size = (until - begin) * lines * LINE
                    if opens:
                        memset(sums, 0, size * sizeof(REAL))
                    outer(q, lines, sums, until - begin, a[m] + begin * n, room + (q.g0 - f.first) * width * STRETCH * LINE, n)
                    if closes:
                        add_sums(q, r, u, width, sums, begin, until)
                        if m == 1 and k == 0:
                            peephole_gradients(job, u, width, first, last)
                    if not (opens and closes):
                        sums += size
                low -= count
                high -= count
        else:
            low -= panel_shares(job, k, width)
            high -= panel_shares(job, k, width)


cdef void gradient_stage(const Job* job, int k, long low, long high, REAL* room) noexcept nogil:
    """A stage's weight gradients: of the parts of all panels' products, those from low to high - 1."""
    cdef long chunks = (job.t1 - 1) // CHUNK - job.t0 // CHUNK + 1, B = job.run.B, i, c, first, last, row
    for i in range(chunks):
        c = job.t0 // CHUNK + (i if job.run.reverse else chunks - 1 - i)
        first, last = max(c * CHUNK, job.t0), min((c + 1) * CHUNK, job.t1)
        row = first * B
        while row < last * B:
            gradient_stretch(job, k, low, high, first, last, row, min(row + STRETCH, last * B), room)
            row += STRETCH


cdef void gradient_share(const Job* jobs, int njobs, long share, long shares, REAL* room) noexcept nogil:
    """Parts of all weight gradients, numbered through all jobs, stages, panels and products: one share of them."""
    cdef long start, n, low = 0, high = 0, i
    cdef int d, k, sweep, blocks
    cdef const Job* job
    cdef mode saved = enter_mode()
    for sweep in range(2):
        start = 0
        for d in range(njobs):
            job = &jobs[d]
            for k in range(job.row.stages):
                blocks = job.row.form[k].last - job.row.form[k].first
                n = 0
                for i in range(panels(job.run.groups, blocks)):
                    n += panel_shares(job, k, panel_start(i + 1, job.run.groups, blocks) - panel_start(i, job.run.groups, blocks))
                if sweep and low < start + n and high > start:
                    gradient_stage(job, k, low - start, high - start, room)
                start += n
        low, high = start * share // shares, start * (share + 1) // shares
    leave_mode(saved)
