"""Training steps of a net without Python: forward, loss, backward, clipping and optimizer, batch after batch.

Design. A net is an ordered list of compiled modules (module.pxd) between ports. Its modules and ports are made once, for batches of up
to T steps, B rows and P answers; a run goes through as many batches as it is given, without the GIL. What it executes is what the
Python methods of layers, readouts, losses and optimizers execute one by one. REAL is the dtype of this build.
"""

cimport numpy as cnp
from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from libc.math cimport INFINITY, isfinite
from libc.stdint cimport int64_t, uint16_t
from libc.string cimport memcpy, memset

import numpy as np

cimport kernels.attend as attend
cimport kernels.losses as losses
cimport kernels.modules as modules
cimport kernels.sums as sums
cimport kernels.vectors as vectors
from kernels.lanes cimport REAL, enter_mode, leave_mode, mode
from kernels.module cimport MODULE, PORT, Batch, Module, Port

cdef extern from "Python.h":
    int PyErr_CheckSignals() noexcept       # cpython.exc's would print what a handler raises and forget it

cnp.import_array()

cdef enum: MOST = 64            # ports, and modules

cdef enum Fault: NONE, LOSS, GRADIENT, INTERRUPT

cdef enum Loss: CROSS_ENTROPY, SQUARED_ERROR, SIGMOID_ERROR, BINARY_CROSS_ENTROPY     # as LOSSES in training.py

cdef struct Sequences:
    # N sequences of up to T steps; x (T, N, I), or symbols (N, T) of 0..I, of which I stands for a row of +0.
    long N, T
    const REAL* x
    const uint16_t* symbols
    const int* lengths          # (N,)
    const int64_t* first        # (N + 1,): row n has the answers first[n] .. first[n + 1] - 1
    const int64_t* read         # of each answer: its step, and its target, a class or K numbers
    const int64_t* label
    const REAL* number
    REAL* loss                  # (N,), written
    REAL* output                # (answers, K), written

cdef struct Update:
    # How weights change: clipping, and SGD where m is NULL, else Adam.
    double most_norm, most_value
    double lr, momentum, power1, power2
    vectors.Adam adam
    REAL* m
    REAL* v


cdef bint interrupted() noexcept with gil:
    """Whether a signal's handler raised an exception, which stays set."""
    return PyErr_CheckSignals() != 0


cdef int raise_what_is_set() except -1:
    return -1


cdef class Steps:
    """A compiled net. It checks nothing, and keeps alive what its modules point to.

    Parameters
    ----------
    T, B, P : int
        Most steps, rows and answers of a batch.
    weights : int
        The length of theta.
    pace : int
        Multiply-adds between two looks at whether a signal came.
    loss : int
        A Loss.
    """
    cdef Port ports[MOST]
    cdef Module modules[MOST]
    cdef int port_count, module_count
    cdef long T, B, P, weights, pace
    cdef list kept
    cdef long* places
    cdef uint16_t* symbols
    cdef REAL* grad
    cdef REAL* answer_loss
    cdef REAL* squares
    cdef Loss loss
    cdef bint running

    def __init__(self, long T, long B, long P, long weights, long pace, int loss):
        self.loss, self.T, self.B, self.P, self.weights, self.pace, self.kept = <Loss> loss, T, B, P, weights, pace, []
        self.places, self.grad, self.answer_loss = self.longs(P), self.reals(weights), self.reals(P)
        self.symbols = <uint16_t*> self.memory(T * B * sizeof(uint16_t))

    cdef void* memory(self, size_t size):
        """Zeroed memory from a multiple of 64 bytes on."""
        buffer = np.zeros(size + 63, np.uint8)
        self.kept.append(buffer)
        return <void*> ((<size_t> cnp.PyArray_DATA(buffer) + 63) & ~(<size_t> 63))

    cdef REAL* reals(self, size_t n):
        return <REAL*> self.memory(n * sizeof(REAL))

    cdef long* longs(self, size_t n):
        return <long*> self.memory(n * sizeof(long))

    def port(self, long width, bint steps, bint gradient):
        """The number of a new port; `steps`: it has a row for each place (t, b), otherwise one for each answer."""
        cdef Port* port = self.new_port()
        cdef size_t size = (self.T * self.B if steps else self.P) * width * sizeof(REAL)
        port.width, port.value = width, <REAL*> self.memory(size)
        port.symbols, port.gradient = NULL, <REAL*> self.memory(size) if gradient else NULL
        return self.port_count - 1

    cdef Port* new_port(self) except NULL:
        if self.port_count == MOST:
            raise ValueError(f"ports: expected at most {MOST}")
        self.port_count += 1
        return &self.ports[self.port_count - 1]

    def capsule(self, int port):
        return PyCapsule_New(&self.ports[port], PORT, NULL)

    cdef int add(self, Module module) except -1:
        if self.module_count == MOST:
            raise ValueError(f"modules: expected at most {MOST}")
        self.modules[self.module_count] = module
        self.module_count += 1
        return 0

    def recurrence(self, recurrence, module):
        """The module that a recurrence of the time loop gave, as a capsule."""
        self.kept.append(recurrence)
        self.add((<Module*> PyCapsule_GetPointer(module, MODULE))[0])

    def apart(self, long at, long size):
        """Let the module added last sum its gradient apart, since others have the same weights."""
        cdef modules.Apart* m = <modules.Apart*> self.memory(sizeof(modules.Apart))
        m.inner, m.at, m.size, m.sum = self.modules[self.module_count - 1], at, size, <REAL*> self.memory(size * sizeof(REAL))
        self.modules[self.module_count - 1] = Module(m, modules.apart_forward, modules.apart_backward)

    def affine(self, int x, int y, bint steps, long at):
        cdef modules.AffineMap* m = <modules.AffineMap*> self.memory(sizeof(modules.AffineMap))
        m.x, m.y, m.steps, m.at = &self.ports[x], &self.ports[y], steps, at
        m.turned = self.reals(m.x.width * m.y.width)
        self.add(Module(m, modules.affine_forward, modules.affine_backward))

    def gather(self, int x, int y):
        cdef modules.Gather* m = <modules.Gather*> self.memory(sizeof(modules.Gather))
        m.x, m.y = &self.ports[x], &self.ports[y]
        m.written = self.longs(self.P)
        self.add(Module(m, modules.gather_forward, modules.gather_backward))

    def attention(self, int x, int y, int score, int sight, long at):
        cdef modules.Attended* m = <modules.Attended*> self.memory(sizeof(modules.Attended))
        cdef attend.Attention* core = &m.core
        m.x, m.y, m.at = &self.ports[x], &self.ports[y], at
        cdef long n = m.x.width, states = self.T * self.B * n, steps = self.T * n, queries = self.P * n
        core.n, core.score, core.sight, core.record = n, <attend.Score> score, <attend.Sight> sight, NULL
        core.start, core.first, core.count = self.longs(self.B), self.longs(self.P), self.longs(self.P)
        core.memory, core.keys, core.query = self.reals(states), self.reals(states), self.reals(queries)
        core.alpha, core.dalpha, core.tanhs = self.reals(self.T), self.reals(self.T), self.reals(steps)
        core.dmemory, core.dkeys, core.turned = self.reals(states), self.reals(states), self.reals(n * n)
        core.dquery, core.dstate = self.reals(queries), self.reals(queries)
        self.add(Module(m, modules.attended_forward, modules.attended_backward))

    def tanh(self, int x, int y):
        cdef modules.Tanh* m = <modules.Tanh*> self.memory(sizeof(modules.Tanh))
        m.x, m.y = &self.ports[x], &self.ports[y]
        self.add(Module(m, modules.tanh_forward, modules.tanh_backward))

    def fork(self, int x):
        """The number of a port with the value of x, for a second reader."""
        cdef modules.Fork* m = <modules.Fork*> self.memory(sizeof(modules.Fork))
        cdef Port* y = self.new_port()
        m.x, m.y, y[0] = &self.ports[x], y, self.ports[x]
        if y.gradient:
            y.gradient = self.reals(self.T * self.B * y.width)
        self.add(Module(m, modules.fork_forward, modules.fork_backward))
        return self.port_count - 1

    def sum(self, int x, int y):
        cdef modules.Sum* m = <modules.Sum*> self.memory(sizeof(modules.Sum))
        m.x, m.y, self.ports[x].gradient = &self.ports[x], &self.ports[y], self.ports[y].gradient
        self.add(Module(m, modules.sum_forward, modules.sum_backward))

    def halves(self, int x, int y, bint mean):
        cdef modules.Halves* m = <modules.Halves*> self.memory(sizeof(modules.Halves))
        m.x, m.y, m.mean = &self.ports[x], &self.ports[y], mean
        self.add(Module(m, modules.halves_forward, modules.halves_backward))

    def run(self, theta, data, long rows, update, double most_norm, double most_value):
        """Train theta on batches of `rows` sequences in order: (sequences answered, a fault's name or None).

        data : SimpleNamespace of arrays, as in Sequences; None stands for NULL
        update : SimpleNamespace of the numbers and arrays of Update; power1 and power2 change
        """
        if self.running:
            raise RuntimeError("training: it runs in another thread; make one for each thread")
        cdef Sequences s = sequences(data)
        cdef Update u = update_of(update, most_norm, most_value)
        cdef REAL* w = <REAL*> cnp.PyArray_DATA(theta)
        cdef long row = 0, n = 0, work = 0
        cdef Fault fault = NONE
        cdef mode saved
        if not self.squares:
            self.squares = self.reals(self.ports[self.port_count - 1].width)
        self.running = True
        with nogil:
            saved = enter_mode()
            while row < s.N:
                n = min(rows, s.N - row)
                work += self.weights * s.T * n
                fault = self.step(&s, &u, w, row, n)
                if not fault and work > self.pace:
                    work = 0
                    fault = INTERRUPT if interrupted() else NONE
                if fault:
                    break
                row += n
            leave_mode(saved)
        self.running = False
        update.power1, update.power2 = u.power1, u.power2
        if fault == INTERRUPT:
            raise_what_is_set()
        return row + n if fault == GRADIENT else row, {NONE: None, LOSS: "loss", GRADIENT: "gradient"}[fault]

    cdef Fault step(self, const Sequences* s, Update* u, REAL* theta, long row, long B) noexcept nogil:
        """One training step, on the sequences row .. row + B - 1."""
        cdef Batch batch = Batch(0, B, s.first[row + B] - s.first[row], s.lengths + row, self.places, interrupted)
        cdef const Port* o = &self.ports[self.port_count - 1]
        cdef const REAL* x = s.x
        cdef double norm
        cdef int k
        cdef long b
        for b in range(B):
            batch.T = max(batch.T, batch.lengths[b])
        find_places(&batch, self.places, s, row)
        write_inputs(&self.ports[0], self.symbols, &batch, s, row)
        for k in range(self.module_count):
            if not self.modules[k].forward(self.modules[k].self, &batch, theta):
                return INTERRUPT
        if not self.compute_losses(s, row, &batch, o):
            return LOSS
        memset(self.grad, 0, self.weights * sizeof(REAL))
        for k in range(self.module_count - 1, -1, -1):
            if not self.modules[k].backward(self.modules[k].self, &batch, theta, self.grad):
                return INTERRUPT
        norm = vectors.norm(self.grad, self.weights)
        if u.most_norm < norm < INFINITY:
            vectors.scale(self.grad, self.weights, u.most_norm / norm)
        if not isfinite(norm):
            return GRADIENT
        if u.most_value < INFINITY:
            vectors.clamp(self.grad, self.weights, u.most_value)
        move(u, theta, self.grad, self.weights)
        return NONE

    cdef bint compute_losses(self, const Sequences* s, long row, const Batch* batch, const Port* o) noexcept nogil:
        """Write losses, outputs, and the gradient of the mean loss; return whether the losses are finite."""
        cdef long K = o.width, first = s.first[row], b, n
        cdef losses.Answers q = losses.Answers(batch.P, K, o.value, self.answer_loss, o.gradient)
        cdef REAL* output = s.output + first * K
        cdef const REAL* loss = self.answer_loss
        cdef bint finite = True
        if self.loss == CROSS_ENTROPY:
            losses.cross_entropy(&q, s.label + first, output)
        elif self.loss == SIGMOID_ERROR:
            losses.sigmoid_error(&q, s.number + first * K, output)
        elif self.loss == BINARY_CROSS_ENTROPY:
            losses.binary_cross_entropy(&q, s.number + first * K, output)
        else:
            losses.squared_error(&q, s.number + first * K, self.squares)
            memcpy(output, o.value, batch.P * K * sizeof(REAL))
        for b in range(row, row + batch.B):
            n = s.first[b + 1] - s.first[b]
            s.loss[b] = loss[0] if n == 1 else <REAL> (sums.total(loss, n) / n)
            finite = finite and isfinite(s.loss[b])
            loss += n
        return finite


cdef void find_places(Batch* batch, long* places, const Sequences* s, long row) noexcept nogil:
    """Write the places of the answers, by row, then by step."""
    cdef long b, p, first = s.first[row]
    for b in range(batch.B):
        for p in range(s.first[row + b], s.first[row + b + 1]):
            places[p - first] = s.read[p] * batch.B + b


cdef void write_inputs(Port* x, uint16_t* symbols, const Batch* batch, const Sequences* s, long row) noexcept nogil:
    """Write the sequences from `row` on to the net's first port, and to its symbols if they have any."""
    cdef long I = x.width, B = batch.B, t, b
    cdef const uint16_t* given
    x.symbols = NULL if s.x else symbols
    if s.x:
        for t in range(batch.T):
            memcpy(x.value + t * B * I, s.x + (t * s.N + row) * I, B * I * sizeof(REAL))
        return
    memset(x.value, 0, batch.T * B * I * sizeof(REAL))
    for b in range(B):
        given = s.symbols + (row + b) * s.T
        for t in range(batch.T):
            symbols[t * B + b] = given[t]
            if given[t] < I:
                x.value[(t * B + b) * I + given[t]] = 1


cdef void move(Update* u, REAL* theta, const REAL* grad, long n) noexcept nogil:
    """One step of the optimizer."""
    if not u.m:
        vectors.sgd(theta, grad, u.v, n, u.lr, u.momentum)
        return
    u.power1 *= u.adam.beta1
    u.power2 *= u.adam.beta2
    u.adam.rate, u.adam.spread = u.lr / (1 - u.power1), 1 / (1 - u.power2)
    vectors.adam(&u.adam, theta, grad, u.m, u.v, n)


cdef void* pointer(array) noexcept:
    return NULL if array is None else cnp.PyArray_DATA(array)


cdef Sequences sequences(data):
    cdef Sequences s
    s.N, s.T = len(data.lengths), data.T
    s.x, s.symbols, s.lengths = <const REAL*> pointer(data.x), <const uint16_t*> pointer(data.symbols), <const int*> pointer(data.lengths)
    s.first, s.read = <const int64_t*> pointer(data.first), <const int64_t*> pointer(data.read)
    s.label, s.number = <const int64_t*> pointer(data.label), <const REAL*> pointer(data.number)
    s.loss, s.output = <REAL*> pointer(data.loss), <REAL*> pointer(data.output)
    return s


cdef Update update_of(given, double most_norm, double most_value):
    cdef Update u
    u.most_norm, u.most_value, u.lr, u.momentum = most_norm, most_value, given.lr, given.momentum
    u.power1, u.power2 = given.power1, given.power2
    u.adam.beta1, u.adam.beta2, u.adam.eps = given.beta1, given.beta2, given.eps
    u.m, u.v = <REAL*> pointer(given.m), <REAL*> pointer(given.v)
    return u
