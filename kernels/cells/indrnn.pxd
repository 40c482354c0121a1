"""Independently recurrent neural network (Li et al. 2018): each unit reads only its own state of the step before.

    h = max(a + p h', 0)     a = W x + b
"""
from kernels.lanes cimport vec, fma, select_le0, zero

cdef enum: A                    # blocks
cdef enum: H                    # states
cdef enum: PA                   # peepholes


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[A] = fma(p[PA], prev[H], a[A])
    state[H] = a[A] = select_le0(a[A], zero(), a[A])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    # h = max(a + p h', 0)
    a[A] = select_le0(state[H], zero(), dstate[H] * (state[H] / state[H]))     # NaN where h is NaN or infinite
    dprev[H] = p[PA] * a[A]
