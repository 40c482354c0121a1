# Weight gradients: of W, b, the recurrent weights and the peepholes, for a range of steps that BPTT has passed. Included by
# timeloop.pyx.
#
# Each gradient is the sum over rows r = t B + b ascending within a chunk of CHUNK steps of x. The sums of chunks are added in the
# order in which BPTT finishes them. Threads share the panels and the rows of the weights, never r, so no sum is ever split.
#
# Design. The products take a stretch of rows at a time. Their sums lie in memory between stretches; if a chunk is one stretch, all
# products use one buffer in turn. Both factors of a stretch are first copied close together, in the order in which tiles read them:
# deltas line by line, the other factor tile by tile. Without copies, their rows are often a power of two apart and evict each other
# from the cache, which costs a third of the speed. The copy of the other factor serves all panels. A stretch is so short that its
# deltas stay in the nearest cache for all tiles.

cdef enum:
    CHUNK = 32          # steps; the number is part of the numerical contract
    STRETCH = 512 // (TILE_LINES + 1) // 32 * 32    # rows: the nearest cache holds what a tile reads of them; whole LINEs
    SHALLOW = 4         # rows x lines that a tile should have at least, to hide the latency of its sums


# ---------------------------------------------------------------------------------------------- copies of both factors

cdef inline long following(const recurrence_t* r, long row, long end) noexcept nogil:
    """How many of the rows (t, b) from `row` on are alive and at one step."""
    return alive(r, row // r.B, row % r.B, min(r.B, row % r.B + end - row))


cdef inline long copy_deltas(REAL* to, const recurrence_t* r, const Form* f, long u, long width, long row, long end) noexcept nogil:
    """Copy a panel's deltas of the rows row .. end - 1 to (block, group, STRETCH, LINE); return how many of the rows are alive."""
    cdef long i, n, w, rows = 0
    cdef int g, k
    cdef const REAL* d
    cdef REAL* out
    while row < end:
        n = following(r, row, end)
        for w in range(width):
            d = gates_at(r, f.blocks, row // r.B, u + w, row % r.B) + f.first * LINE
            for i in range(rows, rows + n):
                for g in range(f.last - f.first):
                    out = to + ((g * width + w) * STRETCH + i) * LINE
                    for k in range(PIECES):
                        store(out + k * LANES, load(d + g * LINE + k * LANES))
                d += f.blocks * LINE
        rows += n
        row += max(1, n)
    return rows


cdef struct Copy:
    # n rows of `a`, lda apart, go to the rows from `done` on of tiles (column tile, row, column); a tile has `rows` rows.
    REAL* to
    const REAL* a
    long lda, n, rows, done


cdef inline void copy_columns(int columns, const void* work, long m) noexcept nogil:
    cdef const Copy* w = <const Copy*> work
    cdef REAL* to = w.to + m * w.rows + w.done * columns
    cdef long i
    for i in range(w.n):
        memcpy(to + i * columns, w.a + m + i * w.lda, columns * sizeof(REAL))


cdef inline void copy_factor(REAL* to, const Product* q, const recurrence_t* r, long row, long end, long rows,
                             int vecs) noexcept nogil:
    """Copy the other factor of the rows row .. end - 1, of which `rows` are alive, to (tile, row, row of weights)."""
    cdef long n, m, done = 0
    cdef Copy work
    while row < end:
        n = following(r, row, end)
        work = Copy(to, q.a + (row // r.B - r.start) * q.step + row % r.B * q.lda, q.lda, n, rows, done)
        m = 0
        while m < q.depth:
            m += next_tile(copy_columns, &work, vecs, q.depth - m, m)
        done += n
        row += max(1, n)


# --------------------------------------------------------------------------------------------------------- the products

cdef inline int lines_of(const Product* q, long width) noexcept nogil:
    """Lines that a product has in a panel of `width` groups."""
    return <int> width * (q.g1 - q.g0)


cdef inline int tile_lines(const Product* q, int lines) noexcept nogil:
    """Lines whose sums a tile has in registers at a time: a divisor of `lines`, so that all tiles have the same rows."""
    cdef int most = min(lines, max(TILE_LINES, SHALLOW // q.depth))
    return most if lines % most == 0 else 1


cdef struct Outer:
    # sums (depth, lines, LINE) += the product of the copies a (tile, n rows, row of weights) and d (lines, STRETCH, LINE).
    int lines
    REAL* sums
    const REAL* a
    const REAL* d
    long n


cdef inline void outer_tile(int rows, const void* work, long first) noexcept nogil:
    """sums[m, l] += sum over rows r of a[r, m] d[l, r]"""
    cdef const Outer* w = <const Outer*> work
    cdef int m, l, k, lines = w.lines, vecs = lines * PIECES
    cdef REAL* sums = w.sums + first * lines * LINE
    cdef const REAL* a = w.a + first * w.n
    cdef const REAL* d = w.d
    cdef vec acc[SUMS]
    cdef vec b[SHARED]
    cdef vec s
    cdef long r
    for m in range(rows * vecs):
        acc[m] = load(sums + m * LANES)
    for r in range(w.n):
        for l in range(lines):
            for k in range(PIECES):
                b[l * PIECES + k] = keep(load(d + l * STRETCH * LINE + k * LANES))
        for m in range(rows):
            s = splat(a[m])
            for k in range(vecs):
                acc[m * vecs + k] = fma(s, b[k], acc[m * vecs + k])
        a += rows
        d += LINE
    for m in range(rows * vecs):
        store(sums + m * LANES, acc[m])


cdef inline void outer_lines(int lines, Outer work, long depth) noexcept nogil:
    cdef long m = 0
    work.lines = lines
    while m < depth:
        m += next_tile(outer_tile, &work, lines * PIECES, depth - m, m)


cdef inline void outer(const Product* q, int lines, Outer work, long depth) noexcept nogil:
    """Add to the sums of `depth` rows of one product's panel. sums: (part, depth, line, LINE); a part is what one tile takes."""
    cdef int part = tile_lines(q, lines), i
    for i in range(lines // part):
        if part == 4: outer_lines(4, work, depth)
        elif part == 3: outer_lines(3, work, depth)
        elif part == 2: outer_lines(2, work, depth)
        else: outer_lines(1, work, depth)
        work.sums += part * depth * LINE
        work.d += part * STRETCH * LINE


cdef inline void add_sums(const Product* q, const recurrence_t* r, long u, long width, const REAL* sums, long m,
                          long end) noexcept nogil:
    """Add the sums that `outer` leaves to rows m .. end - 1 of the weights of a panel of `width` groups from u."""
    cdef int lines = lines_of(q, width), together = tile_lines(q, lines), k
    cdef long part, i, j, unit, left
    cdef REAL* to
    for part in range(lines // together):
        for i in range(m, end):
            for j in range(part * together, (part + 1) * together):
                unit = (u + j % width) * LINE
                to = q.out + (j // width * q.depth + i) * r.H + unit
                prefetch(to + AHEAD * r.H)      # the processor does not prefetch rows this far apart
                for k in range(PIECES):
                    left = r.H - unit - k * LANES
                    store_part(to + k * LANES, load_part(to + k * LANES, left) + load(sums + k * LANES), left)
                sums += LINE


cdef inline void diagonal(REAL* out, const recurrence_t* r, const Peephole* q, long first, long last, long u) noexcept nogil:
    """out (H,) += the sum of delta x state over the steps first .. last - 1: a peephole's gradient, for the units of group u."""
    cdef long t, b, i, n, j, slot
    cdef int lane, piece, blocks = r.cell.form[0].blocks
    cdef vec acc
    for piece in range(PIECES):
        lane = piece * LANES
        acc = zero()
        j = u * LINE + lane
        for t in range(first, last):
            slot = slot_before(r, t) if q.before else slot_after(r, t)
            b = 0
            while b < r.B:
                n = alive(r, t, b, r.B)
                for i in range(b, b + n):
                    acc = fma(load(gates_at(r, blocks, t, u, i) + q.block * LINE + lane), load(state_at(r, q.state, slot, i) + j), acc)
                b += n + 1
        store_part(out + j, load_part(out + j, r.H - j) + acc, r.H - j)


cdef void peephole_gradients(const recurrence_t* r, long u, long width, long first, long last) noexcept nogil:
    cdef int i
    cdef long w
    for i in range(r.cell.form[0].peepholes):
        for w in range(u, u + width):
            diagonal(r.dp + i * r.H, r, &r.cell.peephole[i], first, last, w)


# -------------------------------------------------------------------------------------------- how threads share the work

cdef inline int vecs_of(const Product* q, long width) noexcept nogil:
    """Vecs of sums that a row of a tile has, in a panel of `width` groups."""
    return tile_lines(q, lines_of(q, width)) * PIECES


cdef inline long tallest(const Product* q, long width) noexcept nogil:
    """Rows of the product's tallest tile."""
    return tile_rows(q.depth, vecs_of(q, width))


cdef long product_parts(const Product* q, long width) noexcept nogil:
    """The parts of a product's panel that threads can share: one a tallest tile; the last takes what is left."""
    return max(1, q.depth // tallest(q, width)) if q.g1 > q.g0 else 0


cdef long panel_parts(const recurrence_t* r, int k, long width) noexcept nogil:
    cdef long n = 0
    cdef int m
    for m in range(2 + r.cell.form[k].feeds):
        n += product_parts(&r.product[k][m], width)
    return n


cdef long stage_parts(const recurrence_t* r, int k) noexcept nogil:
    cdef int blocks = r.cell.form[k].last - r.cell.form[k].first
    cdef long n = 0, i
    for i in range(panels(r.groups, blocks)):
        n += panel_parts(r, k, panel_start(i + 1, r.groups, blocks) - panel_start(i, r.groups, blocks))
    return n


cdef long scratch_size(const recurrence_t* r, int k) noexcept nogil:
    """REALs of scratch memory for a stage: the sums of its weight gradients, and copies of their factors."""
    cdef const Product* q
    cdef long sums = 0, row = WIDEST * LINE
    cdef int m
    for m in range(2 + r.cell.form[k].feeds):
        q = &r.product[k][m]
        sums += (q.g1 - q.g0) * q.depth * r.pad
        row += q.depth
    return sums + STRETCH * row


cdef struct Share:
    # Parts low .. high - 1 of a stage, numbered over its panels and products, and their thread's scratch memory.
    long low, high
    REAL* scratch


cdef struct Stretch:
    # Rows (t, b) row .. end - 1 of the chunk of steps first .. last - 1.
    long first, last, row, end


cdef void gradient_stretch(const recurrence_t* r, int k, Share share, Stretch at) noexcept nogil:
    """Add a stretch to a share of a stage's weight gradients."""
    cdef const Form* f = &r.cell.form[k]
    cdef const Product* q
    cdef int blocks = f.last - f.first, m, vecs, lines
    cdef int copied[2 + MOST_FEEDS]
    cdef REAL* a[2 + MOST_FEEDS]
    cdef REAL* deltas = share.scratch
    cdef REAL* sums = deltas + STRETCH * WIDEST * LINE
    cdef const REAL* d
    cdef long i, u, width, n, begin, until, parts, size
    cdef bint opens = at.row == at.first * r.B, closes = at.end == at.last * r.B
    for m in range(2 + f.feeds):
        copied[m] = 0
        a[m] = sums
        sums += STRETCH * r.product[k][m].depth
    for i in range(panels(r.groups, blocks)):
        u = panel_start(i, r.groups, blocks)
        width = panel_start(i + 1, r.groups, blocks) - u
        parts = panel_parts(r, k, width)
        if share.high <= 0 or share.low >= parts:
            share.low -= parts
            share.high -= parts
            continue
        n = copy_deltas(deltas, r, f, u, width, at.row, at.end)
        for m in range(2 + f.feeds):
            q = &r.product[k][m]
            if q.g1 == q.g0:
                continue
            parts = product_parts(q, width)
            if share.low < parts and share.high > 0:
                begin = max(share.low, 0) * tallest(q, width)
                until = q.depth if share.high >= parts else share.high * tallest(q, width)
                vecs, lines = vecs_of(q, width), lines_of(q, width)
                if copied[m] != vecs:
                    copy_factor(a[m], q, r, at.row, at.end, n, vecs)
                    copied[m] = vecs
                size = (until - begin) * lines * LINE
                if opens:
                    memset(sums, 0, size * sizeof(REAL))
                d = deltas + (q.g0 - f.first) * width * STRETCH * LINE
                outer(q, lines, Outer(0, sums, a[m] + begin * n, d, n), until - begin)
                if closes:
                    add_sums(q, r, u, width, sums, begin, until)
                    if m == 1 and k == 0:
                        peephole_gradients(r, u, width, at.first, at.last)
                if not (opens and closes):
                    sums += size
            share.low -= parts
            share.high -= parts


cdef void gradient_stage(const recurrence_t* r, int k, Share share) noexcept nogil:
    """Add a share of a stage's weight gradients over the steps t0 .. t1 - 1, chunk by chunk in the order of BPTT."""
    cdef long chunks = (r.t1 - 1) // CHUNK - r.t0 // CHUNK + 1, i, c, first, last, row
    for i in range(chunks):
        c = r.t0 // CHUNK + (i if r.reverse else chunks - 1 - i)
        first, last = max(c * CHUNK, r.t0), min((c + 1) * CHUNK, r.t1)
        row = first * r.B
        while row < last * r.B:
            gradient_stretch(r, k, share, Stretch(first, last, row, min(row + STRETCH, last * r.B)))
            row += STRETCH


cdef void gradient_share(recurrence_t** all, int count, long share, long shares, REAL* scratch) noexcept nogil:
    """Add one of `shares` equal shares of the parts of all weight gradients, numbered over recurrences, stages, panels, products."""
    cdef long parts = 0, start = 0, low, high
    cdef int d, k
    cdef mode saved = enter_mode()
    for d in range(count):
        for k in range(all[d].cell.stages):
            parts += stage_parts(all[d], k)
    low, high = parts * share // shares, parts * (share + 1) // shares
    for d in range(count):
        for k in range(all[d].cell.stages):
            parts = stage_parts(all[d], k)
            if low < start + parts and high > start:
                gradient_stage(all[d], k, Share(low - start, high - start, scratch))
            start += parts
    leave_mode(saved)
