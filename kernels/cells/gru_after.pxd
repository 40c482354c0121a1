"""Gated recurrent unit, reset after the product (Cho et al. 2014, first version; cuDNN, PyTorch; PyTorch's z).

    z, r = s(a_z), s(a_r)
    n = tanh(a_n + r a_u)     a_n = W_n x + b_n,  a_u = U_u h' + b_u
    h = (1 - z) n + z h'
"""
from kernels.lanes cimport vec, sigmoid, tanh, fma, dsigmoid, dtanh

cdef enum: N, Z, R, U           # blocks
cdef enum: H                    # states


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[Z] = sigmoid(a[Z])
    a[R] = sigmoid(a[R])
    a[N] = tanh(fma(a[R], a[U], a[N]))
    state[H] = fma(a[Z], prev[H], (1 - a[Z]) * a[N])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec n = a[N], z = a[Z], r = a[R], u = a[U]
    # h = (1 - z) n + z h'
    a[Z] = dstate[H] * (prev[H] - n) * dsigmoid(z)
    dprev[H] = dstate[H] * z
    # n = tanh(a_n + r a_u)
    a[N] = dstate[H] * (1 - z) * dtanh(n)
    a[R] = a[N] * u * dsigmoid(r)
    a[U] = a[N] * r
