"""The multiply-add peak of this build: more independent chains of fma than the processor has in flight, all in registers."""

from cython.parallel cimport prange

from kernels.lanes cimport LANES, REAL, fma, splat, store, vec

cdef enum:
    CHAINS = 12         # with the two constants, no more than the registers of any processor
    MOST_LANES = 16


cdef double chains(long rounds) noexcept nogil:
    """Run `rounds` rounds; a number that depends on all of them, so that none is left out."""
    cdef vec a[CHAINS]
    cdef vec half = splat(0.5), one = splat(1)      # every chain goes to 2: no denormals, no infinities
    cdef REAL out[MOST_LANES]
    cdef double left = 0
    cdef long i
    cdef int k
    for k in range(CHAINS):
        a[k] = splat(<REAL> k)
    for i in range(rounds):
        for k in range(CHAINS):
            a[k] = fma(a[k], half, one)
    for k in range(CHAINS):
        store(out, a[k])
        left = left + out[0]
    return left


def multiply_adds(long rounds, int threads):
    """`rounds` rounds on each of `threads` threads; the floating-point operations done, two for each multiply-add."""
    kept = bytearray(threads * sizeof(double))
    cdef char* at = kept
    cdef double* left = <double*> at
    cdef int i
    for i in prange(threads, nogil=True, num_threads=threads, schedule="static", chunksize=1):
        left[i] = chains(rounds)
    return 2 * CHAINS * LANES * rounds * threads
