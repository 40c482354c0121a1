"""Counter-based random streams: the numbers depend on the stream's key and on nothing else.

The words are NumPy's Philox 4x64-10 (Salmon et al. 2011), whose stream NumPy guarantees. NumPy's own distributions are not
used, since they may change between versions; nor are its exp and log, which differ between processors.
"""

import hashlib
import numbers

import numpy as np

from kernels import checks

cimport numpy as cnp
from libc.stdint cimport int64_t, uint64_t

cimport kernels.lanes as lanes
from kernels.lanes cimport LANES, REAL, load_part, select_le0, splat, store_part, vec
from kernels.orthonormal cimport unit

cnp.import_array()


class Stream:
    """An endless stream of random words; every call takes the next ones.

    Parameters
    ----------
    *parts : str, int or float
        The key. NumPy's scalars count as Python's; 1, 1.0 and "1" are different parts, ("a", "bc") and ("ab", "c") too.

    Notes
    -----
    The Philox key is the first 16 bytes of SHA-256 over ``ascii(parts)``, as two little-endian words; the counter starts at 0.
    ``ascii`` is ``repr`` with every character beyond ASCII escaped; ``repr`` itself follows Python's version of Unicode.
    """

    def __init__(self, *parts):
        digest = hashlib.sha256(ascii(tuple([_plain(part) for part in parts])).encode()).digest()
        self._philox = np.random.Philox(key=np.frombuffer(digest[:16], "<u8"))

    def words(self, n):
        """n words of 64 random bits: uint64 (n,)."""
        return self._philox.random_raw(checks.whole("n", n, 0))

    def integers(self, n, k):
        """n integers of 0..k-1, all exactly equally likely: int64 (n,); 1 <= k <= 2^32.

        Lemire 2019: a candidate r of 32 bits (a word's low half, then its high half) gives floor(r k / 2^32), and is rejected
        if r k mod 2^32 < 2^32 mod k. A call takes ceil(n / 2) words, then in the same way words for the integers still missing.
        """
        n, k = checks.whole("n", n, 0), checks.whole("k", k)
        if k > 2**32:
            raise ValueError(f"k: expected an integer of at most 2^32, got {k}")
        drawn = np.empty(n, np.int64)
        filled = 0
        while filled < n:
            filled = _multiply_shift(self.words((n - filled + 1) // 2), k, drawn, filled)
        return drawn

    def uniform(self, n, low=0.0, high=1.0):
        """n numbers low + (high - low) u, every operation rounded: float64 (n,).

        Takes n words; u in [0, 1) is a word's upper 53 bits / 2^53. Between bounds other than 0 and 1, rounding may give `high`.
        """
        low, high = checks.number("low", low), checks.number("high", high)
        if not low < high:
            raise ValueError(f"high: expected a number above low = {low!r}, got {high!r}")
        return low + checks.number("high - low", high - low) * ((self.words(n) >> 11) * 2.0**-53)

    def normal(self, n):
        """n numbers of the standard normal law, each from one word by `normal`: float64 (n,)."""
        return _normal(self.words(n))

    def log_uniform(self, n, low, high):
        """n numbers whose logarithm is uniform between log low and log high, 0 < low < high: float64 (n,).

        Takes n words. The bounds hold to a few units in the last place.
        """
        low, high = checks.number("low", low), checks.number("high", high)
        if not 0 < low < high:
            raise ValueError(f"low, high: expected 0 < low < high, got {low!r} and {high!r}")
        return _each(lanes.exp, self.uniform(n, *log(np.array([low, high]))))

    def orthogonal(self, n):
        """A random orthogonal matrix under the Haar measure: float64 (n, n).

        Takes n^2 words: the rows of a matrix of normals, orthonormalised in order by modified Gram-Schmidt, each row twice
        (Giraud et al. 2005: then orthogonal to rounding). Every row keeps its sign, which is the positive diagonal of the
        triangular factor that the Haar measure asks for (Mezzadri 2007).
        """
        n = checks.whole("n", n)
        q = self.normal(n * n).reshape(n, n)
        _orthonormalise(q)
        return q


def normal(words):
    """The standard normal law's quantile of each word: float64, 1-d, of uint64.

    Wichura 1988, algorithm AS 241, to about 1e-15; a word's upper 52 bits name the cell whose middle is u, so |z| < 8.3.
    """
    return _normal(checks.fits("words", words, (np.dtype(np.uint64),), ("n",)))


def exp(a):
    """e^a by the kernels' own polynomial: float64, 1-d."""
    return _each(lanes.exp, checks.array("a", a, checks.FLOATS[1:], ("n",)))


def log(a):
    """The natural logarithm by the kernels' own polynomial: float64, 1-d."""
    return _each(lanes.log, checks.array("a", a, checks.FLOATS[1:], ("n",)))


def _plain(part):
    """The part as a Python object whose ascii() is the same on every version."""
    if isinstance(part, str):
        return str(part)
    if isinstance(part, numbers.Integral):
        return int(part)
    if isinstance(part, numbers.Real):
        return float(part)
    raise TypeError(f"parts: expected strings, integers and floats, got {part!r}")


def _multiply_shift(words, uint64_t k, drawn, long filled):
    """Write the candidates of `words` that are not rejected to drawn[filled:]; return how far `drawn` is filled then."""
    cdef const uint64_t* word = <uint64_t*>cnp.PyArray_DATA(words)
    cdef int64_t* into = <int64_t*>cnp.PyArray_DATA(drawn)
    cdef uint64_t low = 0xFFFFFFFF, least = (<uint64_t>1 << 32) % k, product
    cdef long i, n = len(drawn)
    for i in range(2 * len(words)):
        product = (word[i // 2] >> 32 if i % 2 else word[i // 2] & low) * k
        if filled < n and product & low >= least:
            into[filled] = product >> 32
            filled += 1
    return filled


def _normal(words):
    return _each(quantile, ((words >> 12) + 0.5) * 2.0**-52)


cdef inline _each(vec (*f)(vec) noexcept nogil, a):
    """f of each number of a 1-d array."""
    out = np.empty_like(a)
    cdef const REAL* x = <REAL*>cnp.PyArray_DATA(a)
    cdef REAL* y = <REAL*>cnp.PyArray_DATA(out)
    cdef long i = 0, n = len(a)
    cdef lanes.mode saved = lanes.enter_mode()
    while i < n:
        store_part(y + i, f(load_part(x + i, n - i)), n - i)
        i += LANES
    lanes.leave_mode(saved)
    return out


# Numerators and denominators of AS 241, highest power first: the middle, the tails, the far tails.
cdef double[8] MIDDLE = [
    2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4, 4.5921953931549871457e+4,
    1.3731693765509461125e+4, 1.9715909503065514427e+3, 1.3314166789178437745e+2, 3.3871328727963666080e+0]
cdef double[8] UNDER_MIDDLE = [
    5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4, 2.1213794301586595867e+4,
    5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1.0]
cdef double[8] TAIL = [
    7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e+0,
    3.64784832476320460504e+0, 5.76949722146069140550e+0, 4.63033784615654529590e+0, 1.42343711074968357734e+0]
cdef double[8] UNDER_TAIL = [
    1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
    6.89767334985100004550e-1, 1.67638483018380384940e+0, 2.05319162663775882187e+0, 1.0]
cdef double[8] FAR = [
    2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
    2.96560571828504891230e-1, 1.78482653991729133580e+0, 5.46378491116411436990e+0, 6.65790464350110377720e+0]
cdef double[8] UNDER_FAR = [
    2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
    1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1.0]


cdef inline vec ratio(const double* above, const double* under, vec x) noexcept nogil:
    cdef vec p = splat(above[0]), q = splat(under[0])
    cdef int i
    for i in range(1, 8):
        p = lanes.fma(p, x, splat(above[i]))
        q = lanes.fma(q, x, splat(under[i]))
    return p / q


cdef inline vec quantile(vec u) noexcept nogil:
    """The quantile of the standard normal law at probability u, 0 < u < 1."""
    cdef vec q = u - splat(0.5)
    cdef vec inside = splat(0.180625) - q * q       # >= 0 where |q| <= 0.425
    cdef vec r = lanes.sqrt(-lanes.log(select_le0(q, u, splat(1) - u)))
    cdef vec tail = select_le0(r - splat(5), ratio(TAIL, UNDER_TAIL, r - splat(1.6)), ratio(FAR, UNDER_FAR, r - splat(5)))
    return select_le0(-inside, q * ratio(MIDDLE, UNDER_MIDDLE, inside), select_le0(q, -tail, tail))


def _orthonormalise(q):
    """Make the rows of q (n, n) orthonormal, in order and in place."""
    cdef REAL* row = <REAL*>cnp.PyArray_DATA(q)
    cdef long n = len(q), i
    cdef lanes.mode saved = lanes.enter_mode()
    for i in range(n):
        unit(row + i * n, row, i, n)
    lanes.leave_mode(saved)
