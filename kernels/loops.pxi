# The loops over time, for a slice of the batch in one direction. Included by timeloop.pyx.

cdef void hold(const recurrence_t* r, long t, long b) noexcept nogil:
    """A row past its end keeps its states, and its y is 0."""
    cdef int s
    for s in range(r.cell.form[0].states):
        memcpy(state_at(r, s, slot_after(r, t), b), state_at(r, s, slot_before(r, t), b), r.pad * sizeof(REAL))
    if r.y:
        memset(r.y + (t * r.B + b) * r.ldy, 0, r.H * sizeof(REAL))


cdef bint one_by_one(const recurrence_t* r) noexcept nogil:
    """Whether each row goes through all steps by itself."""
    return r.B < FEW and width_of(r.H) >= 0


cdef Steps alive_steps(const recurrence_t* r, long row) noexcept nogil:
    """The steps of the call in progress that lie within a row's length."""
    return Steps(row, min(r.t0, r.lengths[row]), min(r.t1, r.lengths[row]))


cdef void forward_alone(const recurrence_t* r, long b0, long b1) noexcept nogil:
    """Forward for rows b0 .. b1 - 1, one after the other."""
    cdef long b, t
    cdef Steps q
    for b in range(b0, b1):
        q = alive_steps(r, b)
        if r.reverse:
            for t in range(r.t1 - 1, max(q.t1, r.t0) - 1, -1):
                hold(r, t, b)
        r.cell.forward_row[width_of(r.H)](r, q)
        if not r.reverse:
            for t in range(max(q.t1, r.t0), r.t1):
                hold(r, t, b)


cdef void forward_slice(const recurrence_t* r, long b0, long b1) noexcept nogil:
    cdef const Kernel* cell = r.cell
    cdef long steps = r.t1 - r.t0, i, t, b, n, first
    cdef int k
    cdef mode saved = enter_mode()
    if one_by_one(r):
        forward_alone(r, b0, b1)
        steps = 0
    for i in range(steps):
        t = r.t1 - 1 - i if r.reverse else r.t0 + i
        if i % CHUNK == 0:
            n = min(CHUNK, steps - i)
            first = t + 1 - n if r.reverse else t
            for k in range(cell.stages):
                inputs_ahead(r, &cell.form[k], first, min(first + n, r.prepared))
        b = b0
        while b < b1:
            n = alive(r, t, b, b1)
            if n:
                for k in range(cell.stages):
                    cell.forward[k](r, t, b, n)
            b += n
            if b < b1:
                hold(r, t, b)
                b += 1
    leave_mode(saved)


cdef void carry_back(const Transposed* q, const recurrence_t* r, long t, long b, long n) noexcept nogil:
    """transposed_rows, compiled once."""
    transposed_rows(q, r, t, b, n)


cdef void inputs_back(const recurrence_t* r, long t, long b, long n) noexcept nogil:
    """dx of step t for n rows from b: the deltas through W, and what the equations themselves send to x."""
    cdef int w0 = r.cell.form[0].w0, w1 = r.cell.form[r.cell.stages - 1].w1
    cdef REAL* dx = r.dx + (t * r.B + b) * r.I
    cdef REAL* direct = r.ddirect + b * r.pad
    cdef Transposed q = Transposed(False, dx, r.I, r.I, r.I, w0, w1, r.WT)
    cdef long i
    if not r.cell.form[0].direct:
        carry_back(&q, r, t, b, n)
        return
    q = Transposed(True, direct, r.pad, r.I, r.pad, w0, w1, r.WT)
    carry_back(&q, r, t, b, n)
    for i in range(n):
        memcpy(dx + i * r.I, direct + i * r.pad, r.I * sizeof(REAL))


cdef void backward_run(const recurrence_t* r, long t, long b, long n) noexcept nogil:
    """BPTT through step t for n rows from b that are alive at it."""
    cdef const Form* f
    cdef const Feed* p
    cdef Transposed q
    cdef REAL* to
    cdef long i
    cdef int k, s
    for k in range(r.cell.stages - 1, -1, -1):
        f = &r.cell.form[k]
        r.cell.backward[k](r, t, b, n)
        for s in range(f.feeds):
            p = &f.feed[s]
            if p.source >= OPERAND:
                to = r.doperand + ((p.source - OPERAND) * r.B + b) * r.pad
            elif r.truncated:
                continue
            else:
                to = r.carry + (p.source * r.B + b) * r.pad
            q = Transposed(p.source < OPERAND, to, r.pad, r.H, r.pad, p.first, p.last, r.UT[k][s])
            carry_back(&q, r, t, b, n)
    if r.dx:
        inputs_back(r, t, b, n)
    if r.norms:
        for s in range(r.cell.form[0].states):
            for i in range(b, b + n):
                r.norms[(s * r.T + t) * r.B + i] = norm(r.total + (s * r.B + i) * r.pad, r.H)


cdef void backward_alone(const recurrence_t* r, long b0, long b1) noexcept nogil:
    """BPTT for rows b0 .. b1 - 1, one after the other."""
    cdef long b, t
    cdef Steps q
    for b in range(b0, b1):
        q = alive_steps(r, b)
        r.cell.backward_row[width_of(r.H)](r, q)
        if r.dx:
            for t in range(q.t0, q.t1):
                if r.cell.form[0].direct:
                    memcpy(r.ddirect + b * r.pad, r.dx + (t * r.B + b) * r.I, r.I * sizeof(REAL))
                inputs_back(r, t, b, 1)
            for t in range(max(q.t1, r.t0), r.t1):
                memset(r.dx + (t * r.B + b) * r.I, 0, r.I * sizeof(REAL))


cdef void backward_slice(const recurrence_t* r, long b0, long b1) noexcept nogil:
    cdef long i, t, b, n
    cdef long steps = r.t1 - r.t0
    cdef mode saved = enter_mode()
    if one_by_one(r):
        backward_alone(r, b0, b1)
        steps = 0
    for i in range(steps):
        t = r.t0 + i if r.reverse else r.t1 - 1 - i
        b = b0
        while b < b1:
            n = alive(r, t, b, b1)
            if n:
                backward_run(r, t, b, n)
            b += n
            if b < b1:
                if r.dx:
                    memset(r.dx + (t * r.B + b) * r.I, 0, r.I * sizeof(REAL))
                b += 1
    leave_mode(saved)
