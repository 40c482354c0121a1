"""The multiply-add peak of this build: independent chains of fma in registers, more than the processor executes at once."""

from cython.parallel cimport prange

from kernels.lanes cimport LANES, REAL, fma, splat, store, vec

cdef enum:
    CHAINS = 12         # with two constants, they fit in the registers of any processor
    MOST_LANES = 16


cdef double chains(long rounds) noexcept nogil:
    """Run `rounds` rounds; return a number that depends on every chain, so that the compiler removes none."""
    cdef vec a[CHAINS]
    cdef vec half = splat(0.5), one = splat(1)      # every chain converges to 2: no denormals, no infinities
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
    """Run `rounds` rounds on each of `threads` threads; return the number of floating-point operations, two for each multiply-add."""
    kept = bytearray(threads * sizeof(double))
    cdef char* at = kept
    cdef double* left = <double*> at
    cdef int i
    for i in prange(threads, nogil=True, num_threads=threads, schedule="static", chunksize=1):
        left[i] = chains(rounds)
    return 2 * CHAINS * LANES * rounds * threads
