"""A user's mistake, and the message that names it."""

import difflib


class SpecError(ValueError):
    """A study, a trial or an argument that is not valid. The message has one line for each mistake."""


def unknown(kind, name, known):
    """The message for an unknown name: lists the known ones and suggests the nearest."""
    near = difflib.get_close_matches(str(name)[:64], list(known), n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown {kind} {name!r:.80}{hint} (known: {', '.join(known)})"
