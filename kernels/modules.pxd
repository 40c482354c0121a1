"""The compiled modules besides the recurrent layers: each a struct, its forward and its backward pass."""
from libc.string cimport memcmp, memcpy, memset

cimport kernels.attend as attend
from kernels.affine cimport Affine, affine, transpose
from kernels.lanes cimport REAL, prefetch
from kernels.module cimport Batch, Module, Port
from kernels.vectors cimport add, copy, scale, take_tanh, tanh_back


# ------------------------------------------------------------------------------------------------------------ affine

cdef struct AffineMap:
    # y = x V + v, for each row of x. V and v lie one behind the other from `at` on in theta.
    const Port* x
    const Port* y
    bint steps                  # whether x has a row for each place; otherwise one for each answer
    long at
    REAL* turned                # V^T


cdef inline long rows_of(const AffineMap* m, const Batch* batch) noexcept nogil:
    return batch.T * batch.B if m.steps else batch.P


cdef inline bint affine_forward(void* self, const Batch* batch, const REAL* theta) noexcept nogil:
    cdef const AffineMap* m = <const AffineMap*> self
    cdef long R = m.x.width, N = m.y.width
    cdef const REAL* V = theta + m.at
    cdef Affine q = Affine(rows_of(m, batch), R, N, R, 1, m.x.value, V + R * N, V, m.y.value)
    affine(&q)
    return True


cdef inline bint affine_backward(void* self, const Batch* batch, const REAL* theta, REAL* grad) noexcept nogil:
    cdef const AffineMap* m = <const AffineMap*> self
    cdef long R = m.x.width, N = m.y.width, rows = rows_of(m, batch)
    cdef const REAL* V = theta + m.at
    cdef REAL one = 1
    cdef Affine dV = Affine(R, rows, N, 1, R, m.x.value, NULL, m.y.gradient, grad + m.at)
    cdef Affine dv = Affine(1, rows, N, 0, 0, &one, NULL, m.y.gradient, grad + m.at + R * N)
    cdef Affine dx = Affine(rows, N, R, N, 1, m.y.gradient, NULL, m.turned, m.x.gradient)
    affine(&dV)
    affine(&dv)
    if m.x.gradient:
        transpose(V, R, N, m.turned)
        affine(&dx)
    return True


# ------------------------------------------------------------------------------------------- from steps to answers

cdef enum: AHEAD = 8            # answers from the one in use to the one fetched

cdef struct Gather:
    # y = the rows of x at the places of the answers.
    const Port* x
    const Port* y
    long* written               # the places that the last backward pass wrote to: all else of the gradient is 0
    long writes


cdef inline bint gather_forward(void* self, const Batch* batch, const REAL* theta) noexcept nogil:
    cdef const Gather* m = <const Gather*> self
    cdef long width = m.x.width, p
    for p in range(batch.P):
        prefetch(m.x.value + batch.places[min(p + AHEAD, batch.P - 1)] * width)     # the processor does not, for rows this far apart
        copy(m.y.value + p * width, m.x.value + batch.places[p] * width, width)
    return True


cdef inline bint gather_backward(void* self, const Batch* batch, const REAL* theta, REAL* grad) noexcept nogil:
    cdef Gather* m = <Gather*> self
    cdef long width = m.x.width, p
    if m.writes != batch.P or memcmp(m.written, batch.places, batch.P * sizeof(long)):
        for p in range(m.writes):
            memset(m.x.gradient + m.written[p] * width, 0, width * sizeof(REAL))
    for p in range(batch.P):
        prefetch(m.x.gradient + batch.places[min(p + AHEAD, batch.P - 1)] * width)
        copy(m.x.gradient + batch.places[p] * width, m.y.gradient + p * width, width)
    memcpy(m.written, batch.places, batch.P * sizeof(long))
    m.writes = batch.P
    return True


# --------------------------------------------------------------------------------------------------------- attention

cdef struct Attended:
    # y = the contexts and states of the answers, from all states x. The weights lie in theta from `at` on.
    attend.Attention core
    const Port* x
    const Port* y
    long at


cdef inline bint attended_forward(void* self, const Batch* batch, const REAL* theta) noexcept nogil:
    cdef Attended* m = <Attended*> self
    return attend.attend(&m.core, batch, m.x.value, theta + m.at, m.y.value)


cdef inline bint attended_backward(void* self, const Batch* batch, const REAL* theta, REAL* grad) noexcept nogil:
    cdef Attended* m = <Attended*> self
    cdef attend.Outward y = attend.Outward(m.y.value, m.y.gradient)
    return attend.attend_back(&m.core, batch, theta + m.at, y, grad + m.at, m.x.gradient)


cdef struct Tanh:
    # y = tanh(x), with a row for each answer.
    const Port* x
    const Port* y


cdef inline bint tanh_forward(void* self, const Batch* batch, const REAL* theta) noexcept nogil:
    cdef const Tanh* m = <const Tanh*> self
    memcpy(m.y.value, m.x.value, batch.P * m.x.width * sizeof(REAL))
    take_tanh(m.y.value, batch.P * m.x.width)
    return True


cdef inline bint tanh_backward(void* self, const Batch* batch, const REAL* theta, REAL* grad) noexcept nogil:
    cdef const Tanh* m = <const Tanh*> self
    memcpy(m.x.gradient, m.y.gradient, batch.P * m.x.width * sizeof(REAL))
    tanh_back(m.y.value, m.x.gradient, batch.P * m.x.width)
    return True


# ------------------------------------------------------------------------------------------- two readers of a part

cdef struct Fork:
    # y has the value of x, so that x has two readers; the gradient of x is the sum of both readers'.
    const Port* x
    Port* y


cdef inline bint fork_forward(void* self, const Batch* batch, const REAL* theta) noexcept nogil:
    cdef const Fork* m = <const Fork*> self
    m.y.symbols = m.x.symbols
    return True


cdef inline bint fork_backward(void* self, const Batch* batch, const REAL* theta, REAL* grad) noexcept nogil:
    cdef const Fork* m = <const Fork*> self
    if m.x.gradient:
        add(m.x.gradient, m.y.gradient, batch.T * batch.B * m.x.width)
    return True


cdef struct Sum:
    # y += x, in place. Both have a row for each place and one gradient, which no module changes.
    const Port* x
    Port* y


cdef inline bint sum_forward(void* self, const Batch* batch, const REAL* theta) noexcept nogil:
    cdef const Sum* m = <const Sum*> self
    m.y.symbols = NULL
    add(m.y.value, m.x.value, batch.T * batch.B * m.y.width)
    return True


cdef inline bint sum_backward(void* self, const Batch* batch, const REAL* theta, REAL* grad) noexcept nogil:
    return True


# ------------------------------------------------------------------------------------------------ both directions

cdef struct Halves:
    # y = the sum of the two halves of x's columns, or their mean.
    const Port* x
    const Port* y
    bint mean


cdef inline bint halves_forward(void* self, const Batch* batch, const REAL* theta) noexcept nogil:
    cdef const Halves* m = <const Halves*> self
    cdef long H = m.y.width, row
    for row in range(batch.T * batch.B):
        memcpy(m.y.value + row * H, m.x.value + 2 * row * H, H * sizeof(REAL))
        add(m.y.value + row * H, m.x.value + (2 * row + 1) * H, H)
    if m.mean:
        scale(m.y.value, batch.T * batch.B * H, 0.5)
    return True


cdef inline bint halves_backward(void* self, const Batch* batch, const REAL* theta, REAL* grad) noexcept nogil:
    cdef const Halves* m = <const Halves*> self
    cdef long H = m.y.width, row
    for row in range(batch.T * batch.B):
        memcpy(m.x.gradient + 2 * row * H, m.y.gradient + row * H, H * sizeof(REAL))
        memcpy(m.x.gradient + (2 * row + 1) * H, m.y.gradient + row * H, H * sizeof(REAL))
    if m.mean:
        scale(m.x.gradient, 2 * batch.T * batch.B * H, 0.5)
    return True


# ------------------------------------------------------------------------------------- modules that share weights

cdef struct Apart:
    # A module that sums the gradient of its weights, the `size` ones from `at` on, by itself and then adds it to the net's.
    Module inner
    long at, size
    REAL* sum


cdef inline bint apart_forward(void* self, const Batch* batch, const REAL* theta) noexcept nogil:
    cdef const Apart* m = <const Apart*> self
    return m.inner.forward(m.inner.self, batch, theta)


cdef inline bint apart_backward(void* self, const Batch* batch, const REAL* theta, REAL* grad) noexcept nogil:
    cdef const Apart* m = <const Apart*> self
    memset(m.sum, 0, m.size * sizeof(REAL))
    if not m.inner.backward(m.inner.self, batch, theta, m.sum - m.at):
        return False
    add(grad + m.at, m.sum, m.size)
    return True
