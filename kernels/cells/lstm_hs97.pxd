"""The LSTM of 1997 as published (Hochreiter & Schmidhuber 1997): gates and cell inputs also receive the gates of the step before.

    i, o = s(a_i), s(a_o)   a_k contains R_ki i' + R_ko o', for k = i, g, o
    g = 4 s(a_g) - 2
    c = c' + i g
    h = o (2 s(c) - 1)
"""
from kernels.lanes cimport vec, sigmoid, fma, zero, dsigmoid

cdef enum: I, G, O              # blocks
cdef enum: H, C, I_, O_         # states


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    state[I_] = a[I] = sigmoid(a[I])
    a[G] = 4 * sigmoid(a[G]) - 2
    state[O_] = a[O] = sigmoid(a[O])
    state[C] = fma(a[I], a[G], prev[C])
    state[H] = a[O] * (2 * sigmoid(state[C]) - 1)


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec i = a[I], g = a[G], o = a[O], s = sigmoid(state[C])
    # h = o (2 s(c) - 1)
    dstate[O_] = fma(dstate[H], 2 * s - 1, dstate[O_])
    dstate[C] = fma(dstate[H] * o, 2 * dsigmoid(s), dstate[C])
    # c = c' + i g
    dstate[I_] = fma(dstate[C], g, dstate[I_])
    # g = 4 s(a_g) - 2
    a[G] = dstate[C] * i * 4 * dsigmoid(0.25 * g + 0.5)
    # i, o = s(a_i), s(a_o)
    a[I] = dstate[I_] * dsigmoid(i)
    a[O] = dstate[O_] * dsigmoid(o)
    dprev[C] = dstate[C]
    dprev[H] = dprev[I_] = dprev[O_] = zero()
