"""The time loop: forward and backpropagation through time for every cell, over tiles of rows.

The interface of a backend. The layer and its tape use CELLS, SEGMENT, `Recurrence`, `forward` and `backward`, and nothing else.
Another backend provides the same:

- CELLS: the cells that it can run.
- Recurrence(...): one direction of a layer over one batch. It holds packed weights and a tape of at most `span` steps.
- SEGMENT: steps of x; backward may be cut at multiples of it.
- Recurrence's methods. place: set its memory, a buffer of `size` bytes. bind_output, bind_gradients: set the arrays that forward
  and backward read and write. pack: copy the weights. begin: set the steps that the tape holds. write_states, read_states,
  write_carry, read_carry, gates: copy states, the gradient with respect to them, and gate values in or out.
- forward, backward: run several recurrences side by side, each over a range of the steps on its tape. Consecutive ranges
  continue each other: forward from the states of the last range, backward from its carry. Backward adds to the weight gradients.
  The bits do not depend on how forward's steps are cut into ranges, nor on how backward's are cut at multiples of SEGMENT.

Design. A thread owns a slice of the batch in one direction for all steps of a range, so there is no barrier between steps. Weight
gradients follow as products, whose panels the threads share. The loop knows blocks and states by number only; a cell's equations
know nothing else. A row past its end is never an operand: the loop goes over runs of rows that are still alive.
"""
cimport numpy as cnp
from cython.parallel cimport parallel, prange
from libc.string cimport memcpy, memset

import numpy as np

from kernels.cell import Cell

from kernels.inputs cimport FEW, WIDE, inputs_ahead
from kernels.lanes cimport (REAL, vec, LANES, LINE, PIECES, TILE_LINES, mode, enter_mode, leave_mode, keep, load, load_part,
                            prefetch, store, store_part, splat, zero, fma)
from kernels.one_row cimport backward_row, forward_row, width_of
from kernels.panel cimport AHEAD, SHARED, SUMS, WIDEST, next_tile, pack, pack_transposed, panel_start, panels, tile_rows
from kernels.recurrence cimport (MOST_BLOCKS, MOST_FEEDS, MOST_STAGES, MOST_STATES, OPERAND, Feed, Form, Kernel, Peephole, Product,
                                 Steps, recurrence_t, alive, gates_at, slot_after, slot_before, source_at, state_at)
from kernels.sums cimport norm
from kernels.tile cimport Transposed, backward_rows, forward_rows, transposed_rows

cdef extern from "gaps.h" nogil:
    enum: GAP                                       # bytes in front of each region of a buffer
    void forbid(size_t start, size_t bytes)         # the address sanitizer reports every access to these bytes
    void allow(size_t start, size_t bytes)

cdef extern from *:
    """
    #ifdef _OPENMP
    #define longlag_barrier() _Pragma("omp barrier")
    #else
    #define longlag_barrier()
    #endif
    """
    void barrier "longlag_barrier"() noexcept nogil

cnp.import_array()

CELLS = []      # in the order of KERNELS

include "cells.pxi"
include "loops.pxi"
include "gradient.pxi"

DTYPE = np.dtype(np.float32 if sizeof(REAL) == 4 else np.float64)
SEGMENT = CHUNK
NUMBER = {cell.name: number for number, cell in enumerate(CELLS)}

cdef enum: MOST_RECURRENCES = 2
cdef REAL ONE = 1


cdef inline REAL* data(array) noexcept:
    return <REAL*> cnp.PyArray_DATA(array)


cdef inline REAL* carve(size_t* at, long n) noexcept:
    """The next n REALs of a buffer, from a multiple of 64 bytes on. Sizes are measured with an `at` that starts at 0."""
    cdef size_t start = (at[0] + GAP + 63) & ~(<size_t> 63)
    allow(start, n * sizeof(REAL))
    at[0] = start + n * sizeof(REAL)
    return <REAL*> start


cdef class Recurrence:
    """One direction of a layer over one batch: sizes, packed weights, the tape, and the arrays that are bound to it.

    It keeps the arrays that it is given alive. It checks neither their shapes nor their dtypes.

    Parameters
    ----------
    cell : str
    x : (T, B, I) C-contiguous array of DTYPE
    lengths : (B,) int32 array
    units : int
    span : int
        Most steps on the tape.
    reverse : bool

    Attributes
    ----------
    size : int
        Bytes of memory that it needs.
    buffer : array
        The memory that `place` was given.
    reverse : bool
    """
    cdef recurrence_t r
    cdef long fed               # blocks that W feeds
    cdef dict kept
    cdef readonly size_t size
    cdef readonly object buffer
    cdef readonly bint reverse

    def __init__(self, str cell, x, lengths, long units, long span, bint reverse):
        cdef recurrence_t* r = &self.r
        cdef size_t at = 0
        cdef long b
        r.cell = &KERNELS[NUMBER[cell]]
        r.T, r.B, r.I = x.shape
        r.H, r.groups = units, (units + LINE - 1) // LINE
        r.pad, r.slots, r.reverse = r.groups * LINE, span + 1, reverse
        r.x, r.lengths, r.shortest = data(x), <const int*> cnp.PyArray_DATA(lengths), r.T
        for b in range(r.B):
            r.shortest = min(r.shortest, r.lengths[b])
        r.prepared = r.shortest if r.B < FEW and r.I >= WIDE else 0
        self.kept, self.reverse = {"x": x, "lengths": lengths}, reverse
        self.lay_out(&at)
        self.size = at + 64

    def place(self, buffer):
        """Use a uint8 array of `size` bytes or more as memory."""
        cdef size_t at = <size_t> cnp.PyArray_DATA(buffer)
        self.buffer = buffer
        forbid(at, cnp.PyArray_NBYTES(buffer))
        self.lay_out(&at)

    cdef void lay_out(self, size_t* at) noexcept:
        cdef recurrence_t* r = &self.r
        cdef const Form* f = &r.cell.form[0]
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
            f = &r.cell.form[k]
            self.fed += f.w1 - f.w0
            r.W[k] = carve(at, (f.w1 - f.w0) * r.I * r.pad)
            for s in range(f.feeds):
                n = (f.feed[s].last - f.feed[s].first) * r.H * r.pad
                r.U[k][s] = carve(at, n)
                r.UT[k][s] = carve(at, n)
        r.WT = carve(at, self.fed * r.H * columns)

    def bind_output(self, y):
        """Let forward write to y, an array (T, B, H) of contiguous rows; None: let it write no output."""
        self.kept["y"] = y
        self.r.y = NULL if y is None else data(y)
        self.r.ldy = 0 if y is None else row_step(y)

    def bind_gradients(self, *, dy, dx, norms, grad, bint truncated):
        """Let backward read dy and write the others, before `pack` for the backward pass.

        Parameters
        ----------
        dy : (T, B, H) array of contiguous rows, or None
        dx : (T, B, I) array or None
        norms : (S, T, B) float64 array or None
        grad : (n,) array
            It begins with the gradients of this recurrence: W, U, R, b, p. Backward adds to them.
        truncated : bool
            Errors flow back along the states' own paths only.
        """
        cdef recurrence_t* r = &self.r
        cdef const Form* f
        cdef REAL* w = data(grad)
        cdef REAL* u = w + self.fed * r.I * r.H
        cdef int k, s, n
        self.kept.update(dy=dy, dx=dx, norms=norms, grad=grad)
        r.dy = NULL if dy is None else data(dy)
        r.lddy = 0 if dy is None else row_step(dy)
        r.dx = NULL if dx is None else data(dx)
        r.norms = NULL if norms is None else <double*> cnp.PyArray_DATA(norms)
        r.truncated = truncated
        for k in range(r.cell.stages):
            f = &r.cell.form[k]
            r.product[k][0] = Product(NULL, r.B * r.I, r.I, r.I, w, f.w0, f.w1)
            w += (f.w1 - f.w0) * r.I * r.H
            for s in range(f.feeds):
                n = f.feed[s].last - f.feed[s].first
                r.product[k][2 + s] = Product(NULL, r.B * r.pad, r.pad, r.H, u, f.feed[s].first, f.feed[s].last)
                u += n * r.H * r.H
        for k in range(r.cell.stages):
            f = &r.cell.form[k]
            r.product[k][1] = Product(&ONE, 0, 0, 1, u, f.first, f.last)
            u += (f.last - f.first) * r.H
        r.dp = u

    def pack(self, theta, bint transposed):
        """Copy the weights W, U, R, b, p with which theta begins; if `transposed`, copy what only the backward pass needs."""
        cdef recurrence_t* r = &self.r
        cdef const Form* f
        cdef const REAL* w = data(theta)
        cdef const REAL* u = w + self.fed * r.I * r.H
        cdef int k, s, n, blocks
        if transposed and r.dx:
            pack_transposed(r.WT, w, r.I, r.H, <int> self.fed)
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
        f = &r.cell.form[0]
        if not transposed:
            pack(r.bias, u, 1, r.H, f.blocks, WIDEST)
            for k in range(f.peepholes):
                pack(r.p + k * r.pad, u + (f.blocks + k) * r.H, 1, r.H, 1, 1)

    def begin(self, long t0, long t1):
        """Let the tape hold the steps t0 .. t1 - 1, at most `span` of them."""
        if not (0 <= t0 < t1 <= self.r.T and t1 - t0 < self.r.slots):
            raise ValueError(f"steps: expected at most {self.r.slots - 1} of 0..{self.r.T}, got {t0}..{t1}")
        self.r.start, self.r.end = t0, t1

    def write_states(self, states):
        """Set the states before the tape's first step from an array (S, B, H) of contiguous rows."""
        self.exchange(self.border(False), states, True)

    def read_states(self, states):
        """Copy the states after the tape's last step to an array (S, B, H) of contiguous rows."""
        self.exchange(self.border(True), states, False)

    def write_carry(self, dstates):
        """Set the gradient with respect to the states after the step that backward takes next."""
        self.exchange(-1, dstates, True)

    def read_carry(self, dstates):
        """Copy the gradient with respect to the states before the step that backward took last."""
        self.exchange(-1, dstates, False)

    cdef long border(self, bint last) noexcept:
        """The slot before the tape's first step, or after its last one."""
        return self.r.end - self.r.start if last != self.r.reverse else 0

    cdef void exchange(self, long slot, states, bint write) noexcept:
        """Copy between an array (S, B, H) and a slot of the tape, or the carry (slot -1)."""
        cdef recurrence_t* r = &self.r
        cdef REAL* here
        cdef char* there
        cdef int s
        cdef long b
        for s in range(r.cell.form[0].states):
            for b in range(r.B):
                here = r.carry + (s * r.B + b) * r.pad if slot < 0 else state_at(r, s, slot, b)
                there = <char*> cnp.PyArray_DATA(states) + s * cnp.PyArray_STRIDE(states, 0) + b * cnp.PyArray_STRIDE(states, 1)
                if write:
                    memcpy(here, there, r.H * sizeof(REAL))
                    memset(here + r.H, 0, (r.pad - r.H) * sizeof(REAL))
                else:
                    memcpy(there, here, r.H * sizeof(REAL))

    def gates(self):
        """The gate values on the tape, a view (step, group, B, block, LINE)."""
        cdef recurrence_t* r = &self.r
        at = <size_t> r.gates - <size_t> cnp.PyArray_DATA(self.buffer)
        return np.ndarray((r.slots - 1, r.groups, r.B, r.cell.form[0].blocks, LINE), DTYPE, self.buffer, at)


cdef inline long row_step(array) noexcept:
    """Numbers from one row (t, b) of an array (T, B, H) to the next. The stride of an axis of length 1 can be anything."""
    cdef int axis = 1 if cnp.PyArray_DIM(array, 1) > 1 else 0
    return cnp.PyArray_STRIDE(array, axis) // <long> sizeof(REAL)


cdef int take_ranges(list recurrences, list ranges, recurrence_t** all) except -1:
    """Fill `all` with the recurrences, each with its range of steps set; ValueError for steps that are not on its tape."""
    cdef recurrence_t* r
    cdef int d, k, s
    for d in range(len(recurrences)):
        r = all[d] = &(<Recurrence?> recurrences[d]).r
        r.t0, r.t1 = ranges[d]
        if not r.start <= r.t0 < r.t1 <= r.end:
            raise ValueError(f"ranges: expected steps within {r.start}..{r.end}, got {r.t0}..{r.t1}")
        for k in range(r.cell.stages):
            r.product[k][0].a = r.x + r.start * r.B * r.I
            for s in range(r.cell.form[k].feeds):
                r.product[k][2 + s].a = source_at(r, r.cell.form[k].feed[s].source, r.start, 0)
    return 0


cdef long slices(const recurrence_t* r, int count, long threads) noexcept nogil:
    """Slices of the batch: directions go to threads first, and a slice has FEW rows or more."""
    cdef long wanted = threads // count if threads % count == 0 else threads
    return max(1, min(wanted, r.B // FEW))


def forward(list recurrences, list ranges, int threads):
    """Run each recurrence forward over its range (t0, t1) of steps."""
    cdef recurrence_t* all[MOST_RECURRENCES]
    cdef int count = len(recurrences)
    cdef long i, n, B
    take_ranges(recurrences, ranges, all)
    n, B = slices(all[0], count, threads), all[0].B
    with nogil, parallel(num_threads=threads):
        for i in prange(count * n, schedule="static", chunksize=1):
            forward_slice(all[i // n], B * (i % n) // n, B * (i % n + 1) // n)


def backward(list recurrences, list ranges, int threads, take, give):
    """Run each recurrence backward over its range (t0, t1) of steps, then add to the gradients of its weights.

    take, give : callables
        ``take(n)`` gives a uint8 array of n bytes or more with any content; ``give(buffer)`` takes it back.
    """
    cdef recurrence_t* all[MOST_RECURRENCES]
    cdef int count = len(recurrences), d, k
    cdef long i, n, B, shares = threads, size = 0
    cdef size_t at
    cdef REAL* scratch
    take_ranges(recurrences, ranges, all)
    for d in range(count):
        for k in range(all[d].cell.stages):
            size = max(size, scratch_size(all[d], k))
    size = (size + LINE - 1) // LINE * LINE
    buffer = take(shares * (size * sizeof(REAL) + GAP) + 64)
    at = <size_t> cnp.PyArray_DATA(buffer)
    forbid(at, cnp.PyArray_NBYTES(buffer))
    scratch = carve(&at, size)
    for i in range(1, shares):
        carve(&at, size)
    size += GAP // sizeof(REAL)
    n, B = slices(all[0], count, threads), all[0].B
    with nogil, parallel(num_threads=threads):
        for i in prange(count * n, schedule="static", chunksize=1):
            backward_slice(all[i // n], B * (i % n) // n, B * (i % n + 1) // n)
        barrier()       # the weight gradients read the deltas of all threads, and Cython ends a prange without a barrier
        for i in prange(shares, schedule="static", chunksize=1):
            gradient_share(all, count, i, shares, scratch + i * size)
    give(buffer)
