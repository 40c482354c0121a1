# The loops over time, for a slice of the batch in one direction. Included by timeloop.pyx.

cdef void hold(const recurrence_t* r, long t, long b) noexcept nogil:
    """A row past its end keeps its states, and its y is 0."""
    cdef int s
    for s in range(r.cell.form[0].states):
        memcpy(state_at(r, s, slot_after(r, t), b), state_at(r, s, slot_before(r, t), b), r.pad * sizeof(REAL))
    if r.y:
        memset(r.y + (t * r.B + b) * r.ldy, 0, r.H * sizeof(REAL))


cdef int sum_lines_once(Lines* lines, const Form* f, const recurrence_t* r, Place at, long m, long n) noexcept nogil:
    """sum_lines, compiled once for all cells. Where registers are narrow, this is most of the code."""
    return sum_lines(lines, f, r, at, m, n)


cdef bint one_by_one(const recurrence_t* r) noexcept nogil:
    """Whether each row goes through all steps by itself."""
    return r.B < FEW and width_of(r.H) >= 0


cdef void forward_alone(const recurrence_t* r, long row, long t0, long t1) noexcept nogil:
    """Forward for one row and the steps t0 .. t1 - 1."""
    cdef long end = max(t0, min(t1, r.lengths[row])), t
    if r.reverse:
        for t in range(t1 - 1, end - 1, -1):
            hold(r, t, row)
    r.cell.forward_row[width_of(r.H)](r, Steps(row, t0, end))
    if not r.reverse:
        for t in range(end, t1):
            hold(r, t, row)


cdef void forward_step(const recurrence_t* r, long t, long b0, long b1) noexcept nogil:
    """Forward for the rows b0 .. b1 - 1 at step t."""
    cdef long b = b0, n
    cdef int k
    while b < b1:
        n = alive(r, t, b, b1)
        if n:
            for k in range(r.cell.stages):
                r.cell.forward[k](r, t, b, n)
        b += n
        if b < b1:
            hold(r, t, b)
            b += 1


cdef void forward_slice(const recurrence_t* r, long b0, long b1) noexcept nogil:
    cdef long done = 0, n, first, b, i
    cdef int k
    cdef mode saved = enter_mode()
    while done < r.t1 - r.t0:
        n = min(CHUNK, r.t1 - r.t0 - done)
        first = r.t1 - done - n if r.reverse else r.t0 + done
        for k in range(r.cell.stages):
            inputs_ahead(r, &r.cell.form[k], first, min(first + n, r.prepared))
        if one_by_one(r):
            for b in range(b0, b1):
                forward_alone(r, b, first, first + n)
        else:
            for i in range(n):
                forward_step(r, first + n - 1 - i if r.reverse else first + i, b0, b1)
        done += n
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
            if p.source >= NEW:
                to = r.carry + ((p.source - NEW) * r.B + b) * r.pad
            elif p.source >= OPERAND:
                to = r.doperand + ((p.source - OPERAND) * r.B + b) * r.pad
            elif r.truncated:
                continue
            else:
                to = r.carry + (p.source * r.B + b) * r.pad
            q = Transposed(p.source < OPERAND or p.source >= NEW, to, r.pad, r.H, r.pad, p.first, p.last, r.UT[k][s])
            carry_back(&q, r, t, b, n)
    if r.dx:
        inputs_back(r, t, b, n)
    if r.norms:
        for s in range(r.cell.form[0].states):
            for i in range(b, b + n):
                r.norms[(s * r.T + t) * r.B + i] = norm(r.total + (s * r.B + i) * r.pad, r.H)


cdef void backward_alone(const recurrence_t* r, long row) noexcept nogil:
    """BPTT for one row."""
    cdef long end = max(r.t0, min(r.t1, r.lengths[row])), t
    r.cell.backward_row[width_of(r.H)](r, Steps(row, r.t0, end))
    if r.dx:
        for t in range(r.t0, end):
            if r.cell.form[0].direct:
                memcpy(r.ddirect + row * r.pad, r.dx + (t * r.B + row) * r.I, r.I * sizeof(REAL))
            inputs_back(r, t, row, 1)
        for t in range(end, r.t1):
            memset(r.dx + (t * r.B + row) * r.I, 0, r.I * sizeof(REAL))


cdef void backward_slice(const recurrence_t* r, long b0, long b1) noexcept nogil:
    cdef long i, t, b, n
    cdef long steps = r.t1 - r.t0
    cdef mode saved = enter_mode()
    if one_by_one(r):
        steps = 0
        for b in range(b0, b1):
            backward_alone(r, b)
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
