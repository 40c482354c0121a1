"""Compares the records of two folders: trials that are in one only, and numbers that differ.

Trials are matched by their knobs, not by their ids, so that records from before and after a change of NUMERICS can be compared.
"""

import json

from study.trial.knobs import DEFAULTS


def compare(first, second):
    """Compare two study.records.store.Contents.

    Returns
    -------
    {"same": count, "only_a": [ids], "only_b": [ids], "differ": {id in a: [difference]}}, sorted by id. `differences` describes a
    difference; id, status and result are compared.
    """
    a, b = _by_knobs(first), _by_knobs(second)
    both = [knobs for knobs in a if knobs in b]
    differ = {}
    for knobs in both:
        if first.lines[a[knobs]] != second.lines[b[knobs]]:
            parts = (_compared(contents.record(id)) for contents, id in ((first, a[knobs]), (second, b[knobs])))
            if places := list(differences(*parts)):
                differ[a[knobs]] = places
    return {
        "same": len(both) - len(differ),
        "only_a": sorted(id for knobs, id in a.items() if knobs not in b),
        "only_b": sorted(id for knobs, id in b.items() if knobs not in a),
        "differ": dict(sorted(differ.items())),
    }


def _by_knobs(contents):
    trials = {id: contents.record(id)["trial"].items() for id in contents.lines}
    return {json.dumps(sorted((k, v) for k, v in knobs if v != DEFAULTS.get(k))): id for id, knobs in trials.items()}


def _compared(record):
    return {key: record[key] for key in ("id", "status", "result")}


def differences(a, b, path=""):
    """Yield every place where two JSON values differ, in order.

    Numbers are compared by their shortest decimal form, which determines their bits.

    Yields
    ------
    {"at": path, "a": value, "b": value}, without "a" or "b" if that side has nothing there; for two numbers also "by": b - a
    """
    if isinstance(a, dict) and isinstance(b, dict):
        for key in [*a, *(key for key in b if key not in a)]:
            at = f"{path}.{key}" if path else str(key)
            if key in a and key in b:
                yield from differences(a[key], b[key], at)
            else:
                yield {"at": at, **({"a": a[key]} if key in a else {"b": b[key]})}
    elif isinstance(a, list) and isinstance(b, list):
        yield from differences(dict(enumerate(a)), dict(enumerate(b)), path)
    elif json.dumps(a) != json.dumps(b):
        yield {"at": path, "a": a, "b": b} | ({"by": b - a} if _number(a) and _number(b) else {})


def _number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def words(difference, a="a", b="b"):
    """A difference in one line; `a` and `b` name the two sides."""
    if "a" not in difference or "b" not in difference:
        return f"{difference['at']}: only {a if 'a' in difference else b}"
    by = f" ({difference['by']:+.3g})" if difference.get("by") else ""
    return f"{difference['at']}: {a} {_short(difference['a'])}, {b} {_short(difference['b'])}{by}"


def text(id, differences, a, b, most):
    """A trial's id and its first `most` differences, one a line."""
    lines = [words(difference, a, b) for difference in differences[:most]]
    rest = [f"and {len(differences) - most} more numbers"] if len(differences) > most else []
    return "\n    ".join([id, *lines, *rest])


def _short(value):
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
