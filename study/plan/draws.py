"""Random search: a grid draws the values of some knobs, instead of crossing them.

A draw depends on the seed of the draws, the knob and what it is drawn from, and, where draws are not shared, on the values of
the axes; not on how many draws there are, nor on other knobs that are drawn. Streams of `kernels` give the same bits on any
machine. A number is rounded to six significant digits, which people can read and type. A whole number is the floor of a draw
from the range to one above its end, so that both ends are drawn.
"""

from math import floor
from types import NoneType
from typing import Annotated, NamedTuple, get_args

from pydantic import AfterValidator, Field, Strict, TypeAdapter, create_model, model_validator

from kernels import Stream
from study.trial.knobs import CANONICAL, KNOBS, Frozen, annotated

MOST = 10_000  # draws of a grid


class Search(NamedTuple):
    """A random search: the name of its grid with the values of the axes, and the knobs that are drawn."""

    name: str
    knobs: tuple


class _Source(Frozen):
    """What the values of one knob are drawn from: one of its fields is given, and says how."""

    @model_validator(mode="after")
    def _one_kind(self):
        if len(given := [kind for kind in type(self).model_fields if getattr(self, kind) is not None]) != 1:
            raise ValueError(f"expected one of {', '.join(type(self).model_fields)}, got {' and '.join(given) or 'none'}")
        return self

    def values(self):
        """The choices, or the two ends of the range."""
        return next(value for kind in type(self).model_fields if (value := getattr(self, kind)) is not None)

    def draw(self, stream, n):
        """n values, a list. The first ones do not depend on n."""
        if self.choice is not None:
            return [self.choice[place] for place in stream.integers(n, len(self.choice))]
        low, high = self.values()
        law = stream.uniform if self.uniform is not None else stream.log_uniform
        if isinstance(low, int):
            drawn = map(floor, law(n, low, high + 1))
        else:
            drawn = (float(f"{value:.6g}") for value in law(n, low, high))
        return [min(max(value, low), high) for value in drawn]


def _in_order(ends):
    if not ends[0] < ends[1]:
        raise ValueError(f"expected two ends, the smaller one first, got {list(ends)}")
    return ends


def _above_zero(ends):
    if ends[0] <= 0:
        raise ValueError(f"expected ends above 0, which have a logarithm, got {list(ends)}")
    return ends


def _source(knob):
    """The model of a knob's source. Names, booleans, and numbers of which a knob takes a few only, are drawn by choice."""
    value = annotated(knob)
    value = get_args(value)[0] if NoneType in get_args(value) else value
    schema, listed = TypeAdapter(value).json_schema(), Annotated[tuple[value, ...], Strict(False), Field(min_length=1)]
    kinds = {"choice": listed}
    if schema["type"] in ("integer", "number") and "enum" not in schema:
        ends = Annotated[tuple[value, value], Strict(False), AfterValidator(_in_order)]
        kinds = {"log_uniform": Annotated[ends, AfterValidator(_above_zero)], "uniform": ends} | kinds
    return create_model(f"_{knob}", __base__=_Source, **{kind: (given | None, None) for kind, given in kinds.items()})


SOURCES = {knob: _source(knob) for knob in KNOBS}
_Sources = create_model("_Sources", __base__=Frozen, **{knob: (source | None, None) for knob, source in SOURCES.items()})


class Draws(Frozen):
    """n draws of some knobs, by streams with the given seed; `shared`: the same ones for all values of the grid's axes."""

    n: Annotated[int, Field(ge=1, le=MOST)]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    shared: bool = True
    knobs: _Sources

    @model_validator(mode="after")
    def _draws_something(self):
        if not self.sources:
            raise ValueError("knobs: expected a knob to draw, got none")
        return self

    @property
    def sources(self):
        """{knob: source} of the knobs that are drawn."""
        return {knob: source for knob in KNOBS if (source := getattr(self.knobs, knob)) is not None}

    def points(self, crossed):
        """The n draws [{knob: value}] where the grid's axes have the values {knob: value}."""
        apart = {} if self.shared else {knob: value for knob, value in crossed.items() if knob != "seed"}
        streams = ((source, Stream("draws", self.seed, knob, CANONICAL.encode(apart))) for knob, source in self.sources.items())
        columns = [source.draw(stream, self.n) for source, stream in streams]
        return [dict(zip(self.sources, values, strict=True)) for values in zip(*columns, strict=True)]
