"""A user's mistake, and the message that names it."""

from kernels import checks


class SpecError(ValueError):
    """A study, a trial or an argument that is not valid. The message has one line for each mistake."""


def unknown(kind, name, known):
    """The message for an unknown name: lists the known ones and suggests the nearest."""
    return f"unknown {kind} {name!r:.80}{checks.nearest(name, known)} (known: {', '.join(known)})"
