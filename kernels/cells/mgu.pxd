"""Minimal gated unit (Zhou, Wu, Zhang, Zhou 2016).

    f = s(a_f)
    n = tanh(W_n x + U_n (f h') + b_n)
    h = (1 - f) h' + f n

f is in both equations below it, and f h' is the operand of the second stage. So `backward` leaves f unchanged and passes all of
dh on; `backward_operands` computes df as a whole, with n - h' = (h - h') / f.
"""
from kernels.lanes cimport vec, sigmoid, tanh, fma, dsigmoid, dtanh

cdef enum: F, N                 # blocks
cdef enum: H                    # states
cdef enum: FH                   # operands


cdef inline void forward_operands(vec* a, const vec* p, const vec* prev, vec* operand) noexcept nogil:
    a[F] = sigmoid(a[F])
    operand[FH] = a[F] * prev[H]


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[N] = tanh(a[N])
    state[H] = fma(a[F], a[N], (1 - a[F]) * prev[H])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    # h = (1 - f) h' + f n, for n only
    a[N] = dstate[H] * a[F] * dtanh(a[N])
    dprev[H] = dstate[H]


cdef inline void backward_operands(vec* a, const vec* p, const vec* prev, const vec* state,
                                   vec* doperand, vec* dprev) noexcept nogil:
    cdef vec f = a[F], dh = dprev[H]
    # fh = f h', h = (1 - f) h' + f n
    a[F] = fma(doperand[FH] * prev[H], dsigmoid(f), dh * (state[H] - prev[H]) * (1 - f))
    dprev[H] = fma(doperand[FH], f, dh * (1 - f))
