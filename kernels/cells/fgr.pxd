"""LSTM with full gate recurrence (Graves et al. 2008; Greff et al. 2017): the peephole LSTM, whose gates also see the gates
of the step before.

    i = s(a_i + p_i c')     a_k, k = i, f, o, has R_ki i' + R_kf f' + R_ko o' too
    f = s(a_f + p_f c')
    g = tanh(a_g)
    c = f c' + i g
    o = s(a_o + p_o c)
    h = o tanh(c)
"""
from kernels.lanes cimport vec, sigmoid, tanh, fma, zero, dsigmoid, dtanh

cdef enum: I, F, O, G
cdef enum: H, C, NEXT_I, NEXT_F, NEXT_O
cdef enum: PI, PF, PO


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    state[NEXT_I] = a[I] = sigmoid(fma(p[PI], prev[C], a[I]))
    state[NEXT_F] = a[F] = sigmoid(fma(p[PF], prev[C], a[F]))
    a[G] = tanh(a[G])
    state[C] = fma(a[F], prev[C], a[I] * a[G])
    state[NEXT_O] = a[O] = sigmoid(fma(p[PO], state[C], a[O]))
    state[H] = a[O] * tanh(state[C])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec i = a[I], f = a[F], g = a[G], o = a[O], squashed = tanh(state[C])
    # h = o tanh(c)
    dstate[NEXT_O] = fma(dstate[H], squashed, dstate[NEXT_O])
    dstate[C] = fma(dstate[H] * o, dtanh(squashed), dstate[C])
    # o = s(a_o + p_o c)
    a[O] = dstate[NEXT_O] * dsigmoid(o)
    dstate[C] = fma(p[PO], a[O], dstate[C])
    # c = f c' + i g
    dstate[NEXT_I] = fma(dstate[C], g, dstate[NEXT_I])
    dstate[NEXT_F] = fma(dstate[C], prev[C], dstate[NEXT_F])
    a[G] = dstate[C] * i * dtanh(g)
    # i = s(a_i + p_i c'), f = s(a_f + p_f c')
    a[I] = dstate[NEXT_I] * dsigmoid(i)
    a[F] = dstate[NEXT_F] * dsigmoid(f)
    dprev[C] = fma(p[PI], a[I], fma(p[PF], a[F], dstate[C] * f))
    dprev[H] = dprev[NEXT_I] = dprev[NEXT_F] = dprev[NEXT_O] = zero()
