# One step of a cell at each place (t, b), from states that other parts of a net give: a module of a compiled net, for grids whose
# states go through layers as well as through time. Included by timeloop.pyx.
#
# Design. All places of CHUNK steps are the rows of one batch of one step, so the tiles are full and the sums of weight gradients have
# the chunks that those of a layer have. The recurrence has the memory of one chunk; the tape of all chunks lies beside it.

cdef struct Deep:
    # x and the states h and c of before; y, which is h, and c of after. c NULL: 0.
    recurrence_t* r
    const Port* x
    const Port* h
    const Port* c
    const Port* y
    const Port* after
    long at                     # where its weights begin in theta
    long pace                   # steps between two looks at whether to give up
    REAL* tape
    int* ones                   # the lengths of all rows
    REAL* scratch


cdef long tape_of_chunk(const recurrence_t* r, long rows) noexcept nogil:
    """REALs on the tape of a chunk of up to `rows` places: two slots of states, gates and operands of one step."""
    cdef const Form* f = &r.cell.form[0]
    return (2 * f.states + f.blocks + f.operands) * rows * r.pad


cdef long aim_at_chunk(const Deep* m, const Batch* batch, long t, REAL* grad) noexcept nogil:
    """Bind the recurrence to the steps from t on, and return the first of their places; `grad` is NULL in the forward pass."""
    cdef recurrence_t* r = m.r
    cdef const Form* f = &r.cell.form[0]
    cdef long first = t * batch.B, rows = CHUNK * batch.B
    bind_batch(r, 1, min(rows, batch.T * batch.B - first), m.x.value + first * r.I, NULL, m.ones)
    r.states = m.tape + t // CHUNK * tape_of_chunk(r, rows)
    r.gates = r.states + 2 * f.states * rows * r.pad
    r.operands = r.gates + f.blocks * rows * r.pad
    r.start, r.end = 0, 1
    r.y, r.ldy, r.dy, r.lddy = m.y.value + first * r.H, r.H, m.y.gradient + first * r.H, r.H
    if grad:
        r.dx, r.norms, r.truncated = m.x.gradient + first * r.I, NULL, False
        bind_weights(r, grad + m.at)
    aim(r, 0, 1)
    return first


cdef void rows_in(const recurrence_t* r, REAL* to, const REAL* rows) noexcept nogil:
    """Copy (B, H) to (B, pad); NULL stands for 0."""
    cdef long b
    memset(to, 0, r.B * r.pad * sizeof(REAL))
    if rows:
        for b in range(r.B):
            memcpy(to + b * r.pad, rows + b * r.H, r.H * sizeof(REAL))


cdef void rows_out(const recurrence_t* r, REAL* rows, const REAL* source) noexcept nogil:
    """Copy (B, pad) to (B, H)."""
    cdef long b
    for b in range(r.B):
        memcpy(rows + b * r.H, source + b * r.pad, r.H * sizeof(REAL))


cdef bint deep_forward(void* self, const Batch* batch, const REAL* theta) noexcept nogil:
    cdef const Deep* m = <const Deep*> self
    cdef recurrence_t* r = m.r
    cdef long t = 0, first
    pack_weights(r, theta + m.at, False)
    while t < batch.T:
        if t and t % m.pace == 0 and batch.interrupted():
            return False
        first = aim_at_chunk(m, batch, t, NULL)
        rows_in(r, state_at(r, 0, 0, 0), m.h.value + first * r.H)
        rows_in(r, state_at(r, 1, 0, 0), m.c.value + first * r.H if m.c else NULL)
        forward_slice(r, 0, r.B)
        rows_out(r, m.after.value + first * r.H, state_at(r, 1, 1, 0))
        t += CHUNK
    return True


cdef bint deep_backward(void* self, const Batch* batch, const REAL* theta, REAL* grad) noexcept nogil:
    cdef const Deep* m = <const Deep*> self
    cdef recurrence_t* r = m.r
    cdef long t = (batch.T - 1) // CHUNK * CHUNK, first
    cdef REAL* dc
    r.dx = m.x.gradient
    pack_weights(r, theta + m.at, True)
    while t >= 0:
        first = aim_at_chunk(m, batch, t, grad)
        dc = r.carry + r.B * r.pad
        memset(r.carry, 0, r.B * r.pad * sizeof(REAL))
        rows_in(r, dc, m.after.gradient + first * r.H)
        backward_slice(r, 0, r.B)
        gradient_share(&r, 1, 0, 1, m.scratch)
        rows_out(r, m.h.gradient + first * r.H, r.carry)
        if m.c:
            rows_out(r, m.c.gradient + first * r.H, dc)
        if t % m.pace == 0 and t and batch.interrupted():
            return False
        t -= CHUNK
    return True
