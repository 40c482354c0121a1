"""sLSTM, with exponential input gates (Beck et al. 2024, as in NX-AI/xlstm; NX-AI/flashrnn clamps n >= 1 instead).

    f, o = s(a_f), s(a_o)
    g = tanh(a_g)
    m = max(a_i, m' + log f)          m = a_i at the first step, where n' = 0
    i, k = exp(a_i - m), exp(log f + m' - m)
    c = k c' + i g
    n = k n' + i
    h = o c / n

m keeps the exponents at 0 or below; h does not depend on it. One of i and k is 1, so one exponential is enough. At the first step k
multiplies zeros, and is held at 1 or below.
"""
from kernels.lanes cimport vec, exp, log, sigmoid, tanh, fma, min_, max_, select_le0, splat, zero, dsigmoid, dtanh

cdef enum: I, F, G, O           # blocks
cdef enum: H, C, N, M           # states


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    cdef vec kept, least, ahead
    a[F] = sigmoid(a[F])
    a[G] = tanh(a[G])
    a[O] = sigmoid(a[O])
    kept = prev[M] + log(a[F])
    state[M] = select_le0(prev[N], a[I], max_(a[I], kept))
    least, ahead = exp(min_(kept, a[I]) - state[M]), kept - a[I]
    kept = select_le0(ahead, least, splat(1))
    a[I] = select_le0(ahead, splat(1), least)
    state[C] = fma(kept, prev[C], a[I] * a[G])
    state[N] = fma(kept, prev[N], a[I])
    state[H] = a[O] * (state[C] / state[N])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec i = a[I], f = a[F], g = a[G], o = a[O], mean = state[C] / state[N], dmean, from_i
    cdef vec kept = prev[M] + log(f), k = exp(min_(zero(), kept - state[M]))
    # h = o c / n
    a[O] = dstate[H] * mean * dsigmoid(o)
    dmean = dstate[H] * o / state[N]
    dstate[C] = dstate[C] + dmean
    dstate[N] = fma(-dmean, mean, dstate[N])
    # c = k c' + i g, n = k n' + i
    dprev[C] = dstate[C] * k
    dprev[N] = dstate[N] * k
    a[I] = fma(dstate[C], g, dstate[N]) * i
    a[F] = fma(dstate[C], prev[C], dstate[N] * prev[N]) * k
    a[G] = dstate[C] * i * dtanh(g)
    # i = exp(a_i - m), k = exp(log f + m' - m)
    dstate[M] = dstate[M] - a[I] - a[F]
    # m = max(a_i, m' + log f)
    from_i = select_le0(prev[N], dstate[M], select_le0(state[M] - kept, zero(), dstate[M]))
    a[I] = a[I] + from_i
    dprev[M] = a[F] + (dstate[M] - from_i)
    # f = s(a_f)
    a[F] = dprev[M] * (1 - f)
    dprev[H] = zero()
