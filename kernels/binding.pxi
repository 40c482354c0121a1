# What a recurrence is bound to: its memory, its weights, a batch, and the arrays that it reads and writes. Included by timeloop.pyx.

cdef REAL ONE = 1


cdef inline REAL* carve(size_t* at, long n) noexcept nogil:
    """The next n REALs of a buffer, from a multiple of 64 bytes on. Sizes are measured with an `at` that starts at 0."""
    cdef size_t start = (at[0] + GAP + 63) & ~(<size_t> 63)
    allow(start, n * sizeof(REAL))
    at[0] = start + n * sizeof(REAL)
    return <REAL*> start


cdef void lay_out(recurrence_t* r, size_t* at, long rows) noexcept nogil:
    """Place everything in a buffer, for batches of up to `rows` rows."""
    cdef const Form* f = &r.cell.form[0]
    cdef long span = r.slots - 1, columns = (r.I + LINE - 1) // LINE * LINE, n
    cdef int k, s
    r.states = carve(at, f.states * r.slots * rows * r.pad)
    r.gates = carve(at, span * r.groups * rows * f.blocks * LINE)
    r.bias = carve(at, r.groups * f.blocks * LINE)
    r.p = carve(at, f.peepholes * r.pad)
    r.carry = carve(at, f.states * rows * r.pad)
    r.total = carve(at, f.states * rows * r.pad)
    r.operands = carve(at, f.operands * span * rows * r.pad)
    r.doperand = carve(at, f.operands * rows * r.pad)
    r.ddirect = carve(at, f.direct * rows * r.pad)
    r.fed = 0
    for k in range(f.stages):
        f = &r.cell.form[k]
        r.fed += f.w1 - f.w0
        r.W[k] = carve(at, (f.w1 - f.w0) * r.I * r.pad)
        for s in range(f.feeds):
            n = (f.feed[s].last - f.feed[s].first) * r.H * r.pad
            r.U[k][s] = carve(at, n)
            r.UT[k][s] = carve(at, n)
    r.WT = carve(at, r.fed * r.H * columns)
    n = count_weights(r) if r.spread else 0
    r.derived = carve(at, n)
    r.dderived = carve(at, n)


cdef void bind_batch(recurrence_t* r, long T, long B, const REAL* x, const uint16_t* symbols, const int* lengths) noexcept nogil:
    """Read x (T, B, I), whose rows have these lengths, and these symbols where it is one-hot (NULL: it can be anything)."""
    cdef long b
    r.T, r.B, r.x, r.symbols, r.lengths, r.shortest = T, B, x, symbols, lengths, T
    for b in range(B):
        r.shortest = min(r.shortest, lengths[b])
    r.prepared = r.shortest if B < FEW and r.I >= WIDE and not symbols else 0


cdef void bind_weights(recurrence_t* r, REAL* grad) noexcept nogil:
    """Add the gradients of W, U, R, b, p to `grad`, in which they lie in this order, or keep them for `fold_gradients`."""
    cdef const Form* f
    cdef REAL* w = grad
    cdef REAL* u
    cdef int k, s, n
    if r.spread:
        w = r.dderived
        memset(w, 0, count_weights(r) * sizeof(REAL))
    u = w + r.fed * r.I * r.H
    for k in range(r.cell.stages):
        f = &r.cell.form[k]
        r.product[k][0] = Product(NULL, r.I, r.I, w, f.w0, f.w1)
        w += (f.w1 - f.w0) * r.I * r.H
        for s in range(f.feeds):
            n = f.feed[s].last - f.feed[s].first
            r.product[k][2 + s] = Product(NULL, r.pad, r.H, u, f.feed[s].first, f.feed[s].last)
            u += n * r.H * r.H
    for k in range(r.cell.stages):
        f = &r.cell.form[k]
        r.product[k][1] = Product(&ONE, 0, 1, u, f.b0, f.b1)
        u += (f.b1 - f.b0) * r.H
    r.dp = u


cdef const REAL* pack_bias(recurrence_t* r, const REAL* b) noexcept nogil:
    """Copy the biases b to (group, block, L), with +0 for -0 and for blocks without one; return what lies behind them."""
    cdef const Form* f = &r.cell.form[0]
    cdef long u, step = f.blocks * LINE, i
    cdef int k, g
    memset(r.bias, 0, r.groups * step * sizeof(REAL))
    for k in range(f.stages):
        for g in range(r.cell.form[k].b0, r.cell.form[k].b1):
            for u in range(r.groups):
                pack_line(r.bias + u * step + g * LINE, Block(b + u * LINE, r.H, r.H - u * LINE, step), 1)
            b += r.H
    for i in range(r.groups * step // LANES):       # a sum that starts from +0 stays +0, whether products of 0 are added or left out
        store(r.bias + i * LANES, load(r.bias + i * LANES) + zero())
    return b


cdef void pack_weights(recurrence_t* r, const REAL* theta, bint transposed) noexcept nogil:
    """Copy the weights W, U, R, b, p with which theta begins, or that follow from it; then, `transposed`, what only the backward pass needs."""
    cdef const Form* f
    cdef const REAL* w = theta
    cdef const REAL* u
    cdef int k, s, n, blocks
    if r.spread:
        w = r.derived if transposed else derive_weights(r, theta)
    u = w + r.fed * r.I * r.H
    if transposed and r.dx:
        pack_transposed(r.WT, w, r.I, r.H, r.fed)
    for k in range(r.cell.stages):
        f = &r.cell.form[k]
        blocks = f.last - f.first
        if not transposed:
            pack(r.W[k], w, r.I, r.H, f.w1 - f.w0, blocks)
        w += (f.w1 - f.w0) * r.I * r.H
        for s in range(f.feeds):
            n = f.feed[s].last - f.feed[s].first
            if transposed:
                pack_transposed(r.UT[k][s], u, r.H, r.H, n)
            else:
                pack(r.U[k][s], u, r.H, r.H, n, blocks)
            u += n * r.H * r.H
    if not transposed:
        u = pack_bias(r, u)
        for k in range(r.cell.form[0].peepholes):
            pack(r.p + k * r.pad, u + k * r.H, 1, r.H, 1, 1)


cdef void aim(recurrence_t* r, long t0, long t1) noexcept nogil:
    """Let the next pass run over the steps t0 .. t1 - 1, which are on the tape."""
    cdef int k, s
    r.t0, r.t1 = t0, t1
    for k in range(r.cell.stages):
        r.product[k][0].a = r.x + r.start * r.B * r.I
        for s in range(r.cell.form[k].feeds):
            r.product[k][2 + s].a = source_at(r, r.cell.form[k].feed[s].source, r.start, 0)


cdef inline long border(const recurrence_t* r, bint last) noexcept nogil:
    """The slot before the tape's first step, or after its last one."""
    return r.end - r.start if last != r.reverse else 0
