"""What each knob of a trial means and which values it takes, for people. The bounds are read off study.plan.spec.Trial."""

from typing import NamedTuple

from pydantic import TypeAdapter

from study.trial.knobs import KNOBS, Trial, annotated

MEANING = {
    "cell": "the recurrent cell; `list cells`",
    "units": "H, its units",
    "direction": "which way the sequence is read",
    "merge": "how the outputs of both directions become one; of direction both only",
    "task": "what is to be learned; `list tasks`",
    "gap": "steps between cue and read-out, or the scale of the task's windows; `list tasks` says which",
    "init": "family of initial weights: uniform with forget bias 1, or made for long memories",
    "horizon": "longest time that gate biases are started for, of init long; the largest gap of the study if not given",
    "scheme": "how W and U start, of init standard; `orthogonal` and `identity` are U's",
    "forget_bias": "bias of the gate that retains, of init standard",
    "chrono": "longest time that gate biases are started for, of init standard, instead of forget_bias",
    "lr": "learning rate; chosen by the study's selection if not given",
    "seed": "of data and initial weights; a grid's `seeds = N` stands for 0 to N - 1",
    "budget": "most training sequences",
    "batch": "B, sequences of an update",
    "optimizer": "what makes an update of a gradient",
    "clip": "largest norm of a gradient; a longer one is scaled down to it",
    "clipping": "what clip bounds: the norm of a gradient, each of its numbers, or nothing",
    "truncated": "errors flow back along the states' own paths only, as in 1997; of cells with a memory c",
    "method": "training by backpropagation through time, guessing weights, or a look at the gradients of a net",
    "after": "sequences that a net learns from, at most, before a probe looks at it; it stops at the pass rule",
    "window": "sequences that the task's pass rule looks at, fewer than the published number; that number if not given",
    "dtype": "precision of weights and arithmetic",
}


class Knob(NamedTuple):
    """A knob, as `list knobs` shows it."""

    name: str
    values: str
    default: str
    meaning: str


def knob(name):
    """The Knob of a name among study.plan.spec.KNOBS."""
    field = Trial.model_fields[name]
    default = "needed" if field.is_required() else "none" if field.default is None else str(field.default)
    return Knob(name, values(TypeAdapter(annotated(name)).json_schema()), default, MEANING[name])


def every():
    """All knobs, in the order of Trial."""
    return [knob(name) for name in KNOBS]


def values(schema):
    """What a JSON schema of a knob admits, in words."""
    if "anyOf" in schema:
        return next(values(one) for one in schema["anyOf"] if one != {"type": "null"})
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    kind = {"integer": "whole number", "number": "number", "string": "name", "boolean": "true or false"}[schema["type"]]
    bounds = [
        f"{word} {schema[key]:,}"
        for key, word in (("minimum", "from"), ("exclusiveMinimum", "above"), ("maximum", "to"), ("exclusiveMaximum", "below"))
        if key in schema
    ]
    return " ".join([kind, *bounds])
