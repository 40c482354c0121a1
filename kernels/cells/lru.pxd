"""Linear recurrent unit (Orvieto et al. 2023, eq. 6 and 7), with a complex state q for each unit, and D a matrix as in their text.

    q_re = l_re q_re' - l_im q_im' + a_re     l = exp(-exp(nu) + i exp(theta)), a = exp(gamma) (B x)
    q_im = l_re q_im' + l_im q_re' + a_im
    h = Re(C q) + D x

The blocks y_re and y_im are q_re C_re + D x and q_im C_im, so q is complete after the first stage.
"""
from kernels.angles cimport cos, sin
from kernels.lanes cimport vec, exp, fma, zero

cdef enum: X_RE, X_IM, Y_RE, Y_IM               # blocks
cdef enum: H, Q_RE, Q_IM                        # states
cdef enum: PX_RE, PX_RE_IM, PX_IM_RE, PX_IM     # peepholes
cdef enum: NU, THETA, GAMMA                     # parameters


cdef inline void derive(const vec* own, vec* p, vec* scale) noexcept nogil:
    cdef vec size = exp(-exp(own[NU])), angle = exp(own[THETA])
    p[PX_RE] = p[PX_IM] = size * cos(angle)
    p[PX_IM_RE] = size * sin(angle)
    p[PX_RE_IM] = -p[PX_IM_RE]
    scale[X_RE] = scale[X_IM] = exp(own[GAMMA])


cdef inline void derive_back(const vec* own, const vec* p, const vec* dp, const vec* dscale, vec* down) noexcept nogil:
    cdef vec re = dp[PX_RE] + dp[PX_IM], im = dp[PX_IM_RE] - dp[PX_RE_IM]
    # l = exp(-exp(nu) + i exp(theta))
    down[NU] = -exp(own[NU]) * fma(p[PX_RE], re, p[PX_IM_RE] * im)
    down[THETA] = exp(own[THETA]) * fma(p[PX_RE], im, -p[PX_IM_RE] * re)
    # a = exp(gamma) (B x)
    down[GAMMA] = exp(own[GAMMA]) * (dscale[X_RE] + dscale[X_IM])


cdef inline void forward_early(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    state[Q_RE] = fma(p[PX_RE], prev[Q_RE], fma(p[PX_RE_IM], prev[Q_IM], a[X_RE]))
    state[Q_IM] = fma(p[PX_IM], prev[Q_IM], fma(p[PX_IM_RE], prev[Q_RE], a[X_IM]))


cdef inline void forward(vec* a, const vec* p, const vec* prev, vec* state) noexcept nogil:
    state[H] = a[Y_RE] - a[Y_IM]


cdef inline void backward(vec* a, const vec* p, const vec* prev, const vec* state,
                          vec* dstate, vec* dprev) noexcept nogil:
    # h = Re(C q) + D x
    a[Y_RE] = dstate[H]
    a[Y_IM] = -dstate[H]
    dprev[H] = zero()
    dprev[Q_RE] = dstate[Q_RE]
    dprev[Q_IM] = dstate[Q_IM]


cdef inline void backward_early(vec* a, const vec* p, const vec* prev, const vec* state,
                                vec* dstate, vec* dprev) noexcept nogil:
    # q = l q' + a
    a[X_RE] = dstate[Q_RE]
    a[X_IM] = dstate[Q_IM]
    dprev[Q_RE] = fma(p[PX_RE], dstate[Q_RE], p[PX_IM_RE] * dstate[Q_IM])
    dprev[Q_IM] = fma(p[PX_IM], dstate[Q_IM], p[PX_RE_IM] * dstate[Q_RE])
