"""lanes.h for Cython: `vec`, one register of the processor full of REAL, and the operations on it.

To Cython a vec is a number; to the C compiler it is a register of LANES numbers. Therefore, with a vec:
- no `if` and no comparison (select_le0, min_, max_ choose);
- literals only where they are exact in float32 (`1 - y`; but `splat(0.1)`), and `zero()`, never `vec z = 0`;
- `/` needs the directive cdivision=True, every function is `noexcept nogil`;
- no `abs`, `**`, `min`, `max`, no product with an int variable, no `<vec>` cast;
- no vec in a cdef class, a cpdef or a def function, and none that becomes a Python object.

All functions give the same bits in every build, and all but min_, max_ and select_le0 give NaN where an argument is NaN.
"""

cdef extern from "lanes.h" nogil:
    ctypedef float REAL      # float or double, depending on the build
    ctypedef float vec
    ctypedef unsigned long mode "lanes_mode"

    enum:
        LANES                # numbers in a vec
        LINE                 # numbers in 64 bytes: the unit of every layout, the same on all processors
        PIECES               # vecs in a line
        ROWS_BUDGET          # registers that a tile may use for its sums
        TILE_LINES           # most lines whose sums a tile holds in registers at a time

    vec load "lanes_load"(const REAL* p) noexcept
    void store "lanes_store"(REAL* p, vec a) noexcept
    void prefetch "__builtin_prefetch"(const REAL* p) noexcept         # any address is allowed
    # The first n lanes: load_part sets the others to +0, store_part leaves their memory alone. Neither touches memory behind them.
    vec load_part "lanes_load_part"(const REAL* p, long n) noexcept
    void store_part "lanes_store_part"(REAL* p, vec a, long n) noexcept
    vec keep "lanes_keep"(vec a) noexcept                              # a, kept in a register: not loaded again for each use
    int hide "lanes_hide"(int n) noexcept                               # n: the compiler does not unroll a loop up to it
    vec splat "lanes_splat"(REAL a) noexcept
    vec zero "lanes_zero"() noexcept

    vec fma "lanes_fma"(vec a, vec b, vec c) noexcept                  # a b + c, rounded once
    vec sqrt "lanes_sqrt"(vec a) noexcept
    # a if it is smaller (larger) than b, else b; so b if either is NaN. Put the constant first, so that NaN goes through.
    vec min_ "lanes_min"(vec a, vec b) noexcept
    vec max_ "lanes_max"(vec a, vec b) noexcept
    vec select_le0 "lanes_select_le0"(vec a, vec x, vec y) noexcept    # a <= 0 ? x : y
    vec flush "lanes_flush"(vec a) noexcept                            # +0 where |a| < 2^-100 (float64: 2^-1000)

    vec exp "lanes_exp"(vec x) noexcept
    vec log "lanes_log"(vec x) noexcept
    vec tanh "lanes_tanh"(vec x) noexcept
    vec sigmoid "lanes_sigmoid"(vec x) noexcept
    vec dtanh "lanes_dtanh"(vec y) noexcept                            # 1 - y y, with y = tanh(x)
    vec dsigmoid "lanes_dsigmoid"(vec y) noexcept                      # y (1 - y), with y = sigmoid(x)

    # Set the default floating-point mode of this thread and return the mode that it replaces; set a mode again.
    mode enter_mode "lanes_enter_mode"() noexcept
    void leave_mode "lanes_leave_mode"(mode saved) noexcept
