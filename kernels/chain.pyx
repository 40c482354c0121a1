"""The dependent chain of a cell: how long one row waits for its steps, however much the processor does at the same time.

One vec of units goes through the cell's own equations. Each step waits for the states of the step before, in memory as in a layer,
then for one multiply-add after another, as many as there are units, then for the equations. Backward waits for the deltas of all
blocks in one chain. The values are made up but ordinary; nothing is read that a layer would have to fetch from afar.
"""
from kernels.lanes cimport REAL, vec, LANES, LINE, mode, enter_mode, leave_mode, flush, fma, load, splat, store, zero
from kernels.recurrence cimport MOST_BLOCKS, MOST_STATES, NEW, OPERAND, Feed, Form
from kernels.tile cimport Backward, Forward

cdef struct Chain:
    long units, stride          # stride: units, rounded up to whole lines
    REAL* weights               # (unit, block, LANES): of every product
    REAL* factors               # (state, operand or state of this step, stride)
    REAL* deltas                # (block, stride)
    REAL* bias                  # (block, LANES)
    REAL* gates                 # (block, LANES): of the last step forward, and of every step backward
    REAL* states                # (state, LANES): after the last step forward; before and after every step backward
    REAL* carry                 # (state, LANES): the gradient with respect to the states before all steps

ctypedef void (*Run)(const Chain* c, long steps) noexcept nogil

cdef struct Runs:
    Run forward, backward


cdef inline void product(vec* a, Form f, int i, const Chain* c) noexcept nogil:
    """Add the stage's i-th product, if there is one, to the pre-activations."""
    cdef Feed q = f.feed[i]
    cdef vec s
    cdef long k
    cdef int g
    if i < f.feeds:
        for k in range(c.units):
            s = splat(c.factors[q.source * c.stride + k])
            for g in range(q.first, q.last):
                a[g] = fma(s, load(c.weights + (k * MOST_BLOCKS + g) * LANES), a[g])


cdef inline void products(vec* a, Form f, const Chain* c) noexcept nogil:
    product(a, f, 0, c)
    product(a, f, 1, c)
    product(a, f, 2, c)
    product(a, f, 3, c)


cdef inline void forward_chain(Forward cell, Forward operands, Form first, Form last, const Chain* c, long steps) noexcept nogil:
    """`first` and `last` are the same in a cell of one stage."""
    cdef vec a[MOST_BLOCKS]
    cdef vec p[MOST_BLOCKS]
    cdef vec prev[MOST_STATES + 1]
    cdef vec state[MOST_STATES]
    cdef mode saved = enter_mode()
    cdef long t
    cdef int g, s
    for g in range(last.peepholes):
        p[g] = load(c.weights)
    for s in range(last.states):
        prev[s] = zero()
    prev[last.states] = load(c.weights)     # x itself, where the cell is direct
    for t in range(steps):
        for g in range(last.blocks):
            a[g] = load(c.bias + g * LANES) if first.b0 <= g < first.b1 or last.b0 <= g < last.b1 else zero()
        if first.stages > 1:
            products(a, first, c)
            operands(a, p, prev, state)
            for s in range(first.operands):
                store(c.factors + (OPERAND + s) * c.stride, state[s])
            for s in range(first.s0, first.s1):
                store(c.factors + (NEW + s) * c.stride, state[s])
        products(a, last, c)
        cell(a, p, prev, state)
        for s in range(last.states):
            prev[s] = state[s]
            store(c.factors + s * c.stride, state[s])
            store(c.states + s * LANES, state[s])
        for g in range(last.blocks):
            store(c.gates + g * LANES, a[g])
    leave_mode(saved)


cdef inline void add_delta(vec* dstate, vec* doperand, Form f, int i, int g, vec delta, const REAL* weights) noexcept nogil:
    """Add a delta of block g, times a weight, to what the stage's i-th product multiplies, if it feeds the block."""
    cdef Feed q = f.feed[i]
    cdef vec* sum = dstate + q.source
    if q.source >= NEW:
        sum = dstate + q.source - NEW
    elif q.source >= OPERAND:
        sum = doperand + q.source - OPERAND
    if i < f.feeds and q.first <= g < q.last:
        sum[0] = fma(delta, load(weights), sum[0])


cdef inline void add_deltas(vec* dstate, vec* doperand, Form f, int g, const Chain* c) noexcept nogil:
    """Add the products of the deltas of block g, if it is the stage's: one chain for each state or operand, side by side."""
    cdef vec delta
    cdef const REAL* weights = c.weights + g * LANES
    cdef long k
    if g < f.last:
        for k in range(c.units):
            delta = splat(c.deltas[g * c.stride + k])
            add_delta(dstate, doperand, f, 0, g, delta, weights)
            add_delta(dstate, doperand, f, 1, g, delta, weights)
            add_delta(dstate, doperand, f, 2, g, delta, weights)
            add_delta(dstate, doperand, f, 3, g, delta, weights)
            weights += MOST_BLOCKS * LANES


cdef inline void transposed(vec* dstate, vec* doperand, const vec* a, Form f, const Chain* c) noexcept nogil:
    """Write the stage's deltas, then multiply with them."""
    cdef int g
    for g in range(f.first, f.last):
        store(c.deltas + g * c.stride, flush(a[g]))
    add_deltas(dstate, doperand, f, f.first, c)        # a stage has WIDEST blocks or fewer
    add_deltas(dstate, doperand, f, f.first + 1, c)
    add_deltas(dstate, doperand, f, f.first + 2, c)
    add_deltas(dstate, doperand, f, f.first + 3, c)


cdef inline void backward_chain(Backward cell, Backward operands, Form first, Form last, const Chain* c, long steps) noexcept nogil:
    cdef vec a[MOST_BLOCKS]
    cdef vec p[MOST_BLOCKS]
    cdef vec prev[MOST_STATES + 1]
    cdef vec state[MOST_STATES]
    cdef vec dstate[MOST_STATES]
    cdef vec dprev[MOST_STATES + 1]
    cdef vec doperand[MOST_STATES]
    cdef mode saved = enter_mode()
    cdef long t
    cdef int g, s
    for g in range(last.peepholes):
        p[g] = load(c.weights)
    for s in range(last.states):
        dprev[s] = zero()
    for t in range(steps):
        for g in range(last.blocks):
            a[g] = load(c.gates + g * LANES)
        for s in range(last.states):
            prev[s] = state[s] = load(c.states + s * LANES)
            dstate[s] = dprev[s]
        prev[last.states] = load(c.weights)
        dstate[0] = dstate[0] + load(c.weights)     # dy
        cell(a, p, prev, state, dstate, dprev)
        for s in range(last.states):
            dprev[s] = flush(dprev[s])
        for s in range(last.operands):
            doperand[s] = zero()
        transposed(dprev, doperand, a, last, c)
        if first.stages > 1:
            for s in range(first.s0, first.s1):
                doperand[s] = dprev[s]
            operands(a, p, prev, state, doperand, dprev)
            for s in range(last.states):
                dprev[s] = flush(dprev[s])
            transposed(dprev, doperand, a, first, c)
    for s in range(last.states):
        store(c.carry + s * LANES, dprev[s])
    leave_mode(saved)


include "chains.pxi"        # CHAINS: {name of a cell: its number in RUNS}

cdef enum:
    REST = 2 * (MOST_BLOCKS + MOST_STATES)      # vecs that a Chain has whatever its units


def run(str cell, long units, long forward, long backward, double weight, double bias):
    """Run a cell's chain forward from states that are 0, then backward at the last step's gates.

    Parameters
    ----------
    forward, backward : steps; backward needs a forward of one step or more
    weight : each weight and peephole, also x where the equations contain it, and dy at every step
    bias : of every block

    Returns
    -------
    (list, list): the first unit's states after the last step, and the gradient with respect to its states before the first
    """
    cdef Chain c
    cdef long stride = (units + LINE - 1) // LINE * LINE, i
    cdef long weights = stride * MOST_BLOCKS * LANES, factors = 3 * MOST_STATES * stride, deltas = MOST_BLOCKS * stride
    kept = bytearray((weights + factors + deltas + REST * LINE) * sizeof(REAL) + 64)
    cdef char* memory = kept
    cdef REAL* at = <REAL*> ((<size_t> memory + 63) & ~(<size_t> 63))
    cdef Runs runs = RUNS[CHAINS[cell]]
    c.units, c.stride, c.weights, c.factors, c.deltas = units, stride, at, at + weights, at + weights + factors
    c.bias = c.deltas + deltas
    c.gates, c.states = c.bias + MOST_BLOCKS * LINE, c.bias + 2 * MOST_BLOCKS * LINE
    c.carry = c.states + MOST_STATES * LINE
    for i in range(weights):
        c.weights[i] = weight
    for i in range(MOST_BLOCKS * LANES):
        c.bias[i] = bias
    with nogil:
        runs.forward(&c, forward)
        runs.backward(&c, backward)
    return [c.states[i * LANES] for i in range(MOST_STATES)], [c.carry[i * LANES] for i in range(MOST_STATES)]
