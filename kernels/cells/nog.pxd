"""No output gate (NOG, Greff et al. 2017): the peephole LSTM with o = 1.

    i = s(a_i + p_i c')
    f = s(a_f + p_f c')
    g = tanh(a_g)
    c = f c' + i g
    h = tanh(c)
"""
from kernels.lanes cimport vec, sigmoid, tanh, fma, zero, dsigmoid, dtanh

cdef enum: I, F, G              # blocks
cdef enum: H, C                 # states
cdef enum: PI, PF               # peepholes


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[I] = sigmoid(fma(p[PI], prev[C], a[I]))
    a[F] = sigmoid(fma(p[PF], prev[C], a[F]))
    a[G] = tanh(a[G])
    state[C] = fma(a[F], prev[C], a[I] * a[G])
    state[H] = tanh(state[C])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec i = a[I], f = a[F], g = a[G]
    # h = tanh(c)
    dstate[C] = fma(dstate[H], dtanh(state[H]), dstate[C])
    # c = f c' + i g
    a[I] = dstate[C] * g * dsigmoid(i)
    a[F] = dstate[C] * prev[C] * dsigmoid(f)
    a[G] = dstate[C] * i * dtanh(g)
    dprev[H] = zero()
    # i = s(a_i + p_i c'), f = s(a_f + p_f c')
    dprev[C] = fma(p[PI], a[I], fma(p[PF], a[F], dstate[C] * f))
