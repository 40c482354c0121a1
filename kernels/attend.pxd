"""Attention of answers over the states of their rows, forward and backward.

Design. The answer p is read at the step t of its row and has the state s there. It weighs the states h_j of the steps that it sees:
those before t, those after t, or all. With scores e_j, alpha = softmax(e) and the context c = sum_j alpha_j h_j, it gets [c, s].

    additive  e_j = v . tanh(s P + h_j Q)       Bahdanau, Cho & Bengio 2015
    general   e_j = (s Q) . h_j                 Luong, Pham & Manning 2015
    dot       e_j = s . h_j                     the same

The rows of all sequences are gathered one behind the other, without padding (`memory`), so the steps that an answer sees lie in one
piece. The backward pass computes scores again: to keep them would take memory in proportion to P T, and their tanh P T n.

Order of summation. s P, h_j Q and s Q are fma chains over the units. A dot product over units has 16 partial sums by unit mod 16,
each an fma chain, combined 8-4-2-1. The softmax is that of the losses. c is a chain over the steps, ascending. The gradient of a
state is a chain over the answers that see it, ascending; then what goes through its key is added, then what it gets as the state of
an answer. dv is a chain over answers and steps, dQ over the gathered rows (general: over answers), dP over answers. Deltas are
flushed.
"""
from libc.string cimport memcpy, memset

cimport kernels.lanes as lanes
cimport kernels.sums as sums
from kernels.affine cimport Affine, affine, transpose
from kernels.lanes cimport LANES, REAL, dtanh, flush, fma, load_part, splat, store_part, vec, zero
from kernels.module cimport Batch

cdef enum: PARTS = 16           # partial sums of a dot product
cdef enum: WIDE = 4             # vecs of a sum over steps that are kept in registers
cdef enum: PACE = 1 << 24       # multiply-adds between two looks at whether to give up

cdef enum Score: ADDITIVE, GENERAL, DOT
cdef enum Sight: BEFORE, AFTER, ALL

cdef struct Attention:
    # n units. Up to B rows, P answers and R = T B gathered rows.
    long n
    Score score
    Sight sight
    long R                      # gathered rows of this batch
    long* start                 # (B,): the first gathered row of each sequence
    long* first                 # (P,): the first gathered row that each answer sees
    long* count                 # (P,): how many it sees
    REAL* memory                # (R, n)
    REAL* keys                  # (R, n): h Q, for the additive score
    REAL* query                 # (P, n): s P, s Q or s
    REAL* alpha                 # (T,): of one answer, as the two below
    REAL* dalpha                # (T,)
    REAL* tanhs                  # (T, n): tanh(s P + h_j Q)
    REAL* dmemory               # (R, n): from here on for the backward pass
    REAL* dkeys                 # (R, n)
    REAL* dquery                # (P, n)
    REAL* dstate                # (P, n)
    REAL* turned                # (n, n): a transposed matrix
    REAL* record                # (P, T), which the forward pass fills with alpha, +0 elsewhere; or NULL


cdef inline void gather(Attention* m, const Batch* batch, const REAL* x, REAL* out) noexcept nogil:
    """Gather x (T, B, n), and write the states of the answers to their halves of out (P, 2 n)."""
    cdef long n = m.n, B = batch.B, b, t, p, row = 0
    for b in range(B):
        m.start[b] = row
        for t in range(batch.lengths[b]):
            memcpy(m.memory + row * n, x + (t * B + b) * n, n * sizeof(REAL))
            row += 1
    m.R = row
    for p in range(batch.P):
        t, b = batch.places[p] // B, batch.places[p] % B
        m.first[p] = m.start[b] + (t + 1 if m.sight == AFTER else 0)
        m.count[p] = t if m.sight == BEFORE else batch.lengths[b] - (t + 1 if m.sight == AFTER else 0)
        memcpy(out + (2 * p + 1) * n, m.memory + (m.start[b] + t) * n, n * sizeof(REAL))


cdef inline REAL combined(const vec* part) noexcept nogil:
    """The sum of PARTS partial sums."""
    cdef REAL flat[PARTS]
    cdef long i
    for i in range(PARTS // LANES):
        lanes.store(flat + i * LANES, part[i])
    for i in range(8):
        flat[i] += flat[i + 8]
    for i in range(4):
        flat[i] += flat[i + 4]
    for i in range(2):
        flat[i] += flat[i + 2]
    return flat[0] + flat[1]


cdef inline REAL dot(const REAL* a, const REAL* b, long n) noexcept nogil:
    cdef vec part[PARTS]
    cdef long i, k = 0
    for i in range(PARTS // LANES):
        part[i] = zero()
    while k < n:
        for i in range(PARTS // LANES):
            part[i] = fma(load_part(a + k, n - k), load_part(b + k, n - k), part[i])
            k += LANES
    return combined(part)


cdef inline REAL tanh_dot(const REAL* v, const REAL* query, const REAL* key, REAL* tanhs, long n) noexcept nogil:
    """v . tanhs, with tanhs = tanh(query + key)."""
    cdef vec part[PARTS]
    cdef vec y
    cdef long i, k = 0
    for i in range(PARTS // LANES):
        part[i] = zero()
    while k < n:
        for i in range(PARTS // LANES):
            y = lanes.tanh(load_part(query + k, n - k) + load_part(key + k, n - k))
            store_part(tanhs + k, y, n - k)
            part[i] = fma(load_part(v + k, n - k), y, part[i])
            k += LANES
    return combined(part)


cdef inline void softmax(REAL* e, long n) noexcept nogil:
    """In place, of n numbers or more."""
    cdef REAL top = e[0], mass
    cdef long k
    for k in range(1, n):
        top = e[k] if e[k] > top else top
    k = 0
    while k < n:
        store_part(e + k, lanes.exp(load_part(e + k, n - k) - splat(top)), n - k)
        k += LANES
    mass = <REAL>sums.total(e, n)
    k = 0
    while k < n:
        store_part(e + k, load_part(e + k, n - k) / splat(mass), n - k)
        k += LANES


cdef inline void weighted(const REAL* weight, const REAL* rows, long J, long n, REAL* out) noexcept nogil:
    """out (n,) = sum_j weight[j] rows[j], of rows (J, n)."""
    cdef vec part[WIDE]
    cdef vec w
    cdef const REAL* row
    cdef long i, j, k = 0
    while k < n:
        for i in range(WIDE):
            part[i] = zero()
        row = rows + k
        for j in range(J):
            w = splat(weight[j])
            for i in range(WIDE):
                part[i] = fma(w, load_part(row + i * LANES, n - k - i * LANES), part[i])
            row += n
        for i in range(WIDE):
            store_part(out + k + i * LANES, part[i], n - k - i * LANES)
        k += WIDE * LANES


cdef inline void spread(const REAL* weight, const REAL* row, long J, long n, REAL* rows) noexcept nogil:
    """rows[j] += weight[j] row, of rows (J, n)."""
    cdef vec w
    cdef long j, k
    for j in range(J):
        w, k = splat(weight[j]), 0
        while k < n:
            store_part(rows + k, fma(w, load_part(row + k, n - k), load_part(rows + k, n - k)), n - k)
            k += LANES
        rows += n


cdef inline void weigh(const Attention* m, long p, const REAL* v) noexcept nogil:
    """alpha of one answer, and for the additive score its tanh."""
    cdef const REAL* query = m.query + p * m.n
    cdef const REAL* row = (m.keys if m.score == ADDITIVE else m.memory) + m.first[p] * m.n
    cdef long j
    for j in range(m.count[p]):
        if m.score == ADDITIVE:
            m.alpha[j] = tanh_dot(v, query, row, m.tanhs + j * m.n, m.n)
        else:
            m.alpha[j] = dot(query, row, m.n)
        row += m.n
    if m.count[p]:
        softmax(m.alpha, m.count[p])


cdef inline void ask(const Attention* m, long P, const REAL* w, const REAL* out) noexcept nogil:
    """The queries of the answers, whose states stand in out (P, 2 n); and the keys."""
    cdef long n = m.n, p
    cdef Affine query = Affine(P, n, n, 2 * n, 1, out + n, NULL, w, m.query)
    cdef Affine keys = Affine(m.R, n, n, n, 1, m.memory, NULL, w + n * n, m.keys)
    if m.score == DOT:
        for p in range(P):
            memcpy(m.query + p * n, out + (2 * p + 1) * n, n * sizeof(REAL))
        return
    affine(&query)
    if m.score == ADDITIVE:
        affine(&keys)


cdef inline bint attend(Attention* m, const Batch* batch, const REAL* x, const REAL* w, REAL* out) noexcept nogil:
    """out (P, 2 n) of x (T, B, n); whether it came to an end."""
    cdef long n = m.n, p, work = 0, at
    cdef const REAL* v = w + 2 * n * n
    gather(m, batch, x, out)
    ask(m, batch.P, w, out)
    for p in range(batch.P):
        work += m.count[p] * n
        if work > PACE:
            work = 0
            if batch.interrupted():
                return False
        weigh(m, p, v)
        weighted(m.alpha, m.memory + m.first[p] * n, m.count[p], n, out + 2 * p * n)
        if m.record:
            at = m.first[p] - m.start[batch.places[p] % batch.B]
            memcpy(m.record + p * batch.T + at, m.alpha, m.count[p] * sizeof(REAL))
    return True


cdef inline void delta_of_scores(const Attention* m, long p, const REAL* dc) noexcept nogil:
    """dalpha becomes de = alpha (dalpha - sum_j alpha_j dalpha_j), with dalpha_j = dc . h_j."""
    cdef long J = m.count[p], j
    cdef const REAL* row = m.memory + m.first[p] * m.n
    cdef vec mean
    for j in range(J):
        m.dalpha[j] = dot(dc, row, m.n)
        row += m.n
    mean = splat(<REAL>sums.dot(m.alpha, m.dalpha, J))
    j = 0
    while j < J:
        store_part(m.dalpha + j, flush(load_part(m.alpha + j, J - j) * (load_part(m.dalpha + j, J - j) - mean)), J - j)
        j += LANES


cdef inline void delta_of_keys(const Attention* m, long p, const REAL* v, REAL* dv) noexcept nogil:
    """e_j = v . tanh(query + key_j): dquery, and to dkeys and dv."""
    cdef long n = m.n, J = m.count[p], j, k = 0
    cdef REAL* tanhs
    cdef REAL* dkey
    cdef vec y, de, d, dq, dw
    while k < n:
        dq, dw, tanhs, dkey = zero(), load_part(dv + k, n - k), m.tanhs + k, m.dkeys + m.first[p] * n + k
        for j in range(J):
            de, y = splat(m.dalpha[j]), load_part(tanhs, n - k)
            d = flush(de * load_part(v + k, n - k) * dtanh(y))
            dw = fma(de, y, dw)
            dq = dq + d
            store_part(dkey, load_part(dkey, n - k) + d, n - k)
            tanhs += n
            dkey += n
        store_part(m.dquery + p * n + k, dq, n - k)
        store_part(dv + k, dw, n - k)
        k += LANES


cdef inline bint delta_of_answers(const Attention* m, const Batch* batch, const REAL* w, const REAL* dout, REAL* dw) noexcept nogil:
    """dmemory, dkeys, dquery and dv from dout (P, 2 n); whether it came to an end."""
    cdef long n = m.n, p, work = 0
    cdef REAL* near
    for p in range(batch.P):
        work += 2 * m.count[p] * n
        if work > PACE:
            work = 0
            if batch.interrupted():
                return False
        near = m.dmemory + m.first[p] * n
        weigh(m, p, w + 2 * n * n)
        delta_of_scores(m, p, dout + 2 * p * n)
        spread(m.alpha, dout + 2 * p * n, m.count[p], n, near)
        if m.score == ADDITIVE:
            delta_of_keys(m, p, w + 2 * n * n, dw + 2 * n * n)
        else:
            weighted(m.dalpha, m.memory + m.first[p] * n, m.count[p], n, m.dquery + p * n)
            spread(m.dalpha, m.query + p * n, m.count[p], n, near)
    return True


cdef inline void delta_of_weights(Attention* m, long P, const REAL* w, const REAL* out, REAL* dw) noexcept nogil:
    """dP and dQ; dstate is what the answers' states get through their queries, and `keys` what the memory gets through its keys."""
    cdef long n = m.n
    cdef Affine dquery_weights = Affine(n, P, n, 1, 2 * n, out + n, NULL, m.dquery, dw)
    cdef Affine dstate = Affine(P, n, n, n, 1, m.dquery, NULL, m.turned, m.dstate)
    cdef Affine dQ = Affine(n, m.R, n, 1, n, m.memory, NULL, m.dkeys, dw + n * n)
    cdef Affine through_keys = Affine(m.R, n, n, n, 1, m.dkeys, NULL, m.turned, m.keys)
    if m.score == DOT:
        memcpy(m.dstate, m.dquery, P * n * sizeof(REAL))
        return
    transpose(w, n, n, m.turned)
    affine(&dquery_weights)
    affine(&dstate)
    if m.score == ADDITIVE:
        transpose(w + n * n, n, n, m.turned)
        affine(&dQ)
        affine(&through_keys)


cdef inline void scatter(const Attention* m, const Batch* batch, const REAL* dout, REAL* dx) noexcept nogil:
    """The gradient dx (T, B, n), +0 past a row's length."""
    cdef long n = m.n, B = batch.B, b, t, p, k, row = 0
    cdef REAL* to
    memset(dx, 0, batch.T * B * n * sizeof(REAL))
    for b in range(B):
        for t in range(batch.lengths[b]):
            to, k = dx + (t * B + b) * n, 0
            while k < n:
                if m.score == ADDITIVE:
                    store_part(to + k, load_part(m.dmemory + row * n + k, n - k) + load_part(m.keys + row * n + k, n - k), n - k)
                else:
                    store_part(to + k, load_part(m.dmemory + row * n + k, n - k), n - k)
                k += LANES
            row += 1
    for p in range(batch.P):
        to, k = dx + batch.places[p] * n, 0
        while k < n:
            store_part(to + k, load_part(to + k, n - k) + (load_part(dout + (2 * p + 1) * n + k, n - k)
                                                           + load_part(m.dstate + p * n + k, n - k)), n - k)
            k += LANES


cdef struct Outward:
    # What a backward pass reads beside the attention: its output (P, 2 n), and the gradient with respect to it.
    const REAL* out
    const REAL* dout


cdef inline bint attend_back(Attention* m, const Batch* batch, const REAL* w, Outward y, REAL* dw, REAL* dx) noexcept nogil:
    """dw, and dx (T, B, n) unless it is NULL; whether it came to an end. dw is +0 before; `keys` is spent."""
    memset(m.dmemory, 0, m.R * m.n * sizeof(REAL))
    if m.score == ADDITIVE:
        memset(m.dkeys, 0, m.R * m.n * sizeof(REAL))
    if not delta_of_answers(m, batch, w, y.dout, dw):
        return False
    delta_of_weights(m, batch.P, w, y.out, dw)
    if dx:
        scatter(m, batch, y.dout, dx)
    return True
