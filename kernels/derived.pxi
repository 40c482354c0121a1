# The weights of the time loop where they are not the layer's parameters, but follow from them. Included by timeloop.pyx.
#
# Two things make them: memory cell blocks, whose gates have one column for several cells, and a cell's own parameters, of which its
# diagonal weights and scales of blocks of W are functions (`derive` in the cell's file). `spread` says of which parameter each weight
# is a copy: -1 for 0 and for diagonal weights that `derive` sets. The loop runs as ever; its gradients are folded back at the end.

cdef long count_weights(const recurrence_t* r) noexcept nogil:
    """How many weights the time loop has: W, U, R, b, p."""
    cdef const Form* f
    cdef long n = r.cell.form[0].peepholes * r.H
    cdef int k, s
    for k in range(r.cell.stages):
        f = &r.cell.form[k]
        n += (f.w1 - f.w0) * r.I * r.H + (f.b1 - f.b0) * r.H
        for s in range(f.feeds):
            n += (f.feed[s].last - f.feed[s].first) * r.H * r.H
    return n


cdef inline void scale_columns(REAL* w, vec by, const recurrence_t* r, long left) noexcept nogil:
    """Multiply a vec of units of a block of W."""
    cdef long i
    for i in range(r.I):
        store_part(w + i * r.H, load_part(w + i * r.H, left) * by, left)


cdef inline vec dot_columns(const REAL* w, const REAL* d, const recurrence_t* r, long left) noexcept nogil:
    """The sum over inputs of w d, for a vec of units of a block of W."""
    cdef vec acc = zero()
    cdef long i
    for i in range(r.I):
        acc = fma(load_part(w + i * r.H, left), load_part(d + i * r.H, left), acc)
    return acc


cdef const REAL* derive_weights(recurrence_t* r, const REAL* theta) noexcept nogil:
    """Compute the weights of the time loop from the parameters with which theta begins."""
    cdef long n = count_weights(r), i, j
    cdef long before = n - r.cell.form[0].peepholes * r.H       # parameters, and weights, before the diagonal ones
    cdef REAL* p = r.derived + before
    cdef const REAL* own = theta + before
    cdef vec scale[MOST_BLOCKS]
    cdef vec given[MOST_BLOCKS]
    cdef vec made[MOST_BLOCKS]
    cdef mode saved = enter_mode()
    cdef int k
    for i in range(n):
        r.derived[i] = theta[r.spread[i]] if r.spread[i] >= 0 else 0
    if r.cell.derive:
        for i in range((r.H + LANES - 1) // LANES):
            j = i * LANES
            for k in range(r.cell.own):
                given[k] = load_part(own + k * r.H + j, r.H - j)
            for k in range(r.fed):
                scale[k] = splat(1)
            r.cell.derive(given, made, scale)
            for k in range(r.cell.form[0].peepholes):
                store_part(p + k * r.H + j, made[k], r.H - j)
            for k in range(r.fed):
                scale_columns(r.derived + k * r.I * r.H + j, scale[k], r, r.H - j)
    leave_mode(saved)
    return r.derived


cdef void derive_back(const recurrence_t* r, const REAL* theta, REAL* grad) noexcept nogil:
    """Add the gradient of the cell's own parameters to grad, and let r.dderived be with respect to W before it was scaled."""
    cdef long at = count_weights(r) - r.cell.form[0].peepholes * r.H, i, j, left
    cdef vec own[MOST_BLOCKS]
    cdef vec p[MOST_BLOCKS]
    cdef vec dp[MOST_BLOCKS]
    cdef vec scale[MOST_BLOCKS]
    cdef vec dscale[MOST_BLOCKS]
    cdef REAL* out
    cdef int k
    for i in range((r.H + LANES - 1) // LANES):
        j = i * LANES
        left = r.H - j
        for k in range(r.cell.own):
            own[k] = load_part(theta + at + k * r.H + j, left)
        for k in range(r.fed):
            scale[k] = splat(1)
            dscale[k] = dot_columns(theta + k * r.I * r.H + j, r.dderived + k * r.I * r.H + j, r, left)
        for k in range(r.cell.form[0].peepholes):
            dp[k] = load_part(r.dderived + at + k * r.H + j, left)
        r.cell.derive(own, p, scale)
        for k in range(r.fed):
            scale_columns(r.dderived + k * r.I * r.H + j, scale[k], r, left)
        r.cell.derive_back(own, p, dp, dscale, scale)
        for k in range(r.cell.own):
            out = grad + at + k * r.H + j
            store_part(out, load_part(out, left) + scale[k], left)


cdef void fold_gradients(const recurrence_t* r, const REAL* theta, REAL* grad) noexcept nogil:
    """Add the gradients of the time loop's weights to those of the parameters, in the order of the weights; once, after the last step."""
    cdef long n, i
    cdef mode saved
    if not r.spread:
        return
    saved, n = enter_mode(), count_weights(r)
    if r.cell.derive:
        derive_back(r, theta, grad)
    for i in range(n):
        if r.spread[i] >= 0:
            grad[r.spread[i]] += r.dderived[i]
    leave_mode(saved)
