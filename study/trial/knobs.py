"""A trial: one run with all its knobs, frozen, and the id that they give it. Each knob is documented where it is declared.

The id is a hash of the knobs and of the numerics, so it does not depend on position, order or defaults that are spelled out.
Knobs without effect on a trial (the merge of a forward layer, the horizon of a cell without gates) are set back to their defaults,
so that equal computations have equal ids and collapse where grids overlap. Knobs that contradict each other are refused.
"""

import hashlib
import json
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, model_validator
from pydantic_core import PydanticCustomError

from kernels import CELLS, NUMERICS
from study.tasks import LEFT_OUT
from study.tasks._data import check as check_data
from study.trial import published


def _cell(name):
    if name not in CELLS:
        raise _unknown("cell", CELLS)
    return name


def _task(name, info: ValidationInfo):
    tasks = (info.context or {}).get("tasks")
    if tasks is not None and name not in tasks:
        if name in LEFT_OUT:
            raise ValueError(LEFT_OUT[name])
        raise _unknown("task", tasks)
    if tasks is not None and tasks[name].data:
        check_data(tasks[name].data)
    return name


def _unknown(kind, known):
    """An error without its message: of thousands, only a few are shown, and `study.plan.spec.lines` writes theirs."""
    return PydanticCustomError("unknown", "unknown", {"kind": kind, "known": " ".join(known)})


def _number(value):
    """The value, if it stays itself in float32 to rounding: kernels would compute with 0 or infinity in its place. -0 is +0."""
    if abs(value) > LARGEST or (np.float32(value) == 0) != (value == 0):
        raise ValueError(f"expected a number that float32 can hold, got {value!r}")
    return value + 0.0


def _below_one(value):
    if np.float32(value) == 1:
        raise ValueError(f"expected a number below 1 in float32 too, got {value!r}")
    return value


MOST_OF_GRID = 6  # layers
LARGEST = float(np.finfo(np.float32).max)
Cell = Annotated[str, AfterValidator(_cell)]
TaskName = Annotated[str, Field(max_length=64), AfterValidator(_task)]
Size = Annotated[int, Field(ge=1, le=4096)]
Gap = Annotated[int, Field(ge=0, le=1_000_000)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False), AfterValidator(_number)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False), AfterValidator(_number)]
Decay = Annotated[float, Field(ge=0, lt=1), AfterValidator(_number), AfterValidator(_below_one)]
Factor = Annotated[float, Field(gt=0, le=1)]
Bias = Annotated[float, Field(ge=-100, le=100), AfterValidator(_number)]
Horizon = Annotated[int, Field(ge=3, le=1_000_000)]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Trial(Frozen):
    """One trial: everything that its numbers depend on."""

    cell: Cell = Field(description="the recurrent cell; `list cells` shows all")
    units: Size = Field(32, description="H, the units of a layer")
    block: Size = Field(
        1, description="S, neighbouring cells that share their gates, a memory cell block as in 1997; for an LSTM without peepholes"
    )
    direction: Literal["forward", "reverse", "both"] = Field("forward", description="in which direction a layer reads the sequence")
    merge: Literal["concat", "sum", "mean", "learned"] = Field(
        "concat", description="how the outputs of both directions become one; for direction both"
    )
    layers: Annotated[int, Field(ge=1, le=8)] = Field(
        1, description="L, recurrent layers, one above the other; all have the same cell, units, direction and merge"
    )
    stack: Literal["plain", "residual", "grid"] = Field(
        "plain",
        description="what a layer gives to the one above: its outputs; from the second on with its inputs added; or grid, states along "
        "depth, for cells with the states h and c alone, direction forward and up to 6 layers",
    )
    tied: bool = Field(False, description="all layers have the same weights; for stack grid")
    head: Literal["last", "attention"] = Field(
        "last", description="what answers are computed from: the state where they are read, or this and other states by attention"
    )
    attention: Literal["additive", "general", "dot"] = Field(
        "additive", description="how other states are scored against the one that is read; for head attention"
    )
    output: Literal["task", "sigmoid"] = Field(
        "task", description="softmax with cross-entropy for classes, sigmoids with it for binary numbers, squared error for numbers; or a "
        "sigmoid with squared error"
    )
    task: TaskName = Field("recall/past", description="what is learned; `list tasks` shows all")
    gap: Gap = Field(description="steps between cue and answer, or the scale of the task's windows; `list tasks` says which")
    init: Literal["standard", "long", "published"] = Field(
        "standard", description="family of initial weights: uniform with forget bias 1, made for long memories, or those of the paper that "
        "the task comes from"
    )
    horizon: Horizon | None = Field(
        None, description="longest time to remember, by which init long sets gate biases; if not given, the largest gap of the study"
    )
    scheme: Literal["uniform", "glorot", "orthogonal", "identity"] = Field(
        "uniform", description="initial W and U; orthogonal and identity change only U; for init standard"
    )
    forget_bias: Bias = Field(1.0, description="initial bias of the gate that retains; for init standard")
    chrono: Horizon | None = Field(
        None, description="longest time to remember, by which gate biases are set instead of by forget_bias; for init standard"
    )
    lr: Rate | None = Field(None, description="learning rate; if not given, chosen by the study's selection or tuning")
    seed: Annotated[int, Field(ge=0, lt=2**31)] = Field(
        0, description="of data and initial weights; `seeds = N` of a grid stands for 0 to N - 1"
    )
    purpose: Literal["train", "select"] = Field("train", description="a trial of the study itself, or one that chooses a learning rate")
    budget: Annotated[int, Field(ge=1, le=1_000_000_000)] = Field(128_000, description="most training sequences")
    batch: Size = Field(32, description="B, sequences of an update")
    optimizer: Literal["adam", "sgd"] = Field("adam", description="how a gradient changes the weights")
    momentum: Decay = Field(0.0, description="fraction of the last update that is added to the next one; for optimizer sgd")
    lr_decay: Factor = Field(1.0, description="factor of the learning rate at each step of a stream, from its start on; for tasks of streams")
    beta1: Decay = Field(0.9, description="decay of the mean of gradients; for optimizer adam")
    beta2: Decay = Field(0.999, description="decay of the mean of squared gradients; for optimizer adam")
    epsilon: NotNegative = Field(1e-8, description="added to the root of the mean of squared gradients; for optimizer adam")
    clip: Rate = Field(1.0, description="bound of clipping; a longer gradient is scaled down to it")
    clipping: Literal["norm", "value", "off"] = Field(
        "norm", description="what clip bounds: the norm of the gradient, each number of it, or nothing"
    )
    truncated: bool = Field(
        False, description="errors flow back along the states' own paths only, as in 1997; for cells with a memory c"
    )
    method: Literal["bptt", "guess", "probe"] = Field(
        "bptt", description="backpropagation through time, random weight guessing, or probes of the gradients of a net"
    )
    after: Annotated[int, Field(ge=0, le=1_000_000_000)] = Field(
        0, description="most sequences that a net learns from before it is probed, 0 for a fresh net; it stops at the pass rule"
    )
    window: Annotated[int, Field(ge=10, le=2000)] | None = Field(
        None, description="sequences that the pass rule looks at; if not given, the published number"
    )
    test_gap: Literal[1, 2, 4, 8] = Field(
        1, description="the net is also tested at 2, 4 and 8 times its gap, up to this multiple; it learns at its gap only"
    )
    dtype: Literal["float32", "float64"] = Field("float32", description="precision of weights and arithmetic")

    record: Literal["full", "brief"] = Field(
        "full", description="what is recorded of training: all, or neither learning curve nor gradient norms nor where a head looks"
    )

    @model_validator(mode="after")
    def _drop_what_has_no_effect(self, info: ValidationInfo):
        if self.direction != "both":
            self._default("merge")
        if self.head != "attention":
            self._default("attention")
        self._check_stack()
        if self.optimizer != "sgd":
            self._default("momentum")
        if self.optimizer != "adam":
            self._default("beta1", "beta2", "epsilon")
        if self.clipping == "off":
            self._default("clip")
        if self.method != "bptt":
            self._default("record")
        if self.method != "probe":
            self._default("after")
        elif self.direction != "forward":
            raise ValueError(f"direction: a probe looks at forward nets, got {self.direction!r}")
        if self.method == "guess":
            self._default("init", "scheme", "forget_bias", "chrono", *LEARNING)
        elif self.method == "probe":
            self._default("budget", "test_gap", *(() if self.after else (*LEARNING, "window")))
        if self.learns and self.lr is None:
            raise ValueError("lr: training needs a learning rate")
        self._check_block()
        self._check_initialisation()
        if self.truncated and not CELLS[self.cell].truncates:
            missing = "state but h" if len(CELLS[self.cell].states) == 1 else "path but its states' own"
            raise ValueError(f"truncated: {self.cell} has no {missing}; expected false")
        task = (info.context or {}).get("tasks", {}).get(self.task)
        if task is not None:
            task.check(self.gap, "gap")
            self._check_longer(task)
            if task.segment:
                self._check_plain(f"the streams of {self.task} go through one layer that reads forward")
            if task.writes and self.direction != "forward":
                raise ValueError(f"direction: {self.task} asks for the next step, which a net must not have seen; expected 'forward', "
                                 f"got {self.direction!r}")
        if task is not None and task.rule is None:
            self._default("window")
        if task is not None and not task.segment:
            self._default("lr_decay")
        if task is not None and self.head == "attention" and not task.has_past(self.gap, self.direction):
            raise ValueError(f"head: attention needs a step besides the one that is read, got {self.task} at gap {self.gap}")
        if task is not None and self.output == "sigmoid" and task.rule is not None and task.rule.beyond is not None:
            raise ValueError(f"output: {self.task} has targets of both signs, a sigmoid gives numbers of 0 to 1; expected 'task'")
        if task is not None and task.rule is None and self.method == "guess":
            raise ValueError(f"method: {self.task} has no pass rule to guess by")
        return self

    def _check_stack(self):
        """Refuse a grid of a cell or a direction that it cannot have."""
        if self.stack != "grid" or self.layers == 1:
            self._default("tied")
        if self.stack != "grid":
            if self.layers == 1:
                self._default("stack")
            return
        if CELLS[self.cell].states != ("h", "c"):
            raise ValueError(f"stack: a grid needs a cell with the states h and c alone, got {self.cell}")
        if self.direction != "forward":
            raise ValueError(f"direction: a grid reads forward, got {self.direction!r}")
        if self.layers > MOST_OF_GRID:
            raise ValueError(f"layers: a grid has 1 to {MOST_OF_GRID}, got {self.layers}")

    def _check_plain(self, why):
        """Refuse nets of more than one layer that reads forward and head last."""
        for knob in ("direction", "layers", "head", "stack"):
            if vars(self)[knob] != DEFAULTS[knob]:
                raise ValueError(f"{knob}: {why}; expected {DEFAULTS[knob]!r}, got {vars(self)[knob]!r}")

    def _check_longer(self, task):
        """Refuse further tests at gaps that the task does not have, or at which its nets are others."""
        if self.test_gap > 1:
            task.check(self.gap * self.test_gap, "test_gap")
            here, longer = task.at(self.gap), task.at(self.gap * self.test_gap)
            if (here.inputs, here.outputs) != (longer.inputs, longer.outputs):
                raise ValueError(f"test_gap: {self.task} has {here.inputs} inputs at gap {self.gap} and {longer.inputs} at "
                                 f"{self.gap * self.test_gap}; expected 1")

    def _check_block(self):
        """Refuse memory cell blocks that the cell cannot have."""
        if self.block > 1 and not CELLS[self.cell].gates:
            sharing = " ".join(name for name, cell in CELLS.items() if cell.gates)
            raise ValueError(f"block: cells of {self.cell} share no gates, those of {sharing} do; expected 1, got {self.block}")
        if self.units % self.block:
            raise ValueError(f"block: expected a divisor of {self.units} (units), got {self.block}")
        if self.block > 1 and self.stack == "grid":
            raise ValueError(f"block: a grid has no memory cell blocks; expected 1, got {self.block}")
        if self.block > 1 and self.scheme == "identity":
            raise ValueError(f"scheme: with blocks of {self.block} cells U of gates is not square; expected uniform, glorot or orthogonal")

    def _check_initialisation(self):
        """Refuse initial weights that the cell cannot have, and knobs that contradict each other."""
        values = vars(self)
        crossed = [knob for knob in ("scheme", "forget_bias", "chrono") if values[knob] != DEFAULTS[knob]]
        if crossed and self.init != "standard":
            raise ValueError(f"{crossed[0]}: init {self.init!r} says it already; expected init 'standard'")
        if self.scheme in ("orthogonal", "identity") and not CELLS[self.cell].recurrent:
            raise ValueError(f"scheme: {self.cell} has no U to be {self.scheme}; expected uniform or glorot")
        biases = [knob for knob in crossed if knob != "scheme"]
        if biases and not CELLS[self.cell].retains:
            raise ValueError(f"{biases[0]}: {self.cell} has no gate whose bias could be set")
        if len(biases) > 1:
            raise ValueError("forget_bias: chrono sets that bias; expected one of the two")
        if self.init == "published":
            self._check_plain(f"the published nets of {self.task} have one layer that reads forward")
            published.start(self.task, self.cell, self.units // self.block)
        if self.init != "long" or not CELLS[self.cell].retains:
            self._default("horizon")
        elif self.horizon is None:
            raise ValueError(f"horizon: {self.cell} with init 'long' needs one (the longest time to be remembered)")

    def _default(self, *knobs):
        for knob in knobs:
            object.__setattr__(self, knob, DEFAULTS[knob])

    @property
    def learns(self):
        """Whether weights are trained, which needs a learning rate."""
        return self.method == "bptt" or self.after > 0

    @property
    def start(self):
        """The study.trial.published.Start of init "published", else None."""
        return published.start(self.task, self.cell, self.units // self.block) if self.init == "published" else None

    @property
    def initialisation(self):
        """The initial weights in a word: the family, or its changes ("orthogonal", "orthogonal-bias5", "uniform-chrono200")."""
        if all(getattr(self, knob) == DEFAULTS[knob] for knob in ("scheme", "forget_bias", "chrono")):
            return self.init
        bias = "" if self.forget_bias == DEFAULTS["forget_bias"] else f"-bias{self.forget_bias:g}"
        return self.scheme + (bias if self.chrono is None else f"-chrono{self.chrono}")

    def knobs(self, always=()):
        """{name: value} of the knobs that are not at their default, and of those named in `always`."""
        values = vars(self)
        return {knob: values[knob] for knob, default in FIELDS if values[knob] != default or knob in always}

    @cached_property
    def id(self):
        """A readable part, and 16 hexadecimal digits of the hash of all knobs."""
        text = CANONICAL.encode({"numerics": NUMERICS, **self.knobs()})
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        direction = f"both-{self.merge}" if self.direction == "both" else self.direction
        stage = ["select"] if self.purpose == "select" else []
        method = [] if self.method == "bptt" else [self.method]
        task = self.task.replace("/", "-")
        gap, seed = f"gap{self.gap}", f"seed{self.seed}"
        return "-".join([*stage, task, self.cell, *method, direction, self.initialisation, gap, seed, digest])


LEARNING = ("lr", "batch", "optimizer", "momentum", "lr_decay", "beta1", "beta2", "epsilon", "clip", "clipping", "truncated")
DEFAULTS = {name: field.default for name, field in Trial.model_fields.items() if not field.is_required()}
FIELDS = tuple((name, DEFAULTS.get(name)) for name in Trial.model_fields)
CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
KNOBS = tuple(name for name in Trial.model_fields if name != "purpose")  # that a study may set


def annotated(knob):
    """The type of a knob of Trial, with its bounds."""
    field = Trial.model_fields[knob]
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
