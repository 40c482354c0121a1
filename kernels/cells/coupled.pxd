"""LSTM whose input gate is tied to the forget gate, i = 1 - f (the tutorials' "tied" LSTM; without
peepholes the CIFG of Greff et al. 2017).

    f, o = s(a_f), s(a_o)
    g = tanh(a_g)
    c = f c' + (1 - f) g
    h = o tanh(c)
"""
from kernels.lanes cimport vec, sigmoid, tanh, fma, zero, dsigmoid, dtanh

cdef enum: F, G, O              # blocks
cdef enum: H, C                 # states


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[F] = sigmoid(a[F])
    a[G] = tanh(a[G])
    a[O] = sigmoid(a[O])
    state[C] = fma(a[F], prev[C], (1 - a[F]) * a[G])
    state[H] = a[O] * tanh(state[C])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec f = a[F], g = a[G], o = a[O], squashed = tanh(state[C])
    # h = o tanh(c)
    a[O] = dstate[H] * squashed * dsigmoid(o)
    dstate[C] = fma(dstate[H] * o, dtanh(squashed), dstate[C])
    # c = f c' + (1 - f) g
    a[F] = dstate[C] * (prev[C] - g) * dsigmoid(f)
    a[G] = dstate[C] * (1 - f) * dtanh(g)
    dprev[H] = zero()
    dprev[C] = dstate[C] * f
