"""Multiplicative LSTM (Krause et al. 2016, as in the author's code: no tanh on the cell input, h = tanh(o c)).

    m = (W_m x) (U_m h')
    i, f, o = s(a_i), s(a_f), s(a_o)     a = W x + U m + b
    g = a_g
    c = f c' + i g
    h = tanh(o c)

m is the operand of the second stage.
"""
from kernels.lanes cimport vec, sigmoid, tanh, fma, zero, dsigmoid, dtanh

cdef enum: UM, WM, I, F, G, O   # blocks
cdef enum: H, C                 # states
cdef enum: M                    # operands


cdef inline void forward_operands(vec* a, const vec* p, const vec* prev, vec* operand) noexcept nogil:
    operand[M] = a[UM] * a[WM]


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[I] = sigmoid(a[I])
    a[F] = sigmoid(a[F])
    a[O] = sigmoid(a[O])
    state[C] = fma(a[F], prev[C], a[I] * a[G])
    state[H] = tanh(a[O] * state[C])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec i = a[I], f = a[F], o = a[O], inside = dstate[H] * dtanh(state[H])
    # h = tanh(o c)
    a[O] = inside * state[C] * dsigmoid(o)
    dstate[C] = fma(inside, o, dstate[C])
    # c = f c' + i g
    a[I] = dstate[C] * a[G] * dsigmoid(i)
    a[F] = dstate[C] * prev[C] * dsigmoid(f)
    a[G] = dstate[C] * i
    dprev[H] = zero()
    dprev[C] = dstate[C] * f


cdef inline void backward_operands(vec* a, const vec* p, const vec* prev, const vec* state,
                                   vec* doperand, vec* dprev) noexcept nogil:
    cdef vec u = a[UM], w = a[WM]
    # m = (W_m x) (U_m h')
    a[UM] = doperand[M] * w
    a[WM] = doperand[M] * u
