"""The learned merge: a layer without memory.

    h = a
"""
from kernels.lanes cimport vec, zero

cdef enum: A                    # blocks
cdef enum: H                    # states


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    state[H] = a[A]


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    # h = a
    a[A] = dstate[H]
    dprev[H] = zero()
