"""Coupled oscillatory RNN (Rusch & Mishra 2021). dt, gamma and epsilon are those of the authors' sequential MNIST.

    n = tanh(a_n)     a_n = W x + U h' + R z' + b
    z = z' + dt (n - gamma h' - epsilon z')
    h = h' + dt z
"""
from kernels.lanes cimport vec, tanh, fma, splat, dtanh

cdef enum: N                    # blocks
cdef enum: H, Z                 # states


cdef inline vec dt() noexcept nogil:
    return splat(0.042)

cdef inline vec gamma() noexcept nogil:
    return splat(2.7)

cdef inline vec epsilon() noexcept nogil:
    return splat(4.7)


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[N] = tanh(a[N])
    state[Z] = fma(dt(), fma(-epsilon(), prev[Z], fma(-gamma(), prev[H], a[N])), prev[Z])
    state[H] = fma(dt(), state[Z], prev[H])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec force
    # h = h' + dt z
    dstate[Z] = fma(dt(), dstate[H], dstate[Z])
    # z = z' + dt (n - gamma h' - epsilon z')
    force = dt() * dstate[Z]
    a[N] = force * dtanh(a[N])
    dprev[H] = fma(-gamma(), force, dstate[H])
    dprev[Z] = fma(-epsilon(), force, dstate[Z])
