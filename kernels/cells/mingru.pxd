"""minGRU, the linear form (Feng et al. 2024): gate and candidate do not read h'.

    z = s(a_z)     a = W x + b
    n = a_n
    h = (1 - z) h' + z n
"""
from kernels.lanes cimport vec, sigmoid, fma, dsigmoid

cdef enum: Z, N                 # blocks
cdef enum: H                    # states


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[Z] = sigmoid(a[Z])
    state[H] = fma(a[Z], a[N], (1 - a[Z]) * prev[H])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec z = a[Z]
    # h = (1 - z) h' + z n
    a[Z] = dstate[H] * (a[N] - prev[H]) * dsigmoid(z)
    a[N] = dstate[H] * z
    dprev[H] = dstate[H] * (1 - z)
