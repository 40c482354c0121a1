"""What is run: a trial with all its knobs, and the study that asks for many.

A trial is one training run, frozen; its id is a hash of its knobs and of the numerics, so it depends on no position, no
order and no default spelled out. A study is data: knobs that are fixed, grids of axes to cross, and where the learning
rates come from. Knobs that mean nothing to a trial (the merge of a forward layer, the horizon of a cell without gates)
go back to their defaults, so that equal computations have equal ids and collapse where grids overlap.
"""

import difflib
import hashlib
import json
from functools import cached_property
from itertools import product
from math import prod
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, Strict, ValidationError, ValidationInfo
from pydantic import create_model, model_validator
from pydantic_core import PydanticCustomError

from kernels import CELLS, NUMERICS

MOST_TRIALS, MOST_SELECTING = 1_000_000, 100_000
MOST_WRONG = 1000  # points of grids that cannot be, before the rest is not looked at
MOST_LINES = 100  # of what is wrong
WORD = "[a-z0-9][a-z0-9_-]{0,63}"


class SpecError(ValueError):
    """A study, a trial or an argument that cannot be: one line for each thing that is wrong."""


def unknown(kind, name, known):
    """The line for a name that nothing has, with the nearest one that something has."""
    near = difflib.get_close_matches(str(name)[:64], list(known), n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"unknown {kind} {name!r:.80}{hint} (known: {', '.join(known)})"


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
Name = Annotated[str, Field(pattern=rf"^{WORD}$")]
Line = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Size = Annotated[int, Field(ge=1, le=4096)]
Gap = Annotated[int, Field(ge=0, le=1_000_000)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Trial(_Frozen):
    """One training run: everything that its numbers depend on."""

    cell: Cell
    units: Size = 32
    direction: Literal["forward", "reverse", "both"] = "forward"
    merge: Literal["concat", "sum", "mean", "learned"] = "concat"
    task: TaskName = "recall/past"
    gap: Gap
    init: Literal["standard", "long"] = "standard"
    horizon: Annotated[int, Field(ge=3, le=1_000_000)] | None = None
    lr: Rate | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    purpose: Literal["train", "select"] = "train"
    budget: Annotated[int, Field(ge=1, le=1_000_000_000)] = 128_000
    batch: Size = 32
    optimizer: Literal["adam", "sgd"] = "adam"
    clip: Rate = 1.0
    method: Literal["bptt", "guess"] = "bptt"
    dtype: Literal["float32", "float64"] = "float32"

    @model_validator(mode="after")
    def _means_something(self, info: ValidationInfo):
        if self.direction != "both":
            self._default("merge")
        if self.method == "guess":
            self._default("init", "lr", "batch", "optimizer", "clip")
        elif self.lr is None:
            raise ValueError("lr: training needs a learning rate")
        if self.init != "long" or not CELLS[self.cell].retains:
            self._default("horizon")
        elif self.horizon is None:
            raise ValueError(f"horizon: {self.cell} with init 'long' needs one (the longest time to be remembered)")
        task = (info.context or {}).get("tasks", {}).get(self.task)
        if task is not None and self.gap < task.smallest_gap:
            raise ValueError(f"gap: {self.task} needs at least {task.smallest_gap}, got {self.gap}")
        if task is not None and task.rule is None and self.method == "guess":
            raise ValueError(f"method: {self.task} has no pass rule to guess by")
        return self

    def _default(self, *knobs):
        for knob in knobs:
            object.__setattr__(self, knob, DEFAULTS[knob])

    def knobs(self, always=()):
        """The knobs that are not at their default, and those named in `always`."""
        return {
            knob: value
            for knob in Trial.model_fields
            if (value := getattr(self, knob)) != DEFAULTS.get(knob) or knob in always
        }

    @cached_property
    def id(self):
        """What the trial is, to be read, and 16 hexadecimal digits of what it is exactly."""
        known = json.dumps({"numerics": NUMERICS, **self.knobs()}, sort_keys=True, separators=(",", ":"))
        digest = hashlib.sha256(known.encode()).hexdigest()[:16]
        direction = f"both-{self.merge}" if self.direction == "both" else self.direction
        stage = ["select"] if self.purpose == "select" else []
        method = ["guess"] if self.method == "guess" else []
        task = self.task.replace("/", "-")
        gap, seed = f"gap{self.gap}", f"seed{self.seed}"
        return "-".join([*stage, task, self.cell, *method, direction, self.init, gap, seed, digest])


DEFAULTS = {name: field.default for name, field in Trial.model_fields.items() if not field.is_required()}
KNOBS = tuple(name for name in Trial.model_fields if name != "purpose")  # those that a study may set


def annotated(knob):
    """The type of a knob with its bounds, as Trial has it."""
    field = Trial.model_fields[knob]
    return Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation


_Knobs = create_model("_Knobs", __base__=_Frozen, **{knob: (annotated(knob) | None, None) for knob in KNOBS})
_Axes = create_model(
    "_Axes",
    __base__=_Frozen,
    **{
        knob: (Annotated[tuple[annotated(knob), ...], Strict(False), Field(min_length=1)] | None, None)
        for knob in KNOBS
    },
)


def _given(model):
    return {knob: value for knob in KNOBS if (value := getattr(model, knob)) is not None}


class Selection(_Frozen):
    """Where the learning rates come from that a grid leaves out: seeds of their own, a stated gap for each task.

    `committed` names the study and preset whose committed table is taken where it has an answer.
    """

    rates: Annotated[tuple[Rate, ...], Strict(False), Field(min_length=1, max_length=100)]
    seeds: Annotated[int, Field(ge=1, le=1000)]
    gap: dict[TaskName, Gap]
    committed: Annotated[str, Field(pattern=rf"^{WORD}/{WORD}$")] | None = None

    def task_for(self, task):
        """The task on which rates for `task` are chosen: itself, or the one of its family that has a gap."""
        family = [name for name in self.gap if name.split("/")[0] == task.split("/")[0]]
        if task in self.gap:
            return task
        if len(family) != 1:
            raise SpecError(f"selection.gap: expected a gap for {task} or for one task of its family, got {family}")
        return family[0]


class Grid(_Frozen):
    """Axes to cross, and seeds 0 .. seeds - 1 (or an axis `seed`)."""

    name: Line
    seeds: Annotated[int, Field(ge=1, le=100_000)] | None = None
    axes: _Axes

    @model_validator(mode="after")
    def _one_source_of_seeds(self):
        if self.seeds is not None and self.axes.seed is not None:
            raise ValueError("seeds: give either seeds or the axis seed")
        return self

    def crossed(self):
        """{knob: values} in the order in which they are crossed."""
        seeds = {} if self.seeds is None else {"seed": tuple(range(self.seeds))}
        return _given(self.axes) | seeds

    def size(self):
        return prod(len(values) for values in self.crossed().values())

    def with_seeds(self, seeds):
        """The same grid with seeds 0 .. seeds - 1 if it has fewer."""
        if len(self.crossed().get("seed", (0,))) >= seeds:
            return self
        axes = {knob: values for knob, values in _given(self.axes).items() if knob != "seed"}
        return Grid.model_validate({"name": self.name, "seeds": seeds, "axes": axes})


class Arm(NamedTuple):
    """A point of the grids. `key` is (task, cell, init) of the choice that gives its rate, None where it has one."""

    trial: Trial
    key: tuple | None

    def at(self, rate):
        """The trial at that learning rate."""
        return self.trial if self.key is None else Trial(**self.trial.knobs() | {"lr": rate})


class Study(_Frozen):
    """A study with one preset's grids. `horizon`, where nobody sets it, is the largest gap of the grids."""

    name: Name
    preset: Name = "default"
    title: Line = ""
    knobs: _Knobs = _Knobs()
    grids: Annotated[tuple[Grid, ...], Strict(False), Field(min_length=1, max_length=1000)]
    selection: Selection | None = None
    _context: dict | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _is_not_endless(self, info: ValidationInfo):
        self._context = info.context
        if (trials := sum(grid.size() for grid in self.grids)) > MOST_TRIALS:
            raise ValueError(f"grids: {trials:,} trials; at most {MOST_TRIALS:,}")
        return self

    @cached_property
    def fixed(self):
        """The knobs that all grids share."""
        gaps = [gap for grid in self.grids for gap in grid.axes.gap or ()]
        largest = max(3, self.knobs.gap or 0, *gaps)
        return {"horizon": largest} | _given(self.knobs)

    @cached_property
    def arms(self):
        """Every point of the grids once, in order, as Arms; SpecError names each combination that cannot be."""
        arms, wrong, count = {}, {}, 0
        for name, point in self._points():
            try:
                arms[self._arm(self.fixed | point)] = None
            except (ValidationError, SpecError) as error:
                count += 1
                for line in lines(error):
                    wrong.setdefault(f"grids.{name}: {line}", point)
            if count == MOST_WRONG:
                break
        if wrong:
            raise SpecError("\n".join(_first([f"{line}, at {point}" for line, point in wrong.items()])))
        return tuple(arms)

    def _points(self):
        for grid in self.grids:
            axes = grid.crossed()
            for values in product(*axes.values()):
                yield grid.name, dict(zip(axes, values))

    def _arm(self, knobs):
        chosen = self.selection and knobs.get("lr") is None and knobs.get("method") != "guess"
        if not chosen:
            return Arm(self._trial(knobs), None)
        trial = self._trial(knobs | {"lr": self.selection.rates[0]})
        return Arm(trial, (self.selection.task_for(trial.task), trial.cell, trial.init))

    def _trial(self, knobs):
        return Trial.model_validate(knobs, context=self._context)

    @cached_property
    def selecting(self):
        """{key: trials} that choose a rate: forward, with the study's units, other knobs as the key's first arm."""
        first = {}
        for trial, key in self.arms:
            if key is not None:
                first.setdefault(key, trial)
        if first and (trials := len(first) * self.selection.seeds * len(self.selection.rates)) > MOST_SELECTING:
            raise SpecError(f"selection: {trials:,} trials to choose {len(first)} rates; at most {MOST_SELECTING:,}")
        same = {"direction": "forward", "purpose": "select", "units": self.fixed.get("units", DEFAULTS["units"])}
        return {
            key: tuple(
                self._trial(
                    trial.knobs()
                    | same
                    | {"task": key[0], "gap": self.selection.gap[key[0]], "lr": rate, "seed": seed}
                )
                for rate in self.selection.rates
                for seed in range(self.selection.seeds)
            )
            for key, trial in first.items()
        }

    def trials(self, rates):
        """The trials whose rate is known, in order, each once; rates: {key: learning rate}."""
        known = (arm for arm in self.arms if arm.key is None or arm.key in rates)
        return tuple({trial.id: trial for arm in known for trial in [arm.at(rates.get(arm.key))]}.values())

    def with_seeds(self, seeds):
        """The same study with at least that many seeds in each grid."""
        grids = [grid.with_seeds(seeds).model_dump(exclude_none=True) for grid in self.grids]
        return Study.model_validate(self.data() | {"grids": grids}, context=self._context)

    def data(self):
        """Plain data that reads back as this study, with nothing left to be worked out."""
        return self.model_dump(exclude_none=True) | {"knobs": self.fixed}


def lines(error):
    """What is wrong, one line for each thing, each with the path of its key; of very many, the first and how many more."""
    if not isinstance(error, ValidationError):
        return str(error).splitlines()
    wrong = error.errors(include_url=False)
    deeper = {wrong["loc"][:end] for wrong in wrong for end in range(len(wrong["loc"]))}
    shown = [one for one in wrong if one["type"] != "too_short" or one["loc"] not in deeper]
    return _first(shown, _line)


def _first(wrong, line=str):
    more = [f"and {len(wrong) - MOST_LINES:,} more"] if len(wrong) > MOST_LINES else []
    return [*map(line, wrong[:MOST_LINES]), *more]


def _line(wrong):
    *above, key = wrong["loc"] or ("",)
    path = ".".join(f"{part!s:.80}" for part in wrong["loc"])
    message = wrong["msg"].removeprefix("Value error, ")
    if wrong["type"] == "unknown":
        message = unknown(wrong["ctx"]["kind"], wrong["input"], wrong["ctx"]["known"].split())
    elif wrong["type"] == "extra_forbidden":
        owner = above[-1] if above else ""
        message = unknown("key", key, _KEYS.get(owner) or _KEYS["grids" if "grids" in above else ""])
    elif wrong["type"] != "value_error" and wrong["type"] != "missing":
        message = f"{message.replace('tuple', 'list').replace('Tuple', 'List')}, got {_shown(wrong['input'])}"
    return f"{path}: {message}" if path else message


def _shown(value):
    try:
        return f"{value!r:.80}"
    except ValueError:  # Python does not write out whole numbers of so many digits
        return "a number of thousands of digits"


_KEYS = {
    "": tuple(Study.model_fields),
    "grids": tuple(Grid.model_fields),
    "selection": tuple(Selection.model_fields),
    "knobs": KNOBS,
    "axes": KNOBS,
}


def read(data, tasks=None):
    """Plain data -> Study, with every arm and every selection trial checked.

    Parameters
    ----------
    data : dict, as a study file or a PRESETS entry of an ablation holds it
    tasks : {name: Task}, against which names and gaps are checked; None: they are not

    Raises
    ------
    SpecError
        Everything that is wrong, one line each.
    """
    try:
        study = Study.model_validate(data, context={"tasks": tasks} if tasks else None)
        study.arms, study.selecting
    except ValidationError as error:
        raise SpecError("\n".join(lines(error))) from None
    return study
