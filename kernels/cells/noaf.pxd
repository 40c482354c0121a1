"""No output activation function (NOAF, Greff et al. 2017): the peephole LSTM with h = o c.

    i = s(a_i + p_i c')
    f = s(a_f + p_f c')
    g = tanh(a_g)
    c = f c' + i g
    o = s(a_o + p_o c)
    h = o c
"""
from kernels.lanes cimport vec, sigmoid, tanh, fma, zero, dsigmoid, dtanh

cdef enum: I, F, G, O           # blocks
cdef enum: H, C                 # states
cdef enum: PI, PF, PO           # peepholes


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[I] = sigmoid(fma(p[PI], prev[C], a[I]))
    a[F] = sigmoid(fma(p[PF], prev[C], a[F]))
    a[G] = tanh(a[G])
    state[C] = fma(a[F], prev[C], a[I] * a[G])
    a[O] = sigmoid(fma(p[PO], state[C], a[O]))
    state[H] = a[O] * state[C]


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec i = a[I], f = a[F], g = a[G], o = a[O]
    # h = o c
    a[O] = dstate[H] * state[C] * dsigmoid(o)
    dstate[C] = fma(dstate[H], o, dstate[C])
    # o = s(a_o + p_o c)
    dstate[C] = fma(p[PO], a[O], dstate[C])
    # c = f c' + i g
    a[I] = dstate[C] * g * dsigmoid(i)
    a[F] = dstate[C] * prev[C] * dsigmoid(f)
    a[G] = dstate[C] * i * dtanh(g)
    dprev[H] = zero()
    # i = s(a_i + p_i c'), f = s(a_f + p_f c')
    dprev[C] = fma(p[PI], a[I], fma(p[PF], a[F], dstate[C] * f))
