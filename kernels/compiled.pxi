# A recurrence as a module of a compiled net (module.pxd), on one thread. Included by timeloop.pyx.

cdef struct Compiled:
    # The recurrence between two ports. It writes the columns of y from `column` on.
    recurrence_t* r
    const Port* x
    const Port* y
    long at, column             # where its weights begin in theta; in y
    long pace                   # steps between two looks at whether to give up
    bint truncated
    REAL* scratch


cdef bint compiled_forward(void* self, const Batch* batch, const REAL* theta) noexcept nogil:
    cdef const Compiled* m = <const Compiled*> self
    cdef recurrence_t* r = m.r
    cdef long n = 0, row = r.pad * sizeof(REAL)
    cdef int s
    bind_batch(r, batch.T, batch.B, m.x.value, m.x.symbols, batch.lengths)
    r.y, r.ldy = m.y.value + m.column, m.y.width
    r.start, r.end = 0, r.T
    pack_weights(r, theta + m.at, False)
    for s in range(r.cell.form[0].states):
        memset(state_at(r, s, border(r, False), 0), 0, r.B * row)
    while n < r.T:
        if n and batch.interrupted():
            return False
        aim_after(r, n, m.pace, r.reverse)
        forward_slice(r, 0, r.B)
        n += m.pace
    return True


cdef bint compiled_backward(void* self, const Batch* batch, const REAL* theta, REAL* grad) noexcept nogil:
    cdef const Compiled* m = <const Compiled*> self
    cdef recurrence_t* r = m.r
    cdef long n = 0
    r.dy, r.lddy, r.dx, r.norms, r.truncated = m.y.gradient + m.column, m.y.width, m.x.gradient, NULL, m.truncated
    bind_weights(r, grad + m.at)
    pack_weights(r, theta + m.at, True)
    memset(r.carry, 0, r.cell.form[0].states * r.B * r.pad * sizeof(REAL))
    while n < r.T:
        if n and batch.interrupted():
            return False
        aim_after(r, n, m.pace, not r.reverse)
        backward_slice(r, 0, r.B)
        gradient_share(&r, 1, 0, 1, m.scratch)
        n += m.pace
    fold_gradients(r, theta + m.at, grad + m.at)
    return True


cdef void aim_after(recurrence_t* r, long n, long pace, bint descending) noexcept nogil:
    """Aim at up to `pace` steps, when n have been done: of ranges that start at multiples of `pace`, from either end."""
    cdef long last = (r.T - 1) // pace * pace
    cdef long t = last - n if descending else n
    aim(r, t, min(t + pace, r.T))
