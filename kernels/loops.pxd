"""Forward and backpropagation through time for one slice of the batch, in one direction.

Rows that have ended are never operands: the loops go over runs of rows that are still alive.
"""
from libc.string cimport memcpy, memset

from kernels.lanes cimport REAL, mode, enter_mode, leave_mode
from kernels.job cimport Form, Job, Row
from kernels.tile cimport Run, alive, transposed_rows, state_at, slot_before, slot_after
from kernels.sums cimport norm


cdef inline void hold(const Run* r, int states, long t, long b) noexcept nogil:
    """A row past its end keeps its states, and its output is 0."""
    cdef int s
    for s in range(states):
        memcpy(state_at(r, s, slot_after(r, t), b), state_at(r, s, slot_before(r, t), b), r.pad * sizeof(REAL))
    if r.y:
        memset(r.y + (t * r.B + b) * r.ldy, 0, r.H * sizeof(REAL))


cdef inline void forward_slice(const Job* job, long b0, long b1) noexcept nogil:
    cdef const Run* r = &job.run
    cdef const Row* row = job.row
    cdef long i, t, b, n
    cdef int k
    cdef mode saved = enter_mode()
    for i in range(job.t1 - job.t0):
        t = job.t1 - 1 - i if r.reverse else job.t0 + i
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


cdef inline void backward_run(const Row* row, const Run* r, long t, long b, long n) noexcept nogil:
    """BPTT through step t for n rows from b that are alive at it."""
    cdef const Form* f
    cdef long i
    cdef int k, s
    for k in range(row.stages - 1, -1, -1):
        f = &row.form[k]
        row.backward[k](r, t, b, n)
        if k:
            transposed_rows(False, r.doperand + b * r.pad, r.pad, r.H, r.pad, r,
                            f.blocks, f.u0, f.u1, r.UT[k], t, b, n)
        elif f.u1 > f.u0 and not r.truncated:
            transposed_rows(True, r.carry + b * r.pad, r.pad, r.H, r.pad, r, f.blocks, f.u0, f.u1, r.UT[k], t, b, n)
    f = &row.form[row.stages - 1]
    if r.dx:
        transposed_rows(False, r.dx + (t * r.B + b) * r.I, r.I, r.I, r.I, r, f.blocks, row.form[0].w0, f.w1, r.WT,
                        t, b, n)
    if r.norms:
        for s in range(f.states):
            for i in range(b, b + n):
                r.norms[(s * r.T + t) * r.B + i] = norm(r.total + (s * r.B + i) * r.pad, r.H)


cdef inline void backward_slice(const Job* job, long b0, long b1) noexcept nogil:
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
