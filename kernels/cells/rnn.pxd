"""Simple recurrent network (Elman 1990).

    h = tanh(a)
"""
from kernels.lanes cimport vec, tanh, zero, dtanh

cdef enum: A                    # blocks
cdef enum: H                    # states


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    state[H] = a[A] = tanh(a[A])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    # h = tanh(a)
    a[A] = dstate[H] * dtanh(state[H])
    dprev[H] = zero()
