"""LSTM with full gate recurrence (Graves et al. 2008; Greff et al. 2017): a peephole LSTM whose gates also receive the gates of the
step before.

    i = s(a_i + p_i c')     a_k contains R_ki i' + R_kf f' + R_ko o', for k = i, f, o
    f = s(a_f + p_f c')
    g = tanh(a_g)
    c = f c' + i g
    o = s(a_o + p_o c)
    h = o tanh(c)
"""
from kernels.lanes cimport vec, sigmoid, tanh, fma, zero, dsigmoid, dtanh

cdef enum: I, F, O, G           # blocks
cdef enum: H, C, I_, F_, O_     # states
cdef enum: PI, PF, PO           # peepholes


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    state[I_] = a[I] = sigmoid(fma(p[PI], prev[C], a[I]))
    state[F_] = a[F] = sigmoid(fma(p[PF], prev[C], a[F]))
    a[G] = tanh(a[G])
    state[C] = fma(a[F], prev[C], a[I] * a[G])
    state[O_] = a[O] = sigmoid(fma(p[PO], state[C], a[O]))
    state[H] = a[O] * tanh(state[C])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec i = a[I], f = a[F], g = a[G], o = a[O], squashed = tanh(state[C])
    # h = o tanh(c)
    dstate[O_] = fma(dstate[H], squashed, dstate[O_])
    dstate[C] = fma(dstate[H] * o, dtanh(squashed), dstate[C])
    # o = s(a_o + p_o c)
    a[O] = dstate[O_] * dsigmoid(o)
    dstate[C] = fma(p[PO], a[O], dstate[C])
    # c = f c' + i g
    dstate[I_] = fma(dstate[C], g, dstate[I_])
    dstate[F_] = fma(dstate[C], prev[C], dstate[F_])
    a[G] = dstate[C] * i * dtanh(g)
    # i = s(a_i + p_i c'), f = s(a_f + p_f c')
    a[I] = dstate[I_] * dsigmoid(i)
    a[F] = dstate[F_] * dsigmoid(f)
    dprev[C] = fma(p[PI], a[I], fma(p[PF], a[F], dstate[C] * f))
    dprev[H] = dprev[I_] = dprev[F_] = dprev[O_] = zero()
