"""The knobs of a trial in words, for `list knobs`. All of it is read from study.trial.knobs.Trial."""

from typing import NamedTuple

from pydantic import TypeAdapter

from study.trial.knobs import KNOBS, Trial, annotated


class Knob(NamedTuple):
    """A line of `list knobs`."""

    name: str
    values: str
    default: str
    meaning: str


def knob(name):
    """The Knob of that name."""
    field = Trial.model_fields[name]
    default = "needed" if field.is_required() else "none" if field.default is None else str(field.default)
    return Knob(name, values(TypeAdapter(annotated(name)).json_schema()), default, field.description)


def every():
    """All knobs that a study may set, in the order of Trial."""
    return [knob(name) for name in KNOBS]


def values(schema):
    """The values that the JSON schema of a knob admits, in words."""
    if "anyOf" in schema:
        return next(values(option) for option in schema["anyOf"] if option != {"type": "null"})
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    kind = {"integer": "whole number", "number": "number", "string": "name", "boolean": "true or false"}[schema["type"]]
    bounds = [
        f"{word} {schema[key]:,}"
        for key, word in (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"), ("exclusiveMaximum", "below"))
        if key in schema
    ]
    return " ".join([kind, *bounds])
