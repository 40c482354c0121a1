"""A user's mistake, and the message that names it."""

from kernels import checks

MOST = 100  # names or values that a message lists


class SpecError(ValueError):
    """A study, a trial or an argument that is not valid. The message has one line for each mistake."""


def unknown(kind, name, known):
    """The message for an unknown name: suggests the nearest known one, and lists them, or the first of a large number."""
    return f"unknown {kind} {name!r:.80}{checks.nearest(name, known)} (known: {listed(known)})"


def listed(values):
    """The values in a row, or the first of a large number."""
    texts = list(map(str, values))
    return ", ".join(texts if len(texts) <= MOST else [*texts[:10], f"and {len(texts) - 10} more"])
