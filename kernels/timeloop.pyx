"""The time loop: forward and backpropagation through time for every cell of TABLE, over tiles of rows.

Design. A thread owns a slice of the batch, in one direction, for all of time: no barrier between steps. Weight
gradients follow as products, whose panels the threads share. The loop knows blocks and states by number only; the
equations know nothing else. Rows that have ended are never operands: the loop goes over runs of rows still alive.
"""
cimport numpy as cnp
from cython.parallel cimport parallel, prange
from libc.string cimport memcpy, memset

import numpy as np

from kernels.cell import describe

from kernels.gradient cimport CHUNK, STRETCH, add_sums, copy_deltas, copy_factor, diagonal, lines_of, outer, together
from kernels.inputs cimport FEW, WIDE, inputs_ahead
from kernels.job cimport Job, Peephole, Product, Row, Step
from kernels.lanes cimport REAL, LINE, PIECES, mode, enter_mode, leave_mode
from kernels.panel cimport WIDEST, pack, pack_transposed, panel_start, panels, tile_rows
from kernels.sums cimport norm
from kernels.tile cimport (MOST_BLOCKS, MOST_FEEDS, MOST_STAGES, MOST_STATES, OPERAND, Feed, Form, Run, alive,
                           backward_rows, forward_rows, slot_after, slot_before, source_at, state_at, transposed_rows)

cdef extern from "gaps.h" nogil:
    enum: GAP                                       # bytes in front of each region of a buffer
    void forbid(size_t start, size_t bytes)         # the address sanitizer reports every access to these bytes
    void allow(size_t start, size_t bytes)

cnp.import_array()

DTYPE = np.dtype(np.float32 if sizeof(REAL) == 4 else np.float64)
SEGMENT = CHUNK                 # steps; passes over ranges that begin at multiples of it add up to the same bits
ROWS = []                       # Cell of each row of TABLE
INDEX = {}                      # its number, by name

cdef enum: MOST_ROWS = 32
cdef Row TABLE[MOST_ROWS]


# Forms, from simple ones. The first: a cell of one stage, all of whose blocks W feeds, without recurrent weights.
cdef inline Form bare(int blocks, int states, int peepholes) noexcept nogil:
    cdef Form f
    cdef int k
    for k in range(MOST_FEEDS):
        f.feed[k] = Feed(0, 0, 0)
    f.blocks, f.states, f.peepholes, f.operands, f.direct = blocks, states, peepholes, 0, False
    f.stage, f.stages, f.first, f.last = 0, 1, 0, blocks
    f.w0, f.w1, f.feeds = 0, blocks, 0
    return f


cdef inline Form fed(Form f, int w0, int w1) noexcept nogil:
    """W feeds the blocks [w0, w1) only."""
    f.w0, f.w1 = w0, w1
    return f


cdef inline Form times(Form f, int source, int first, int last) noexcept nogil:
    """One more product with recurrent weights: a state of the step before, or OPERAND + an operand, feeds [first, last)."""
    f.feed[f.feeds] = Feed(source, first, last)
    f.feeds += 1
    return f


cdef inline Form part(Form f, int stage, int first, int last, int operands) noexcept nogil:
    """One of two stages, which completes the blocks [first, last); the first makes the operands of the second."""
    f.stage, f.stages, f.first, f.last, f.operands = stage, 2, first, last, operands
    return fed(f, first, last)


cdef inline Form with_x(Form f) noexcept nogil:
    """The cell sees x itself too, unit for unit: behind its states, in prev."""
    f.direct = True
    return f


cdef inline Form whole(int blocks, int states, int peepholes) noexcept nogil:
    """A cell of one stage, all of whose blocks are fed by W and U."""
    return times(bare(blocks, states, peepholes), 0, 0, blocks)


def cell(*args, **names):
    """Begin a row of TABLE."""
    row = describe(*args, **names)
    if len(ROWS) == MOST_ROWS:
        raise ValueError(f"TABLE, {row.name}: there is room for {MOST_ROWS} rows; raise MOST_ROWS")
    for i, (gate, state) in enumerate(zip(row.peepholes, row.reads)):
        TABLE[len(ROWS)].peephole[i] = Peephole(row.blocks.index(gate), row.states.index(state.rstrip("'")), "'" in state)
    INDEX[row.name] = len(ROWS)
    ROWS.append(row)


cdef int stage(Form form, Step forward, Step backward) except -1:
    """Add a stage to the row begun last; ValueError where tiles cannot hold it or its form is not what the row says."""
    cdef Row* row = &TABLE[len(ROWS) - 1]
    cdef int k, s, fed = 0, recurrent = 0, blocks = form.last - form.first
    said = ROWS[len(ROWS) - 1]
    if (row.stages == MOST_STAGES or blocks > WIDEST or form.blocks > MOST_BLOCKS or form.states > MOST_STATES
            or form.operands > MOST_STATES):
        raise ValueError(f"TABLE, {said.name}: a stage that the tiles cannot hold")
    row.form[row.stages] = form
    row.forward[row.stages] = forward
    row.backward[row.stages] = backward
    row.stages += 1
    for k in range(row.stages):
        fed += row.form[k].w1 - row.form[k].w0
        for s in range(row.form[k].feeds):
            recurrent += row.form[k].feed[s].last - row.form[k].feed[s].first
    found = (form.blocks, form.states, form.peepholes, form.direct, fed, recurrent)
    expected = (*map(len, (said.blocks, said.states, said.peepholes)), said.direct, len(said.inputs),
                len(said.recurrent) + len(said.feedback))
    if found[:4] != expected[:4] or (row.stages == form.stages and found != expected):
        raise ValueError(f"TABLE, {said.name}: the row says {expected} of its blocks, states, peepholes, x itself, blocks "
                         f"that W feeds, and that U and R feed; its form has {found}")
    return 0


include "table.pxi"
include "loops.pxi"


# ------------------------------------------------------------------------------------------------------ from Python

cdef inline REAL* data(array) noexcept:
    return <REAL*> cnp.PyArray_DATA(array)


cdef inline REAL* carve(size_t* at, long n) noexcept:
    """The next n REALs, from a multiple of 64 bytes on. Sizes are measured with an `at` that starts at 0."""
    cdef size_t start = (at[0] + GAP + 63) & ~(<size_t> 63)
    allow(start, n * sizeof(REAL))
    at[0] = start + n * sizeof(REAL)
    return <REAL*> start


cdef class Pass:
    """One direction of one call: packed parameters, the tape, and where results go.

    Parameters
    ----------
    cell : str
    reverse : bool
    x : (T, B, I) C-contiguous array of DTYPE
    lengths : (B,) int32 array, and `shortest`, the least of them
    units : int
    span : int
        Steps on the tape.
    take : callable
        ``take(n)`` gives a uint8 array of n bytes, whatever they hold.
    """
    cdef Job job
    cdef size_t fed             # blocks that W feeds
    cdef readonly object buffer
    cdef readonly bint reverse
    cdef object kept

    def __init__(self, str cell, bint reverse, x, lengths, long shortest, long units, long span, take):
        cdef Run* r = &self.job.run
        cdef size_t at = 0
        self.job.row = &TABLE[INDEX[cell]]
        r.T, r.B, r.I = x.shape
        r.H, r.groups = units, (units + LINE - 1) // LINE
        r.pad, r.slots, r.reverse = r.groups * LINE, span + 1, reverse
        self.reverse = reverse
        r.x, r.lengths, r.shortest = data(x), <const int*> cnp.PyArray_DATA(lengths), shortest
        r.prepared = shortest if r.B < FEW and r.I >= WIDE else 0
        self.kept = {"x": x, "lengths": lengths}
        self.lay_out(&at)
        self.buffer = take(at + 64)
        at = <size_t> cnp.PyArray_DATA(self.buffer)
        forbid(at, cnp.PyArray_NBYTES(self.buffer))
        self.lay_out(&at)

    cdef void lay_out(self, size_t* at) noexcept:
        cdef Run* r = &self.job.run
        cdef const Form* f = &self.job.row.form[0]
        cdef long span = r.slots - 1, columns = (r.I + LINE - 1) // LINE * LINE, n
        cdef int k, s
        r.states = carve(at, f.states * r.slots * r.B * r.pad)
        r.gates = carve(at, span * r.groups * r.B * f.blocks * LINE)
        r.bias = carve(at, r.groups * f.blocks * LINE)
        r.p = carve(at, f.peepholes * r.pad)
        r.carry = carve(at, f.states * r.B * r.pad)
        r.total = carve(at, f.states * r.B * r.pad)
        r.operands = carve(at, f.operands * span * r.B * r.pad)
        r.doperand = carve(at, f.operands * r.B * r.pad)
        r.ddirect = carve(at, f.direct * r.B * r.pad)
        self.fed = 0
        for k in range(f.stages):
            f = &self.job.row.form[k]
            self.fed += f.w1 - f.w0
            r.W[k] = carve(at, (f.w1 - f.w0) * r.I * r.pad)
            for s in range(f.feeds):
                n = (f.feed[s].last - f.feed[s].first) * r.H * r.pad
                r.U[k][s] = carve(at, n)
                r.UT[k][s] = carve(at, n)
        r.WT = carve(at, self.fed * r.H * columns)

    def pack(self, theta, long offset, bint transposed):
        """After `aim`, pack W, U, R, b, p as they lie in theta from `offset` on; `transposed`: what only the backward pass needs."""
        cdef Run* r = &self.job.run
        cdef const Form* f
        cdef const REAL* w = data(theta) + offset
        cdef const REAL* u = w + self.fed * r.I * r.H
        cdef const REAL* b
        cdef int k, s, n, blocks
        if transposed and r.dx:
            pack_transposed(r.WT, w, r.I, r.H, <int> self.fed)
        for k in range(self.job.row.stages):
            f = &self.job.row.form[k]
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
        f = &self.job.row.form[0]
        b = u
        if not transposed:
            pack(r.bias, b, 1, r.H, f.blocks, WIDEST)
            for k in range(f.peepholes):
                pack(r.p + k * r.pad, b + (f.blocks + k) * r.H, 1, r.H, 1, 1)

    def aim(self, *, y=None, dy=None, long column=0, dx=None, norms=None, grad=None, long offset=0, bint truncated=False):
        """Where results go and gradients come from; column: where this direction's units begin in y and dy."""
        cdef Run* r = &self.job.run
        cdef const Form* f
        cdef REAL* w
        cdef REAL* u
        cdef int k, s, n
        self.kept.update(y=y, dy=dy, dx=dx, norms=norms, grad=grad)
        r.y = NULL if y is None else data(y) + column
        r.ldy = 0 if y is None else y.shape[2]
        r.dy = NULL if dy is None else data(dy) + column
        r.lddy = 0 if dy is None else dy.shape[2]
        r.dx = NULL if dx is None else data(dx)
        r.norms = NULL if norms is None else <double*> cnp.PyArray_DATA(norms)
        r.truncated = truncated
        if grad is None:
            return
        w = data(grad) + offset
        u = w + self.fed * r.I * r.H
        for k in range(self.job.row.stages):
            f = &self.job.row.form[k]
            self.job.product[k][0] = Product(NULL, r.B * r.I, r.I, r.I, w, f.w0, f.w1)
            w += (f.w1 - f.w0) * r.I * r.H
            for s in range(f.feeds):
                n = f.feed[s].last - f.feed[s].first
                self.job.product[k][2 + s] = Product(NULL, r.B * r.pad, r.pad, r.H, u, f.feed[s].first, f.feed[s].last)
                u += n * r.H * r.H
        for k in range(self.job.row.stages):
            f = &self.job.row.form[k]
            self.job.product[k][1] = Product(&ONE, 0, 0, 1, u, f.first, f.last)
            u += (f.last - f.first) * r.H
        self.job.dp = u

    def begin(self, long t0):
        """The tape holds the steps from t0 on."""
        self.job.run.t0 = t0

    def first_slot(self, long t0, long t1):
        """Where the initial states of the steps t0 .. t1 - 1 lie on a tape that begins at t0."""
        return t1 - t0 if self.job.run.reverse else 0

    def last_slot(self, long t0, long t1):
        return 0 if self.job.run.reverse else t1 - t0

    def put(self, long slot, states):
        """Set the states at a slot of the tape, or the carry (slot -1), from an array (S, B, H) of contiguous rows."""
        cdef Run* r = &self.job.run
        cdef REAL* to
        cdef const char* row
        cdef int s
        cdef long b
        for s in range(self.job.row.form[0].states):
            for b in range(r.B):
                to = self.row_at(s, slot, b)
                row = <const char*> cnp.PyArray_DATA(states) + s * cnp.PyArray_STRIDE(states, 0) + b * cnp.PyArray_STRIDE(states, 1)
                memcpy(to, row, r.H * sizeof(REAL))
                memset(to + r.H, 0, (r.pad - r.H) * sizeof(REAL))

    def get(self, long slot, states):
        """Copy the states at a slot of the tape, or the carry (slot -1), to an array (S, B, H) of contiguous rows."""
        cdef Run* r = &self.job.run
        cdef char* row
        cdef int s
        cdef long b
        for s in range(self.job.row.form[0].states):
            for b in range(r.B):
                row = <char*> cnp.PyArray_DATA(states) + s * cnp.PyArray_STRIDE(states, 0) + b * cnp.PyArray_STRIDE(states, 1)
                memcpy(row, self.row_at(s, slot, b), r.H * sizeof(REAL))

    cdef REAL* row_at(self, int s, long slot, long b) noexcept:
        cdef Run* r = &self.job.run
        return r.carry + (s * r.B + b) * r.pad if slot < 0 else state_at(r, s, slot, b)

    def gates(self):
        """Gate values on the tape as a view (step, group, B, block, LINE)."""
        cdef Run* r = &self.job.run
        at = <size_t> r.gates - <size_t> cnp.PyArray_DATA(self.buffer)
        shape = (r.slots - 1, r.groups, r.B, self.job.row.form[0].blocks, LINE)
        return np.ndarray(shape, DTYPE, self.buffer, at)


cdef REAL ONE = 1

cdef enum: MOST_JOBS = 2


cdef int ready(list passes, list ranges, Job* jobs) except -1:
    """Fill one job per pass for its steps [t0, t1), which lie on its tape."""
    cdef int d, k, s
    cdef Job* job
    cdef const Form* f
    for d in range(len(passes)):
        job = &jobs[d]
        job[0] = (<Pass?> passes[d]).job
        job.t0, job.t1 = ranges[d]
        for k in range(job.row.stages):
            job.product[k][0].a = job.run.x + job.run.t0 * job.run.B * job.run.I
            f = &job.row.form[k]
            for s in range(f.feeds):
                job.product[k][2 + s].a = source_at(&job.run, f.feed[s].source, job.run.t0, 0)
    return 0


cdef long slices(const Job* jobs, int njobs, long threads) noexcept nogil:
    """Slices of the batch: directions go to threads first, and a slice has FEW rows or more."""
    cdef long wanted = threads // njobs if threads % njobs == 0 else threads
    return max(1, min(wanted, jobs[0].run.B // FEW))


def forward(list passes, list ranges, int threads):
    """Run each pass forward over its range (t0, t1) of steps."""
    cdef Job jobs[MOST_JOBS]
    cdef int njobs = len(passes)
    cdef long i, n, B
    ready(passes, ranges, jobs)
    n, B = slices(jobs, njobs, threads), jobs[0].run.B
    with nogil, parallel(num_threads=threads):
        for i in prange(njobs * n, schedule="static", chunksize=1):
            forward_slice(&jobs[i // n], B * (i % n) // n, B * (i % n + 1) // n)


def backward(list passes, list ranges, int threads, take, give):
    """Run each pass backward over its range (t0, t1) of steps, then add to the gradients of its weights.

    take, give : callables
        As `Pass` takes a buffer, and to give one back.
    """
    cdef Job jobs[MOST_JOBS]
    cdef int njobs = len(passes), d, k
    cdef long i, n, B, shares = threads, room = 0
    cdef size_t at
    cdef REAL* rooms
    ready(passes, ranges, jobs)
    for d in range(njobs):
        for k in range(jobs[d].row.stages):
            room = max(room, room_of(&jobs[d], k))
    room = (room + LINE - 1) // LINE * LINE
    buffer = take(shares * (room * sizeof(REAL) + GAP) + 64)
    at = <size_t> cnp.PyArray_DATA(buffer)
    forbid(at, cnp.PyArray_NBYTES(buffer))
    rooms = carve(&at, room)
    for i in range(1, shares):
        carve(&at, room)
    room += GAP // sizeof(REAL)
    n, B = slices(jobs, njobs, threads), jobs[0].run.B
    with nogil, parallel(num_threads=threads):
        for i in prange(njobs * n, schedule="static", chunksize=1):
            backward_slice(&jobs[i // n], B * (i % n) // n, B * (i % n + 1) // n)
        for i in prange(shares, schedule="static", chunksize=1):
            gradient_share(jobs, njobs, i, shares, rooms + i * room)
    give(buffer)
