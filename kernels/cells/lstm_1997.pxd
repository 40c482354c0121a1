"""The first long short-term memory, without forget gates (Hochreiter & Schmidhuber 1997).

    i, o = s(a_i), s(a_o)
    g = 4 s(a_g) - 2
    c = c' + i g
    h = o (2 s(c) - 1)
"""
from kernels.lanes cimport vec, sigmoid, fma, zero, dsigmoid

cdef enum: I, G, O              # blocks
cdef enum: H, C                 # states


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[I] = sigmoid(a[I])
    a[G] = 4 * sigmoid(a[G]) - 2
    a[O] = sigmoid(a[O])
    state[C] = fma(a[I], a[G], prev[C])
    state[H] = a[O] * (2 * sigmoid(state[C]) - 1)


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec i = a[I], g = a[G], o = a[O], s = sigmoid(state[C])
    # h = o (2 s(c) - 1)
    a[O] = dstate[H] * (2 * s - 1) * dsigmoid(o)
    dstate[C] = fma(dstate[H] * o, 2 * dsigmoid(s), dstate[C])
    # c = c' + i g
    a[I] = dstate[C] * g * dsigmoid(i)
    # g = 4 s(a_g) - 2
    a[G] = dstate[C] * i * 4 * dsigmoid(0.25 * g + 0.5)
    dprev[H] = zero()
    dprev[C] = dstate[C]
