"""The time loop: forward and backpropagation through time for every cell, over tiles of rows.

The interface of a backend. The layer and its tape use CELLS, SEGMENT, `Recurrence`, `forward` and `backward`, and nothing else.
Another backend provides the same:

- CELLS: the cells that it can run.
- Recurrence(...): one direction of a layer. It holds packed weights and a tape of at most `span` steps of `rows` rows.
- SEGMENT: steps of x; backward may be cut at multiples of it.
- Recurrence's methods. place: set its memory, a buffer of `size` bytes. bind_batch, bind_output, bind_gradients: set the arrays that
  forward and backward read and write. fold: complete the gradients. module: the recurrence as a part of a compiled net (module.pxd). pack: copy the weights. begin: set the steps that the tape holds. write_states, read_states,
  write_carry, read_carry, gates: copy states, the gradient with respect to them, and gate values in or out.
- forward, backward: run several recurrences side by side, each over a range of the steps on its tape. Consecutive ranges
  continue each other: forward from the states of the last range, backward from its carry. Backward adds to the weight gradients.
  The bits do not depend on how forward's steps are cut into ranges, nor on how backward's are cut at multiples of SEGMENT.

Design. A thread owns a slice of the batch in one direction for all steps of a range, so there is no barrier between steps. Weight
gradients follow as products, whose panels the threads share. The loop knows blocks and states by number only; a cell's equations
know nothing else. A row past its end is never an operand: the loop goes over runs of rows that are still alive.
"""
cimport numpy as cnp
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from cython.parallel cimport parallel, prange
from libc.stdint cimport uint16_t
from libc.string cimport memcpy, memset

import numpy as np

from kernels.cell import Cell

from kernels.inputs cimport FEW, WIDE, inputs_ahead
from kernels.lanes cimport (REAL, vec, LANES, LINE, PIECES, ROWS_BUDGET, mode, enter_mode, leave_mode, keep, load, load_part,
                            prefetch, store, store_part, splat, zero, fma)
from kernels.module cimport MODULE, PORT, Batch, Module, Port
from kernels.one_row cimport backward_row, forward_row, width_of
from kernels.panel cimport AHEAD, SUMS, WIDEST, Block, next_tile, pack, pack_line, pack_transposed, panel_start, panels
from kernels.recurrence cimport (MOST_BLOCKS, MOST_FEEDS, MOST_STAGES, MOST_STATES, NEW, OPERAND, Feed, Form, Kernel, Peephole, Product,
                                 Steps, recurrence_t, alive, gates_at, slot_after, slot_before, source_at, state_at)
from kernels.sums cimport norm
from kernels.tile cimport Lines, Place, Transposed, backward_rows, forward_rows, sum_lines, transposed_rows

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
include "derived.pxi"
include "binding.pxi"
include "loops.pxi"
include "gradient.pxi"
include "shares.pxi"
include "compiled.pxi"
include "depth.pxi"

DTYPE = np.dtype(np.float32 if sizeof(REAL) == 4 else np.float64)
SEGMENT = CHUNK
NUMBER = {cell.name: number for number, cell in enumerate(CELLS)}

cdef enum: MOST_RECURRENCES = 2


cdef inline REAL* data(array) noexcept:
    return <REAL*> cnp.PyArray_DATA(array)


cdef class Recurrence:
    """One direction of a layer: packed weights, the tape, and the batch and the arrays that are bound to it.

    It keeps the arrays that it is given alive. It checks neither their shapes nor their dtypes.

    Parameters
    ----------
    cell : str
    inputs, units : int
    span, rows : int
        Most steps on the tape, most rows of a batch.
    reverse : bool
    spread : int64 array or None
        Of which parameter each weight of the time loop is a copy (derived.pxi).

    Attributes
    ----------
    size : int
        Bytes of memory that it needs.
    buffer : array
        The memory that `place` was given.
    reverse : bool
    """
    cdef recurrence_t r
    cdef Compiled compiled
    cdef Deep deep
    cdef Module part
    cdef long rows
    cdef dict kept
    cdef readonly size_t size
    cdef readonly object buffer
    cdef readonly bint reverse

    def __init__(self, str cell, long inputs, long units, long span, long rows, bint reverse, spread=None):
        cdef recurrence_t* r = &self.r
        cdef size_t at = 0
        r.cell = &KERNELS[NUMBER[cell]]
        r.I, r.H, r.groups = inputs, units, (units + LINE - 1) // LINE
        r.pad, r.slots, r.reverse = r.groups * LINE, span + 1, reverse
        self.rows, self.kept, self.reverse = rows, {"spread": spread}, reverse
        r.spread = NULL if spread is None else <const long*> cnp.PyArray_DATA(spread)
        lay_out(r, &at, rows)
        self.size = at + 64

    def place(self, buffer):
        """Use a uint8 array of `size` bytes or more as memory."""
        cdef size_t at = <size_t> cnp.PyArray_DATA(buffer)
        self.buffer = buffer
        forbid(at, cnp.PyArray_NBYTES(buffer))
        lay_out(&self.r, &at, self.rows)

    def bind_batch(self, x, lengths):
        """Read x (T, B, I), a C-contiguous array of DTYPE, whose rows have the lengths (B,), an int32 array."""
        self.kept.update(x=x, lengths=lengths)
        bind_batch(&self.r, x.shape[0], x.shape[1], data(x), NULL, <const int*> cnp.PyArray_DATA(lengths))

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
        self.kept.update(dy=dy, dx=dx, norms=norms, grad=grad)
        r.dy = NULL if dy is None else data(dy)
        r.lddy = 0 if dy is None else row_step(dy)
        r.dx = NULL if dx is None else data(dx)
        r.norms = NULL if norms is None else <double*> cnp.PyArray_DATA(norms)
        r.truncated = truncated
        bind_weights(r, data(grad))

    def pack(self, theta, bint transposed):
        """Copy the weights W, U, R, b, p with which theta begins; if `transposed`, copy what only the backward pass needs."""
        pack_weights(&self.r, data(theta), transposed)

    def fold(self, theta, grad):
        """Add what backward keeps of weights that are no parameters to `grad`, after its last step; for nets of theta's parameters."""
        fold_gradients(&self.r, data(theta), data(grad))

    def begin(self, long t0, long t1):
        """Let the tape hold the steps t0 .. t1 - 1, at most `span` of them."""
        if not (0 <= t0 < t1 <= self.r.T and t1 - t0 < self.r.slots):
            raise ValueError(f"steps: expected at most {self.r.slots - 1} of 0..{self.r.T}, got {t0}..{t1}")
        self.r.start, self.r.end = t0, t1

    def write_states(self, states):
        """Set the states before the tape's first step from an array (S, B, H) of contiguous rows."""
        self.exchange(border(&self.r, False), states, True)

    def read_states(self, states):
        """Copy the states after the tape's last step to an array (S, B, H) of contiguous rows."""
        self.exchange(border(&self.r, True), states, False)

    def write_carry(self, dstates):
        """Set the gradient with respect to the states after the step that backward takes next."""
        self.exchange(-1, dstates, True)

    def read_carry(self, dstates):
        """Copy the gradient with respect to the states before the step that backward took last."""
        self.exchange(-1, dstates, False)

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

    def module(self, x, y, long at, *, long column, long pace, bint truncated):
        """This recurrence as a module of a compiled net: a capsule of a Module, good as long as this object is.

        Parameters
        ----------
        x, y : capsules of a Port
        at, column : where its weights begin in the net's, and its output in a row of y
        pace : steps, a multiple of SEGMENT, between two looks at whether to give up
        truncated : errors flow back along the states' own paths only
        """
        self.compiled = Compiled(&self.r, <const Port*> PyCapsule_GetPointer(x, PORT), <const Port*> PyCapsule_GetPointer(y, PORT),
                                 at, column, pace, truncated, self.scratch())
        self.part = Module(&self.compiled, compiled_forward, compiled_backward)
        return PyCapsule_New(&self.part, MODULE, NULL)

    def deep_module(self, ports, long at, *, long chunks, long pace):
        """This recurrence, whose span is 1, as one step at each place of a compiled net: a capsule like that of `module`.

        Parameters
        ----------
        ports : capsules of Ports
            x; h and c of before, None for a c of 0; h and c of after.
        at, pace : as in `module`
        chunks : most chunks of SEGMENT steps; `rows` is the number of places in a chunk
        """
        cdef const Port* port[5]
        cdef size_t start
        cdef long size = chunks * tape_of_chunk(&self.r, self.rows)
        cdef int k
        for k in range(5):
            port[k] = NULL if ports[k] is None else <const Port*> PyCapsule_GetPointer(ports[k], PORT)
        self.kept.update(tape=np.empty(size * sizeof(REAL) + GAP + 64, np.uint8), ones=np.ones(self.rows, np.int32))
        start = <size_t> cnp.PyArray_DATA(self.kept["tape"])
        self.deep = Deep(&self.r, port[0], port[1], port[2], port[3], port[4], at, pace, carve(&start, size),
                         <int*> cnp.PyArray_DATA(self.kept["ones"]), self.scratch())
        self.part = Module(&self.deep, deep_forward, deep_backward)
        return PyCapsule_New(&self.part, MODULE, NULL)

    cdef REAL* scratch(self):
        """Memory for the sums of weight gradients, which depends on sizes only."""
        cdef size_t start
        cdef long size = 0
        cdef int k
        bind_weights(&self.r, self.r.states)
        for k in range(self.r.cell.stages):
            size = max(size, scratch_size(&self.r, k))
        self.kept["scratch"] = np.empty(size * sizeof(REAL) + GAP + 64, np.uint8)
        start = <size_t> cnp.PyArray_DATA(self.kept["scratch"])
        forbid(start, cnp.PyArray_NBYTES(self.kept["scratch"]))
        return carve(&start, size)


cdef inline long row_step(array) noexcept:
    """Numbers from one row (t, b) of an array (T, B, H) to the next. The stride of an axis of length 1 can be anything."""
    cdef int axis = 1 if cnp.PyArray_DIM(array, 1) > 1 else 0
    return cnp.PyArray_STRIDE(array, axis) // <long> sizeof(REAL)


cdef int take_ranges(list recurrences, list ranges, recurrence_t** all) except -1:
    """Fill `all` with the recurrences, each with its range of steps set; ValueError for steps that are not on its tape."""
    cdef recurrence_t* r
    cdef long t0, t1
    cdef int d
    for d in range(len(recurrences)):
        r = all[d] = &(<Recurrence?> recurrences[d]).r
        t0, t1 = ranges[d]
        if not r.start <= t0 < t1 <= r.end:
            raise ValueError(f"ranges: expected steps within {r.start}..{r.end}, got {t0}..{t1}")
        aim(r, t0, t1)
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
