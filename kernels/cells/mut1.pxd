"""MUT1, found by search among thousands of cells (Jozefowicz, Zaremba, Sutskever 2015).

    z = s(W_z x + b_z)
    r = s(a_r)
    n = tanh(U_n (r h') + tanh(x) + b_n)
    h = z n + (1 - z) h'

x enters unit for unit, so I = H. r h' is the operand of the second stage.
"""
from kernels.lanes cimport vec, sigmoid, tanh, fma, dsigmoid, dtanh

cdef enum: Z, R, N              # blocks
cdef enum: H, X                 # states
cdef enum: RH                   # operands


cdef inline void forward_operands(vec* a, const vec* p, const vec* prev, vec* operand) noexcept nogil:
    a[Z] = sigmoid(a[Z])
    a[R] = sigmoid(a[R])
    operand[RH] = a[R] * prev[H]


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[N] = tanh(a[N] + tanh(prev[X]))
    state[H] = fma(a[Z], a[N], (1 - a[Z]) * prev[H])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec z = a[Z], n = a[N]
    # h = z n + (1 - z) h'
    a[Z] = dstate[H] * (n - prev[H]) * dsigmoid(z)
    dprev[H] = dstate[H] * (1 - z)
    # n = tanh(a_n + tanh(x))
    a[N] = dstate[H] * z * dtanh(n)
    dprev[X] = a[N] * dtanh(tanh(prev[X]))


cdef inline void backward_operands(vec* a, const vec* p, const vec* prev, const vec* state,
                                   vec* doperand, vec* dprev) noexcept nogil:
    cdef vec r = a[R]
    # rh = r h'
    a[R] = doperand[RH] * prev[H] * dsigmoid(r)
    dprev[H] = fma(doperand[RH], r, dprev[H])
