"""A trial: one run with all its knobs, frozen, and the id that they give it.

The id is a hash of the knobs and of the numerics, so it depends on no position, no order and no default spelled out. Knobs
that mean nothing to a trial (the merge of a forward layer, the horizon of a cell without gates) go back to their defaults, so
that equal computations have equal ids and collapse where grids overlap; those that would say something untrue are refused.
"""

import hashlib
import json
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from kernels import CELLS, NUMERICS


def _cell(name):
    if name not in CELLS:
        raise _unknown("cell", CELLS)
    return name


def _task(name, info: ValidationInfo):
    tasks = (info.context or {}).get("tasks")
    if tasks is not None and name not in tasks:
        raise _unknown("task", tasks)
    return name


def _unknown(kind, known):
    """An error whose line is made when it is shown: of thousands, few are."""
    return PydanticCustomError("unknown", "unknown", {"kind": kind, "known": " ".join(known)})


Cell = Annotated[str, AfterValidator(_cell)]
TaskName = Annotated[str, Field(max_length=64), AfterValidator(_task)]
Size = Annotated[int, Field(ge=1, le=4096)]
Gap = Annotated[int, Field(ge=0, le=1_000_000)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Horizon = Annotated[int, Field(ge=3, le=1_000_000)]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Trial(Frozen):
    """One training run: everything that its numbers depend on.

    Initial weights are a family, `init`: "standard" (uniform, forget bias 1) or "long" (with its `horizon`). Of a standard
    start, `scheme`, `forget_bias` and `chrono` change one thing each, as in kernels.RNN.init. A probe looks at the gradients
    of a net that has learned from at most `after` sequences (training stops at the pass rule), 0 for one that is fresh.
    """

    cell: Cell
    units: Size = 32
    direction: Literal["forward", "reverse", "both"] = "forward"
    merge: Literal["concat", "sum", "mean", "learned"] = "concat"
    task: TaskName = "recall/past"
    gap: Gap
    init: Literal["standard", "long"] = "standard"
    horizon: Horizon | None = None
    scheme: Literal["uniform", "glorot", "orthogonal", "identity"] = "uniform"
    forget_bias: Annotated[float, Field(ge=-100, le=100)] = 1.0
    chrono: Horizon | None = None
    lr: Rate | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    purpose: Literal["train", "select"] = "train"
    budget: Annotated[int, Field(ge=1, le=1_000_000_000)] = 128_000
    batch: Size = 32
    optimizer: Literal["adam", "sgd"] = "adam"
    clip: Rate = 1.0
    clipping: Literal["norm", "value", "off"] = "norm"
    truncated: bool = False
    method: Literal["bptt", "guess", "probe"] = "bptt"
    after: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    window: Annotated[int, Field(ge=10, le=2000)] | None = None
    dtype: Literal["float32", "float64"] = "float32"

    @model_validator(mode="after")
    def _means_something(self, info: ValidationInfo):
        if self.direction != "both":
            self._default("merge")
        if self.clipping == "off":
            self._default("clip")
        if self.method != "probe":
            self._default("after")
        elif self.direction != "forward":
            raise ValueError(f"direction: a probe looks at forward nets, got {self.direction!r}")
        if self.method == "guess":
            self._default("init", "scheme", "forget_bias", "chrono", *LEARNING)
        elif self.method == "probe":
            self._default("budget", *(() if self.after else (*LEARNING, "window")))
        if self.learns and self.lr is None:
            raise ValueError("lr: training needs a learning rate")
        self._starts()
        if self.truncated and len(CELLS[self.cell].states) == 1:
            raise ValueError(f"truncated: {self.cell} has no state but h, so no path of its own is left; expected false")
        task = (info.context or {}).get("tasks", {}).get(self.task)
        if task is not None and self.gap < task.smallest_gap:
            raise ValueError(f"gap: {self.task} needs at least {task.smallest_gap}, got {self.gap}")
        if task is not None and task.rule is None:
            self._default("window")
        if task is not None and task.rule is None and self.method == "guess":
            raise ValueError(f"method: {self.task} has no pass rule to guess by")
        return self

    def _starts(self):
        """Refuse initial weights that mean nothing for the cell, or two things at once."""
        values = vars(self)
        crossed = [knob for knob in ("scheme", "forget_bias", "chrono") if values[knob] != DEFAULTS[knob]]
        if crossed and self.init != "standard":
            raise ValueError(f"{crossed[0]}: init {self.init!r} says it already; expected init 'standard'")
        biases = [knob for knob in crossed if knob != "scheme"]
        if biases and not CELLS[self.cell].retains:
            raise ValueError(f"{biases[0]}: {self.cell} has no gate whose bias could be set")
        if len(biases) > 1:
            raise ValueError("forget_bias: chrono sets that bias; expected one of the two")
        if self.init != "long" or not CELLS[self.cell].retains:
            self._default("horizon")
        elif self.horizon is None:
            raise ValueError(f"horizon: {self.cell} with init 'long' needs one (the longest time to be remembered)")

    def _default(self, *knobs):
        for knob in knobs:
            object.__setattr__(self, knob, DEFAULTS[knob])

    @property
    def learns(self):
        """Whether weights are trained: what needs a learning rate."""
        return self.method == "bptt" or self.after > 0

    @property
    def start(self):
        """How the weights start, in a word: the family, or what was crossed ("orthogonal", "orthogonal-bias5", "uniform-chrono200")."""
        if all(getattr(self, knob) == DEFAULTS[knob] for knob in ("scheme", "forget_bias", "chrono")):
            return self.init
        bias = "" if self.forget_bias == DEFAULTS["forget_bias"] else f"-bias{self.forget_bias:g}"
        return self.scheme + (bias if self.chrono is None else f"-chrono{self.chrono}")

    def knobs(self, always=()):
        """The knobs that are not at their default, and those named in `always`."""
        values = vars(self)
        return {knob: values[knob] for knob, default in FIELDS if values[knob] != default or knob in always}

    @cached_property
    def id(self):
        """What the trial is, to be read, and 16 hexadecimal digits of what it is exactly."""
        known = CANONICAL.encode({"numerics": NUMERICS, **self.knobs()})
        digest = hashlib.sha256(known.encode()).hexdigest()[:16]
        direction = f"both-{self.merge}" if self.direction == "both" else self.direction
        stage = ["select"] if self.purpose == "select" else []
        method = [] if self.method == "bptt" else [self.method]
        task = self.task.replace("/", "-")
        gap, seed = f"gap{self.gap}", f"seed{self.seed}"
        return "-".join([*stage, task, self.cell, *method, direction, self.start, gap, seed, digest])


LEARNING = ("lr", "batch", "optimizer", "clip", "clipping", "truncated")
DEFAULTS = {name: field.default for name, field in Trial.model_fields.items() if not field.is_required()}
FIELDS = tuple((name, DEFAULTS.get(name)) for name in Trial.model_fields)
CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
KNOBS = tuple(name for name in Trial.model_fields if name != "purpose")  # those that a study may set


def annotated(knob):
    """The type of a knob with its bounds, as Trial has it."""
    field = Trial.model_fields[knob]
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
