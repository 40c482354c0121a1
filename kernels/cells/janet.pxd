"""Just another network, an LSTM with nothing but a forget gate (van der Westhuizen & Lasenby 2018), beta = 1.

    v = a_f
    n = tanh(a_n)
    h = s(v) h' + (1 - s(v - beta)) n

The tape keeps f = s(v). The other gate follows from it: 1 - s(v - beta) = (1 - f) / (1 - f + f exp(-beta)).
"""
from kernels.lanes cimport vec, sigmoid, tanh, fma, splat, dsigmoid, dtanh

cdef enum: F, N                 # blocks
cdef enum: H                    # states


cdef inline vec admitted(vec f) noexcept nogil:
    """1 - s(v - beta), the weight of n, from f = s(v)."""
    return (1 - f) / fma(f, splat(0.36787944117144233), 1 - f)


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[F] = sigmoid(a[F])
    a[N] = tanh(a[N])
    state[H] = fma(a[F], prev[H], admitted(a[F]) * a[N])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec f = a[F], n = a[N], i = admitted(f)
    # h = s(v) h' + (1 - s(v - beta)) n
    a[F] = dstate[H] * (prev[H] * dsigmoid(f) - n * dsigmoid(i))
    a[N] = dstate[H] * i * dtanh(n)
    dprev[H] = dstate[H] * f
