"""MUT3, found by search among thousands of cells (Jozefowicz, Zaremba, Sutskever 2015).

    r = s(a_r)
    z = s(W_z x + U_z tanh(h') + b_z)
    n = tanh(U_n (r h') + W_n x + b_n)
    h = z n + (1 - z) h'

tanh(h') and r h' are the operands of the second stage.
"""
from kernels.lanes cimport vec, sigmoid, tanh, fma, dsigmoid, dtanh

cdef enum: R, Z, N              # blocks
cdef enum: H                    # states
cdef enum: TANH_H, RH           # operands


cdef inline void forward_operands(vec* a, const vec* p, const vec* prev, vec* operand) noexcept nogil:
    a[R] = sigmoid(a[R])
    operand[TANH_H] = tanh(prev[H])
    operand[RH] = a[R] * prev[H]


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[Z] = sigmoid(a[Z])
    a[N] = tanh(a[N])
    state[H] = fma(a[Z], a[N], (1 - a[Z]) * prev[H])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec z = a[Z], n = a[N]
    # h = z n + (1 - z) h'
    a[Z] = dstate[H] * (n - prev[H]) * dsigmoid(z)
    a[N] = dstate[H] * z * dtanh(n)
    dprev[H] = dstate[H] * (1 - z)


cdef inline void backward_operands(vec* a, const vec* p, const vec* prev, const vec* state,
                                   vec* doperand, vec* dprev) noexcept nogil:
    cdef vec r = a[R]
    # rh = r h'
    a[R] = doperand[RH] * prev[H] * dsigmoid(r)
    dprev[H] = fma(doperand[RH], r, dprev[H])
    # tanh_h = tanh(h')
    dprev[H] = fma(doperand[TANH_H], dtanh(tanh(prev[H])), dprev[H])
