"""Coupled input and forget gate (CIFG, Greff et al. 2017): the peephole LSTM with i = 1 - f.

    f = s(a_f + p_f c')
    g = tanh(a_g)
    c = f c' + (1 - f) g
    o = s(a_o + p_o c)
    h = o tanh(c)
"""
from kernels.lanes cimport vec, sigmoid, tanh, fma, zero, dsigmoid, dtanh

cdef enum: F, G, O              # blocks
cdef enum: H, C                 # states
cdef enum: PF, PO               # peepholes


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[F] = sigmoid(fma(p[PF], prev[C], a[F]))
    a[G] = tanh(a[G])
    state[C] = fma(a[F], prev[C], (1 - a[F]) * a[G])
    a[O] = sigmoid(fma(p[PO], state[C], a[O]))
    state[H] = a[O] * tanh(state[C])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec f = a[F], g = a[G], o = a[O], squashed = tanh(state[C])
    # h = o tanh(c)
    a[O] = dstate[H] * squashed * dsigmoid(o)
    dstate[C] = fma(dstate[H] * o, dtanh(squashed), dstate[C])
    # o = s(a_o + p_o c)
    dstate[C] = fma(p[PO], a[O], dstate[C])
    # c = f c' + (1 - f) g
    a[F] = dstate[C] * (prev[C] - g) * dsigmoid(f)
    a[G] = dstate[C] * (1 - f) * dtanh(g)
    dprev[H] = zero()
    # f = s(a_f + p_f c')
    dprev[C] = fma(p[PF], a[F], dstate[C] * f)
