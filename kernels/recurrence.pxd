"""The data of the kernels: the form of a cell's stages, and a recurrence (one direction of a layer over one batch).

Layouts (L = LINE): gates (step, group, B, block, L); states (S, slot, B, pad) with pad = groups x L; operands
(operand, step, B, pad); carries (S, B, pad). The tape holds the steps from `start` on. A forward recurrence reads h' of step t from
slot t - start and writes h to slot t - start + 1; a reverse one does the opposite, so its initial states lie in the last slot.
"""
from libc.stdint cimport uint16_t

from kernels.lanes cimport REAL, vec, LINE

cdef extern from *:
    """
    #undef I    /* complex.h's, which NumPy's headers bring */
    """

cdef enum:
    MOST_BLOCKS = 8
    MOST_STATES = 6
    MOST_STAGES = 2
    MOST_FEEDS = 4
    ROW_WIDTHS = 3
    OPERAND = MOST_STATES       # the source of a Feed: a state of the step before, OPERAND + an operand,
    NEW = 2 * MOST_STATES       # or NEW + a state of the step itself, which the first stage completes

cdef struct Feed:
    # A product with recurrent weights: what it multiplies, and the blocks [first, last) that it feeds.
    int source, first, last

cdef struct Form:
    # A stage of a cell.
    int blocks, states, peepholes, operands     # numbers of the cell; its first stage computes the operands
    bint direct                                 # the cell's equations contain x
    bint own                                    # the diagonal weights follow from the cell's own parameters: its states' own paths
    int stage, stages                           # the number of this stage, and how many the cell has
    int first, last, s0, s1                     # this stage completes the blocks [first, last) and the states [s0, s1)
    int w0, w1, b0, b1                          # W feeds the blocks [w0, w1) of it; [b0, b1) have a bias
    int feeds                                   # its products with recurrent weights
    Feed feed[MOST_FEEDS]

cdef struct Peephole:
    int block, state
    bint before                 # reads the state of the step before

cdef struct Product:
    # A weight gradient: out (g1 - g0, depth, H) += a^T d, where d are the deltas of blocks [g0, g1). Row (t, b) of a lies at
    # a + ((t - start) B + b) lda.
    const REAL* a
    long lda, depth
    REAL* out
    int g0, g1

cdef struct Steps:
    # The steps t0 .. t1 - 1 of a row.
    long row, t0, t1

cdef struct recurrence_t
ctypedef void (*Step)(const recurrence_t* r, long t, long row, long n) noexcept nogil
ctypedef void (*Derive)(const vec* own, vec* p, vec* scale) noexcept nogil
ctypedef void (*DeriveBack)(const vec* own, const vec* p, const vec* dp, const vec* dscale, vec* down) noexcept nogil
ctypedef void (*RowLoop)(const recurrence_t* r, Steps q) noexcept nogil

cdef struct Kernel:
    # A cell as compiled: the form of each stage, its functions for rows row .. row + n - 1 at step t, and for all steps of a row
    # of 1, 2 or 4 vecs.
    int stages
    Form form[MOST_STAGES]
    Step forward[MOST_STAGES]
    Step backward[MOST_STAGES]
    RowLoop forward_row[ROW_WIDTHS]
    RowLoop backward_row[ROW_WIDTHS]
    Peephole peephole[MOST_BLOCKS]
    int own                     # the cell's own parameters, of which its diagonal weights are functions
    Derive derive               # for a vec of units: from its parameters to diagonal weights, and to scales of the blocks of W
    DeriveBack derive_back      # and back, adding up what is with respect to both

cdef struct recurrence_t:
    const Kernel* cell
    long T, B, I, H, groups, pad
    int fed                     # blocks that W feeds
    bint reverse, truncated
    const int* lengths
    long shortest
    const REAL* x
    const uint16_t* symbols     # (T, B): as in a Port; NULL where x can be anything
    # the weights W, U, R, b, p of the time loop, where they are not the parameters themselves (derived.pxi)
    const long* spread          # of which parameter each is a copy; else NULL
    REAL* derived
    REAL* dderived              # their gradients
    # packed weights
    REAL* bias                  # (group, block, L)
    REAL* p                     # (peephole, pad)
    REAL* W[MOST_STAGES]
    REAL* U[MOST_STAGES][MOST_FEEDS]
    REAL* UT[MOST_STAGES][MOST_FEEDS]
    REAL* WT
    # the tape, for the steps start .. end - 1, at most slots - 1 of them
    long start, end, slots
    long prepared               # steps below this one have b + W x in the gate buffer before the time loop reaches them
    REAL* gates
    REAL* states
    REAL* operands
    # outputs and gradients; y is NULL where forward writes none
    REAL* y
    long ldy
    const REAL* dy
    long lddy
    REAL* carry                 # (S, B, pad): the gradient with respect to the states between the last step and the next
    REAL* doperand              # (operand, B, pad)
    REAL* ddirect               # (B, pad): with respect to x in the equations
    REAL* total                 # (S, B, pad): total derivatives at one step, only for norms
    double* norms               # (S, T, B)
    REAL* dx
    Product product[MOST_STAGES][2 + MOST_FEEDS]    # of W, b and the recurrent weights
    REAL* dp
    long t0, t1                 # the steps of the call in progress


cdef inline REAL* state_at(const recurrence_t* r, int s, long slot, long b) noexcept nogil:
    return r.states + ((s * r.slots + slot) * r.B + b) * r.pad

cdef inline long slot_before(const recurrence_t* r, long t) noexcept nogil:
    return t - r.start + r.reverse

cdef inline long slot_after(const recurrence_t* r, long t) noexcept nogil:
    return t - r.start + 1 - r.reverse

cdef inline REAL* gates_at(const recurrence_t* r, int blocks, long t, long u, long b) noexcept nogil:
    return r.gates + (((t - r.start) * r.groups + u) * r.B + b) * blocks * LINE

cdef inline REAL* operand_at(const recurrence_t* r, int k, long t, long b) noexcept nogil:
    return r.operands + ((k * (r.slots - 1) + t - r.start) * r.B + b) * r.pad

cdef inline const REAL* source_at(const recurrence_t* r, int source, long t, long b) noexcept nogil:
    """What a Feed multiplies at step t."""
    if source >= NEW:
        return state_at(r, source - NEW, slot_after(r, t), b)
    return operand_at(r, source - OPERAND, t, b) if source >= OPERAND else state_at(r, source, slot_before(r, t), b)

cdef inline long alive(const recurrence_t* r, long t, long b, long end) noexcept nogil:
    """The number of rows from b on, below `end`, that step t lies within the length of, up to the first that has ended."""
    cdef long n = b
    if t < r.shortest:
        return end - b
    while n < end and t < r.lengths[n]:
        n += 1
    return n - b
