"""What the public functions ask of their arguments; every refusal names the argument, what was expected and what came."""

import math
import numbers
import reprlib

import numpy as np

FLOATS = (np.dtype("float32"), np.dtype("float64"))
INTEGERS = tuple(map(np.dtype, "bhilqBHILQ"))


def fits(name, a, dtypes, shape):
    """`a` itself, whatever its strides.

    `dtypes`: the ones allowed. `shape`: an integer is a size that must be met, a letter any size of 1 or more.
    Raises TypeError (no array, another dtype) or ValueError (shape).
    """
    if not isinstance(a, np.ndarray) or a.dtype not in dtypes:
        raise TypeError(f"{name}: expected an array of {_either(dtypes)}, got {_kind(a)}")
    if a.shape != shape and (a.ndim != len(shape) or any(map(_misses, a.shape, shape))):
        raise ValueError(f"{name}: expected shape ({', '.join(map(str, shape))}{',' * (len(shape) == 1)}), got {a.shape}")
    return a


def array(name, a, dtypes, shape):
    """As `fits`; `a` itself if it is C-contiguous and aligned, else a copy that is."""
    fits(name, a, dtypes, shape)
    return a if a.flags.c_contiguous and a.flags.aligned else np.array(a, order="C")


def changed(name, a, dtypes, shape):
    """As `array`, for an array that is changed in place: what would have to be copied is refused (ValueError)."""
    if array(name, a, dtypes, shape) is not a or not a.flags.writeable:
        raise ValueError(f"{name}: expected a C-contiguous, writeable array, for it is changed in place")
    return a


def integers(name, a, shape):
    """As `array`, for integers of any width; lists will do."""
    try:
        found = np.asarray(a)
    except ValueError:      # lists of unequal lengths
        raise ValueError(f"{name}: expected one shape, got {_kind(a)}") from None
    return array(name, found, INTEGERS, shape)


def whole(name, value, least=1, most=None):
    """`value` as an int of at least `least`, and at most `most`."""
    expected = f"an integer of {least} or more" if most is None else f"an integer in {least}..{most}"
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}: expected {expected}, got {value!r}")
    if value < least or (most is not None and value > most):
        raise ValueError(f"{name}: expected {expected}, got {value!r}")
    return int(value)


def number(name, value, least=-math.inf, below=math.inf):
    """`value` as a finite float with least <= value < below."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}: expected a number, got {value!r}")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not (least <= found < below and math.isfinite(found)):
        bounds = ", ".join([f"at least {least:g}"] * (least > -math.inf) + [f"below {below:g}"] * (below < math.inf))
        raise ValueError(f"{name}: expected a finite number{', ' * bool(bounds)}{bounds}, got {value!r}")
    return found


def dtype(name, value):
    """np.dtype of "float32" or "float64" (or of NumPy's own names for them)."""
    try:
        found = np.dtype(value)
    except TypeError:
        found = None
    if value is None or found is None or found not in FLOATS:
        raise ValueError(f'{name}: expected "float32" or "float64", got {value!r}')
    return found


def _misses(size, wanted):
    return size < 1 if isinstance(wanted, str) else size != wanted


def _either(dtypes):
    return " or ".join(map(str, dtypes))


def _kind(a):
    return f"one of {a.dtype}" if isinstance(a, np.ndarray) else f"{type(a).__name__} {reprlib.repr(a)}"
