"""LSTM with forget gates, and with the biases of its authors: gates have one, the cell input has none (Gers, Schmidhuber, Cummins 2000).

    i, f, o = s(a_i), s(a_f), s(a_o)
    g = tanh(a_g)     a_g = W_g x + U_g h'
    c = f c' + i g
    h = o tanh(c)
"""
from kernels.lanes cimport vec, sigmoid, tanh, fma, zero, dsigmoid, dtanh

cdef enum: G, I, F, O           # blocks
cdef enum: H, C                 # states


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[I] = sigmoid(a[I])
    a[F] = sigmoid(a[F])
    a[G] = tanh(a[G])
    a[O] = sigmoid(a[O])
    state[C] = fma(a[F], prev[C], a[I] * a[G])
    state[H] = a[O] * tanh(state[C])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec i = a[I], f = a[F], g = a[G], o = a[O], squashed = tanh(state[C])
    # h = o tanh(c)
    a[O] = dstate[H] * squashed * dsigmoid(o)
    dstate[C] = fma(dstate[H] * o, dtanh(squashed), dstate[C])
    # c = f c' + i g
    a[I] = dstate[C] * g * dsigmoid(i)
    a[F] = dstate[C] * prev[C] * dsigmoid(f)
    a[G] = dstate[C] * i * dtanh(g)
    dprev[H] = zero()
    dprev[C] = dstate[C] * f
