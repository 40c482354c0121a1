"""minLSTM, the linear form, with gates whose shares add up to 1 (Feng et al. 2024): nothing but the last line reads h'.

    f, i = s(a_f), s(a_i)     a = W x + b
    n = a_n
    h = (f h' + i n) / (f + i)
"""
from kernels.lanes cimport vec, sigmoid, fma, dsigmoid

cdef enum: F, I, N              # blocks
cdef enum: H                    # states


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[F] = sigmoid(a[F])
    a[I] = sigmoid(a[I])
    state[H] = fma(a[F], prev[H], a[I] * a[N]) / (a[F] + a[I])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec f = a[F], i = a[I], share = dstate[H] / (f + i)
    # h = (f h' + i n) / (f + i)
    a[F] = share * (prev[H] - state[H]) * dsigmoid(f)
    a[I] = share * (a[N] - state[H]) * dsigmoid(i)
    a[N] = share * i
    dprev[H] = share * f
