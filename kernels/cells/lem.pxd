"""Long expressive memory (Rusch et al. 2022, as in the authors' code, with their dt = 1; two libraries feed z' to h).

    d1, d2 = dt s(a_1), dt s(a_2)
    z = (1 - d2) z' + d2 tanh(a_z)
    n = tanh(a_n)     a_n = W_n x + U_n z + b_n
    h = (1 - d1) h' + d1 n

The product in a_n needs z of this step, so z is complete after the first stage. The values of the block z are tanh(a_z).
"""
from kernels.lanes cimport vec, sigmoid, tanh, fma, dsigmoid, dtanh

cdef enum: D1, D2, Z, N         # blocks
cdef enum: H, Z_                # states


cdef inline void forward_early(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[D1] = sigmoid(a[D1])
    a[D2] = sigmoid(a[D2])
    a[Z] = tanh(a[Z])
    state[Z_] = fma(a[D2], a[Z], (1 - a[D2]) * prev[Z_])


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    a[N] = tanh(a[N])
    state[H] = fma(a[D1], a[N], (1 - a[D1]) * prev[H])


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    cdef vec d1 = a[D1], n = a[N]
    # h = (1 - d1) h' + d1 n
    a[D1] = dstate[H] * (n - prev[H]) * dsigmoid(d1)
    a[N] = dstate[H] * d1 * dtanh(n)
    dprev[H] = dstate[H] * (1 - d1)
    dprev[Z_] = dstate[Z_]


cdef inline void backward_early(vec* a, const vec* p, const vec* prev, const vec* state,
                                vec* dstate, vec* dprev) noexcept nogil:
    cdef vec d2 = a[D2], z = a[Z]
    # z = (1 - d2) z' + d2 tanh(a_z)
    a[D2] = dstate[Z_] * (z - prev[Z_]) * dsigmoid(d2)
    a[Z] = dstate[Z_] * d2 * dtanh(z)
    dprev[Z_] = dstate[Z_] * (1 - d2)
