"""Checks of arguments and attributes: every error names the argument, what was expected and what came.

A kernel knows pointers and sizes only, so whatever leads one outside of an array is refused here: arrays are taken as views of
NumPy's own class, whose shape nobody else can set, and the attributes that sizes follow from are fixed or checked.
"""

import difflib
import math
import numbers
import reprlib
import weakref

import numpy as np

FLOATS = (np.dtype("float32"), np.dtype("float64"))
INTEGERS = tuple(np.dtype(f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64))


def fits(name, a, dtypes, shape):
    """`a`, with any strides, as an array of NumPy's own class: a subclass may misstate its shape and dtype.

    `dtypes`: those allowed. `shape`: an integer is the size expected, a letter stands for any size of 1 or more.
    Raises TypeError (no array, another dtype, a mask that would be ignored) or ValueError (shape).
    """
    if type(a) is not np.ndarray and isinstance(a, np.ndarray):
        if isinstance(a, np.ma.MaskedArray):
            raise TypeError(f"{name}: expected an array without a mask, got a masked array; a.filled(value) has none")
        a = np.asarray(a)
    if not isinstance(a, np.ndarray) or a.dtype not in dtypes:
        raise TypeError(f"{name}: expected an array of {_either(dtypes)}, got {_kind(a)}")
    sizes(name, a.shape, shape)
    return a


def sizes(name, found, shape):
    """Refuse (ValueError) what is not of a shape, in which a letter stands for any size of 1 or more."""
    if found != shape and (len(found) != len(shape) or any(map(_misses, found, shape))):
        raise ValueError(f"{name}: expected shape ({', '.join(map(str, shape))}{',' * (len(shape) == 1)}), got {found}")


def array(name, a, dtypes, shape):
    """As `fits`; a copy where `a` is not C-contiguous and aligned."""
    a = fits(name, a, dtypes, shape)
    return a if a.flags.c_contiguous and a.flags.aligned else np.array(a, order="C")


def changed(name, a, dtypes, shape):
    """As `fits`, for an array that is changed in place: what would have to be copied is refused (ValueError)."""
    a = fits(name, a, dtypes, shape)
    if not (a.flags.c_contiguous and a.flags.aligned and a.flags.writeable):
        raise ValueError(f"{name}: expected a C-contiguous, writeable array, for it is changed in place")
    return a


def integers(name, a, shape):
    """As `array`, for integers of any width; lists will do."""
    try:
        a = a if isinstance(a, np.ndarray) else np.asarray(a)
    except ValueError:      # lists of unequal lengths
        raise ValueError(f"{name}: expected one shape, got {_kind(a)}") from None
    return array(name, a, INTEGERS, shape)


def pinned(a):
    """(a view of `a`, what keeps its memory in place as long as it is referred to).

    Neither a new shape for `a` nor ``a.resize(shape, refcheck=False)`` reaches the view: NumPy resizes no array that has a weak
    reference.
    """
    view, pins = a.view(), []
    while isinstance(a, np.ndarray):
        pins.append(weakref.ref(a))
        a = a.base
    return view, pins


def choice(name, value, allowed):
    """`value`, one of the strings `allowed`; ValueError suggests the nearest."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name}: expected one of {', '.join(allowed)}, got {value!r}{nearest(value, allowed)}")
    return value


def nearest(value, allowed):
    """The end of a message about an unknown name: "; did you mean 'lstm'?", or "" where no name is close."""
    near = difflib.get_close_matches(str(value)[:64], list(allowed), 1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""


def whole(name, value, least=1, most=None):
    """`value` as an int of at least `least`, and at most `most`."""
    expected = f"an integer of {least} or more" if most is None else f"an integer in {least}..{most}"
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}: expected {expected}, got {value!r}")
    found = int(value)      # compared as an int: a class of integers may answer what it likes
    if found < least or (most is not None and found > most):
        raise ValueError(f"{name}: expected {expected}, got {value!r}")
    return found


def number(name, value, least=-math.inf, below=math.inf, dtype=None):
    """`value` as a finite float with least <= value < below, and finite when it is rounded to `dtype`."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name}: expected a number, got {value!r}")
    try:
        result = float(value)
    except OverflowError:
        result = math.inf
    if not (least <= result < below and math.isfinite(result)):
        bounds = ", ".join([f"at least {least:g}"] * (least > -math.inf) + [f"below {below:g}"] * (below < math.inf))
        raise ValueError(f"{name}: expected a finite number{', ' * bool(bounds)}{bounds}, got {value!r}")
    if dtype is not None and abs(result) > float(np.finfo(dtype).max):
        raise ValueError(f"{name}: expected a number within {dtype}'s range of +-{np.finfo(dtype).max:.3g}, got {value!r}")
    return result


def dtype(name, value):
    """np.dtype of "float32" or "float64" (or of NumPy's own names for them)."""
    try:
        result = np.dtype(value)
    except TypeError:
        result = None
    if value is None or result is None or result not in FLOATS:
        raise ValueError(f'{name}: expected "float32" or "float64", got {value!r}')
    return result


class Fixed:
    """An attribute that is set once (AttributeError): sizes that were computed from it would no longer hold."""

    def __set_name__(self, owner, name):
        self.name = name

    def __set__(self, instance, value):
        if self.name in vars(instance):
            kind = type(instance).__name__
            raise AttributeError(f"{kind}.{self.name}: expected no change after construction, got {value!r}; make another {kind}")
        vars(instance)[self.name] = value


class FixedDict(Fixed):
    """A dict that is set once. Reading it gives a copy, so that no change to a copy reaches its owner."""

    def __get__(self, instance, owner=None):
        return self if instance is None else dict(vars(instance)[self.name])


class Number:
    """An attribute that holds a number of 0 or more, below a bound, and finite in the dtype of its instance."""

    def __init__(self, below=math.inf):
        self.below = below

    def __set_name__(self, owner, name):
        self.name = name

    def __set__(self, instance, value):
        vars(instance)[self.name] = number(self.name, value, 0, self.below, instance.dtype)


def _misses(size, wanted):
    return size < 1 if isinstance(wanted, str) else size != wanted


def _either(dtypes):
    return " or ".join(map(str, dtypes))


def _kind(a):
    return f"one of {a.dtype}" if isinstance(a, np.ndarray) else f"{type(a).__name__} {reprlib.repr(a)}"


def truncation(cell, truncated):
    """Refuse truncated errors for a cell in which they would flow along no path, or along every one."""
    if truncated and not cell.truncates:
        missing = "no state but h" if len(cell.states) == 1 else "no paths but its states' own"
        raise ValueError(f"truncated: expected False, for {cell.name} has {missing}")
