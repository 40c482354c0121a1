"""Recurrent network of rectified linear units (Le, Jaitly, Hinton 2015; IRNN where it starts with U = identity, b = 0).

    h = max(a, 0)

Its derivative is 0 if h = 0, else 1, written h / h so that NaN reaches the gradients.
"""
from kernels.lanes cimport vec, select_le0, zero

cdef enum: A                    # blocks
cdef enum: H                    # states


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    state[H] = a[A] = select_le0(a[A], zero(), a[A])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    # h = max(a, 0)
    a[A] = select_le0(state[H], zero(), dstate[H] * (state[H] / state[H]))
    dprev[H] = zero()
