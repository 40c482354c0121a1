"""Rows of TABLE and jobs: what the loops over time and the weight gradients know of a cell and of a call."""
from kernels.lanes cimport REAL
from kernels.tile cimport MOST_BLOCKS, MOST_FEEDS, MOST_STAGES, Form, Run

ctypedef void (*Step)(const Run* r, long t, long row, long n) noexcept nogil

cdef struct Peephole:
    int block, state
    bint before                 # looks at the state of the step before

cdef struct Row:
    int stages
    Form form[MOST_STAGES]
    Step forward[MOST_STAGES]
    Step backward[MOST_STAGES]
    Peephole peephole[MOST_BLOCKS]

cdef struct Product:
    # out (g1 - g0, depth, H) += a^T delta of blocks [g0, g1); a's row (t, b) lies at a + (t - t0) step + b lda
    const REAL* a
    long step, lda, depth
    REAL* out
    int g0, g1

cdef struct Job:
    # One direction of one call over the steps t0 .. t1 - 1, and the gradients that it adds to.
    const Row* row
    Run run
    long t0, t1
    Product product[MOST_STAGES][2 + MOST_FEEDS]    # of W, b and the recurrent weights
    REAL* dp
