"""The contract of a compiled module: a part of a net that runs without Python.

A net is an ordered list of modules. They read and write ports. A module's forward reads its input ports and writes the values of its
output port; its backward reads the output's gradient, writes those of its inputs, and adds to or sets the gradient of its weights.
Both return whether they came to an end: they give up where `interrupted` says so, at least every few tenths of a second.
"""
from libc.stdint cimport uint16_t

from kernels.lanes cimport REAL

cdef extern from *:
    """
    #define LONGLAG_PORT "longlag.port"         /* the names of the capsules in which Python passes them on */
    #define LONGLAG_MODULE "longlag.module"
    """
    const char* PORT "LONGLAG_PORT"
    const char* MODULE "LONGLAG_MODULE"

cdef struct Batch:
    # Of one training step. x past a row's length is +0.
    long T, B, P                # steps, rows, answers
    const int* lengths          # (B,) of 1..T
    const long* places          # (P,): t B + b of each answer, where it is among the T B places
    bint (*interrupted)() noexcept nogil

cdef struct Port:
    # Rows of `width` numbers: one for each place (t, b), in the order t B + b, or one for each answer. With symbols, one for each row,
    # the rows are one-hot, or +0 where the symbol is `width`.
    long width
    REAL* value
    const uint16_t* symbols     # NULL where the rows can be anything
    REAL* gradient              # of the mean loss with respect to the value; NULL where nothing needs it

cdef struct Module:
    void* self
    bint (*forward)(void* self, const Batch* batch, const REAL* theta) noexcept nogil
    bint (*backward)(void* self, const Batch* batch, const REAL* theta, REAL* grad) noexcept nogil
