"""Gated recurrent unit, reset before the product (Cho et al. 2014, final version; z as in Chung et al. 2014).

    z, r = s(a_z), s(a_r)
    n = tanh(W_n x + U_n (r h') + b_n)
    h = (1 - z) h' + z n

The product in a_n needs r h', so r h' is the operand of the cell's second stage.
"""
from kernels.lanes cimport vec, sigmoid, tanh, fma, dsigmoid, dtanh

cdef enum: Z, R, N              # blocks
cdef enum: H                    # states
cdef enum: RH                   # operands


cdef inline void forward_operands(vec* a, const vec* p, const vec* prev, vec* operand) noexcept nogil:
    a[Z] = sigmoid(a[Z])
    a[R] = sigmoid(a[R])
    operand[RH] = a[R] * prev[H]


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[N] = tanh(a[N])
    state[H] = fma(a[Z], a[N], (1 - a[Z]) * prev[H])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec z = a[Z], n = a[N]
    # h = (1 - z) h' + z n
    a[Z] = dstate[H] * (n - prev[H]) * dsigmoid(z)
    a[N] = dstate[H] * z * dtanh(n)
    dprev[H] = dstate[H] * (1 - z)


cdef inline void backward_operands(vec* a, const vec* p, const vec* prev, const vec* state,
                                   vec* doperand, vec* dprev) noexcept nogil:
    cdef vec r = a[R]
    # rh = r h'
    a[R] = doperand[RH] * prev[H] * dsigmoid(r)
    dprev[H] = fma(doperand[RH], r, dprev[H])
