"""No forget gate (NFG, Greff et al. 2017): the peephole LSTM with f = 1.

    i = s(a_i + p_i c')
    g = tanh(a_g)
    c = c' + i g
    o = s(a_o + p_o c)
    h = o tanh(c)
"""
from kernels.lanes cimport vec, sigmoid, tanh, fma, zero, dsigmoid, dtanh

cdef enum: I, G, O              # blocks
cdef enum: H, C                 # states
cdef enum: PI, PO               # peepholes


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[I] = sigmoid(fma(p[PI], prev[C], a[I]))
    a[G] = tanh(a[G])
    state[C] = fma(a[I], a[G], prev[C])
    a[O] = sigmoid(fma(p[PO], state[C], a[O]))
    state[H] = a[O] * tanh(state[C])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec i = a[I], g = a[G], o = a[O], squashed = tanh(state[C])
    # h = o tanh(c)
    a[O] = dstate[H] * squashed * dsigmoid(o)
    dstate[C] = fma(dstate[H] * o, dtanh(squashed), dstate[C])
    # o = s(a_o + p_o c)
    dstate[C] = fma(p[PO], a[O], dstate[C])
    # c = c' + i g
    a[I] = dstate[C] * g * dsigmoid(i)
    a[G] = dstate[C] * i * dtanh(g)
    dprev[H] = zero()
    # i = s(a_i + p_i c')
    dprev[C] = fma(p[PI], a[I], dstate[C])
