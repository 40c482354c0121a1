# How threads share the weight gradients of a range of steps. Included by timeloop.pyx.
#
# Threads share the panels and the rows of the weights, never the rows r of the sums, so no sum is ever split. What depends on sizes
# only is computed once, before the first stretch.

cdef enum:
    MOST_OUTERS = 24        # of a panel: of each product one a COLUMNS columns

cdef enum:
    PORTION = ROWS_BUDGET // COLUMNS        # rows of weights, the least that a thread takes


cdef inline long product_parts(const Product* q) noexcept nogil:
    """The parts of a product's panel that threads can share: PORTION rows of weights each; the last takes what is left."""
    return max(1, q.depth // PORTION) if q.g1 > q.g0 else 0


cdef long panel_parts(const recurrence_t* r, int k) noexcept nogil:
    cdef long n = 0
    cdef int m
    for m in range(2 + r.cell.form[k].feeds):
        n += product_parts(&r.product[k][m])
    return n


cdef inline long stage_panels(const recurrence_t* r, int k) noexcept nogil:
    return panels(r.groups, r.cell.form[k].last - r.cell.form[k].first)


cdef struct Share:
    # What a thread adds of a panel: some rows of weights of its products, and the peepholes where they have sums.
    Panel panel
    REAL* peepholes
    int outers
    Outer outer[MOST_OUTERS]


cdef struct Work:
    # What a thread adds of a stage, and its scratch memory.
    const recurrence_t* r
    int stage
    bint in_place               # one stride leads from the deltas of each row to those of the next
    Stretch stretch
    REAL* copies                # of deltas
    REAL* factors               # copies of the other factors
    REAL* sums                  # those not yet in use
    Share* share
    long shares


cdef inline long sums_size(const recurrence_t* r, int k) noexcept nogil:
    cdef const Product* q
    cdef long n = r.cell.form[k].peepholes * r.pad
    cdef int m
    for m in range(2 + r.cell.form[k].feeds):
        q = &r.product[k][m]
        n += (q.g1 - q.g0) * q.depth * r.pad
    return n


cdef inline long factors_size(const recurrence_t* r, int k) noexcept nogil:
    cdef long n = 0
    cdef int m
    for m in range(2 + r.cell.form[k].feeds):
        n += STRETCH * apart(&r.product[k][m])
    return n


cdef long scratch_size(const recurrence_t* r, int k) noexcept nogil:
    """REALs of scratch memory for a stage."""
    return (STRETCH * WIDEST * LINE + factors_size(r, k) + sums_size(r, k)
            + stage_panels(r, k) * <long> sizeof(Share) // <long> sizeof(REAL))


cdef void share_product(Work* work, Share* share, int product, long begin, long end) noexcept nogil:
    """Take rows begin .. end - 1 of a product's weights into a share."""
    cdef const recurrence_t* r = work.r
    cdef const Product* q = &r.product[work.stage][product]
    cdef int vecs = share.panel.vecs, total = (q.g1 - q.g0) * vecs, parts = (total + COLUMNS - 1) // COLUMNS, part, first, g, i, c
    cdef long unit
    cdef Outer* w
    for part in range(parts):
        first = total * part // parts
        w = &share.outer[share.outers]
        share.outers += 1
        w.product, w.columns, w.begin, w.end, w.ldo = product, total * (part + 1) // parts - first, begin, end, r.H
        w.add = outer_4 if w.columns == 4 else outer_3 if w.columns == 3 else outer_2 if w.columns == 2 else outer_1
        if product == 0 and r.symbols:      # of W
            w.add = outer_symbols
        w.stretch, w.sums = &work.stretch, work.sums
        work.sums += q.depth * w.columns * LANES
        for c in range(w.columns):
            g, i = (first + c) // vecs, (first + c) % vecs
            unit = share.panel.u * LINE + i * LANES
            w.out[c], w.left[c] = q.out + g * q.depth * r.H + unit, r.H - unit
            w.d[c] = column_at(r, share.panel, q.g0 + g, i)


cdef void share_panel(Work* work, Panel panel, long low, long high) noexcept nogil:
    """Take the parts low .. high - 1 of a panel, numbered over its products."""
    cdef const Form* f = &work.r.cell.form[work.stage]
    cdef const Product* q
    cdef Share* share = &work.share[work.shares]
    cdef long parts
    cdef int m
    work.shares += 1
    share.panel, share.outers, share.peepholes = panel, 0, NULL
    for m in range(2 + f.feeds):
        q = &work.r.product[work.stage][m]
        parts = product_parts(q)
        if parts and low < parts and high > 0:
            share_product(work, share, m, max(low, 0) * PORTION, q.depth if high >= parts else high * PORTION)
            if m == (f.b1 > f.b0) and low <= 0 and f.stage == 0 and f.peepholes:    # they go with the first part of b, or else of W
                share.peepholes = work.sums
                work.sums += f.peepholes * panel.vecs * LANES
        low -= parts
        high -= parts


cdef void find_factors(Work* work) noexcept nogil:
    """Set where a stretch has its factors; copy symbols, and factors with rows between that are past their ends."""
    cdef const recurrence_t* r = work.r
    cdef Stretch* s = &work.stretch
    cdef const Product* q
    cdef REAL* to = work.factors
    cdef long row = (s.run[0].t - r.start) * r.B + s.run[0].b
    cdef int m
    for m in range(2 + r.cell.form[work.stage].feeds):
        q = &r.product[work.stage][m]
        s.a[m], s.lda[m] = q.a + row * q.lda, q.lda
        if m == 0 and r.symbols:
            copy_symbols(s, r)
        elif s.runs > 1 and q.g1 > q.g0:
            copy_factor(to, r, q, s)
            s.a[m], s.lda[m] = to, apart(q)
            to += STRETCH * apart(q)
    s.ldd = (r.groups if r.B == 1 else 1) * r.cell.form[0].blocks * LINE if work.in_place else LANES
    s.at = row * s.ldd if work.in_place else 0


cdef void add_stretch(Work* work) noexcept nogil:
    cdef Share* share
    cdef long i
    cdef int k
    find_factors(work)
    for i in range(work.shares):
        share = &work.share[i]
        if not work.in_place:
            copy_deltas(work.r, share.panel, &work.stretch)
        for k in range(share.outers):
            share.outer[k].add(&share.outer[k])
        if share.peepholes:
            peephole_gradients(work.r, share.panel, &work.stretch, share.peepholes)


cdef void add_steps(Work* work, long t0, long t1) noexcept nogil:
    """Add the steps t0 .. t1 - 1 to the weight gradients, chunk by chunk in the order of BPTT."""
    cdef long chunks = (t1 - 1) // CHUNK - t0 // CHUNK + 1, i, c
    cdef Stretch* s = &work.stretch
    for i in range(chunks):
        c = t0 // CHUNK + (i if work.r.reverse else chunks - 1 - i)
        s.first, s.last = max(c * CHUNK, t0), min((c + 1) * CHUNK, t1)
        s.t, s.b = s.first, 0
        while s.t < s.last:
            take_rows(s, work.r)
            add_stretch(work)


cdef void gradient_stage(const recurrence_t* r, int k, long low, long high, REAL* scratch) noexcept nogil:
    """Add the parts low .. high - 1 of a stage's weight gradients, numbered over its panels and their products."""
    cdef long parts = panel_parts(r, k), i
    cdef Work work
    work.r, work.stage, work.in_place = r, k, r.B == 1 or (r.groups == 1 and r.t1 <= r.shortest)
    work.copies, work.factors, work.shares = scratch, scratch + STRETCH * WIDEST * LINE, 0
    work.sums = work.factors + factors_size(r, k)
    work.share = <Share*> (work.sums + sums_size(r, k))
    for i in range(stage_panels(r, k)):
        if low < parts and high > 0:
            share_panel(&work, panel_at(r, k, i, NULL if work.in_place else work.copies), low, high)
        low -= parts
        high -= parts
    add_steps(&work, r.t0, r.t1)


cdef void gradient_share(recurrence_t** all, int count, long share, long shares, REAL* scratch) noexcept nogil:
    """Add one of `shares` equal shares of the parts of all weight gradients, numbered over recurrences, stages, panels, products."""
    cdef long parts = 0, start = 0, low, high
    cdef int d, k
    cdef mode saved = enter_mode()
    for d in range(count):
        for k in range(all[d].cell.stages):
            parts += stage_panels(all[d], k) * panel_parts(all[d], k)
    low, high = parts * share // shares, parts * (share + 1) // shares
    for d in range(count):
        for k in range(all[d].cell.stages):
            parts = stage_panels(all[d], k) * panel_parts(all[d], k)
            if low < start + parts and high > start:
                gradient_stage(all[d], k, low - start, high - start, scratch)
            start += parts
    leave_mode(saved)
