"""Update gate RNN (Collins, Sohl-Dickstein, Sussillo 2017): one gate z, which the paper calls g; n is its c.

    z = s(a_z)
    n = tanh(a_n)
    h = z h' + (1 - z) n
"""
from kernels.lanes cimport vec, sigmoid, tanh, fma, dsigmoid, dtanh

cdef enum: Z, N                 # blocks
cdef enum: H                    # states


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[Z] = sigmoid(a[Z])
    a[N] = tanh(a[N])
    state[H] = fma(a[Z], prev[H], (1 - a[Z]) * a[N])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec z = a[Z], n = a[N]
    # h = z h' + (1 - z) n
    a[Z] = dstate[H] * (prev[H] - n) * dsigmoid(z)
    a[N] = dstate[H] * (1 - z) * dtanh(n)
    dprev[H] = dstate[H] * z
