"""A study as data: fixed knobs, grids of axes to cross and of knobs to draw, and where the learning rates come from.

Points of the grids that are the same trial become one.
"""

from functools import cached_property
from itertools import product
from math import prod
from typing import Annotated, NamedTuple

from pydantic import Field, PrivateAttr, Strict, ValidationError, ValidationInfo, create_model, model_validator

from study.errors import SpecError, unknown
from study.plan.draws import SOURCES, Draws, Search
from study.plan.tuning import Tuning
from study.trial.knobs import DEFAULTS, KNOBS, Frozen, Gap, Rate, TaskName, Trial, annotated

MOST_TRIALS, MOST_SELECTING = 1_000_000, 100_000
MOST_WRONG = 1000  # invalid points of the grids, after which the rest is not checked
MOST_LINES = 100  # mistakes that one message lists
WORD = "[a-z0-9][a-z0-9_-]{0,63}"
Name = Annotated[str, Field(pattern=rf"^{WORD}$")]
Line = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


_Knobs = create_model("_Knobs", __base__=Frozen, **{knob: (annotated(knob) | None, None) for knob in KNOBS})
_Axes = create_model(
    "_Axes",
    __base__=Frozen,
    **{
        knob: (Annotated[tuple[annotated(knob), ...], Strict(False), Field(min_length=1)] | None, None)
        for knob in KNOBS
    },
)


def _given(model):
    return {knob: value for knob in KNOBS if (value := getattr(model, knob)) is not None}


class Selection(Frozen):
    """How learning rates are chosen that no grid sets: candidate rates, a number of seeds, and a gap for each task.

    `committed` is the "study/preset" whose committed table of learning rates goes first.
    """

    rates: Annotated[tuple[Rate, ...], Strict(False), Field(min_length=1, max_length=100)]
    seeds: Annotated[int, Field(ge=1, le=1000)]
    gap: dict[TaskName, Gap]
    committed: Annotated[str, Field(pattern=rf"^{WORD}/{WORD}$")] | None = None

    def key(self, trial):
        """The rate key of a trial that learns."""
        return self.task_for(trial.task), trial.cell, trial.initialisation

    def ladder(self):
        """All rates that may be chosen."""
        return self.rates

    def most(self):
        """How many trials choose a rate."""
        return len(self.rates) * self.seeds

    def task_for(self, task):
        """The task on which rates for `task` are chosen: itself, or the one with a gap of those that differ in the last part only."""
        family = [name for name in self.gap if name.rsplit("/", 1)[0] == task.rsplit("/", 1)[0]]
        if task in self.gap:
            return task
        if len(family) != 1:
            raise SpecError(f"selection.gap: expected a gap for {task} or for one task of its family, got {family}")
        return family[0]


class Grid(Frozen):
    """Axes to cross, with the seeds 0 .. seeds - 1 or an axis `seed`, and with draws of other knobs."""

    name: Line
    seeds: Annotated[int, Field(ge=1, le=100_000)] | None = None
    axes: _Axes
    draws: Draws | None = None

    @model_validator(mode="after")
    def _one_source_of_seeds(self):
        if self.seeds is not None and self.axes.seed is not None:
            raise ValueError("seeds: give either seeds or the axis seed")
        return self

    def crossed(self):
        """{knob: values}, in the order of crossing."""
        seeds = {} if self.seeds is None else {"seed": tuple(range(self.seeds))}
        return _given(self.axes) | seeds

    def drawn(self):
        """{knob: its choices, or the ends of its range}."""
        return {knob: source.values() for knob, source in self.draws.sources.items()} if self.draws else {}

    def points(self):
        """Yield ({knob: value}, the Search that drew them or None) for each point."""
        axes = self.crossed()
        for values in product(*axes.values()):
            crossed = dict(zip(axes, values))
            if self.draws is None:
                yield crossed, None
                continue
            where = (f"{knob} {value}" for knob, value in crossed.items() if knob != "seed")
            search = Search(", ".join([self.name, *where]), tuple(self.drawn()))
            yield from ((crossed | draw, search) for draw in self.draws.points(crossed))

    def size(self):
        return prod(len(values) for values in self.crossed().values()) * (self.draws.n if self.draws else 1)

    def with_seeds(self, seeds):
        """The grid with at least the seeds 0 .. seeds - 1."""
        if len(self.crossed().get("seed", (0,))) >= seeds:
            return self
        data = self.model_dump(exclude_none=True)
        axes = {knob: values for knob, values in data["axes"].items() if knob != "seed"}
        return Grid.model_validate(data | {"seeds": seeds, "axes": axes})


class Point(NamedTuple):
    """A point of the grids: a trial, and the rate key by which its learning rate is chosen.

    The rate key is (task, cell, initialisation) for a selection, an arm at one gap for tuning, and None if the trial needs no rate or the
    grid sets it. With a rate key, the trial's own learning rate is a stand-in.
    """

    trial: Trial
    rate_key: tuple | None

    def at(self, rate):
        """The trial with the learning rate that was chosen for its rate key."""
        return self.trial if self.rate_key is None else Trial(**self.trial.knobs() | {"lr": rate})


class Study(Frozen):
    """A study with the grids of one preset. The default of `horizon` is the largest gap of the grids."""

    name: Name
    preset: Name = "default"
    title: Line = ""
    knobs: _Knobs = _Knobs()
    grids: Annotated[tuple[Grid, ...], Strict(False), Field(min_length=1, max_length=1000)]
    selection: Selection | None = None
    tuning: Tuning | None = None
    _context: dict | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _is_not_endless(self, info: ValidationInfo):
        self._context = info.context
        if (trials := sum(grid.size() for grid in self.grids)) > MOST_TRIALS:
            raise ValueError(f"grids: {trials:,} trials; at most {MOST_TRIALS:,}")
        if self.selection and self.tuning:
            raise ValueError("tuning: expected either tuning or selection, got both")
        return self

    @model_validator(mode="after")
    def _one_source_of_each_knob(self):
        fixed = {"seed": "seeds are crossed with the draws"}
        fixed |= {knob: "fixed in [knobs], too" for knob in _given(self.knobs) if knob != "horizon"}  # which `data` writes out
        errors = []
        for n, grid in enumerate(self.grids):
            elsewhere = fixed | {knob: "crossed in axes, too" for knob in _given(grid.axes)}
            errors += [f"grids.{n}.draws.knobs.{knob}: {elsewhere[knob]}; expected a knob that is drawn alone"
                       for knob in grid.drawn() if knob in elsewhere]
        if errors:
            raise ValueError("\n".join(errors))
        return self

    @property
    def choosing(self):
        """How learning rates are chosen that no grid sets; None if they are not."""
        return self.tuning or self.selection

    @cached_property
    def fixed(self):
        """The knobs that all grids share."""
        gaps = [gap for grid in self.grids for gap in (*(grid.axes.gap or ()), *grid.drawn().get("gap", ()))]
        largest = max(3, self.knobs.gap or 0, *gaps)
        return {"horizon": largest} | _given(self.knobs)

    @property
    def points(self):
        """Every point of the grids once, in order."""
        return tuple(self.places)

    @cached_property
    def searches(self):
        """{point: the Search that drew it}, None for points that a grid without draws has, too."""
        return {point: search for point, (search, _) in self._crossed.items()}

    @cached_property
    def places(self):
        """{point: names of its grids}"""
        return {point: names for point, (_, names) in self._crossed.items()}

    @cached_property
    def _crossed(self):
        """{point: (its Search, names of its grids)}; SpecError names each combination that cannot be."""
        points, errors, count, checked = {}, {}, 0, {}
        for name, knobs, search in ((grid.name, *point) for grid in self.grids for point in grid.points()):
            others = tuple(item for item in knobs.items() if item[0] != "seed")
            try:
                if others in checked and "seed" in knobs:  # the seed decides nothing about validity
                    point = Point(checked[others].trial.model_copy(update={"seed": knobs["seed"]}), checked[others].rate_key)
                else:
                    point = checked[others] = self._point(self.fixed | knobs)
                before, names = points.get(point, (search, ()))
                points[point] = search and before, (*names, name)
            except (ValidationError, SpecError) as error:
                count += 1
                for line in lines(error):
                    errors.setdefault(f"grids.{name}: {line}", knobs)
            if count == MOST_WRONG:
                break
        if errors:
            raise SpecError("\n".join(_shortened([f"{line}, at {knobs}" for line, knobs in errors.items()])))
        return points

    def _point(self, knobs):
        if not self.choosing or knobs.get("lr") is not None:
            return Point(self._trial(knobs), None)
        trial = self._trial(knobs | {"lr": self.choosing.rates[0]})
        return Point(trial, self.choosing.key(trial) if trial.learns else None)

    def _trial(self, knobs):
        return Trial.model_validate(knobs, context=self._context)

    @cached_property
    def rate_keys(self):
        """{rate key: the first trial with it}. SpecError if choosing the rates takes too many trials."""
        first = {}
        for trial, key in self.points:
            if key is not None:
                first.setdefault(key, trial)
        if first and (trials := len(first) * self.choosing.most()) > MOST_SELECTING:
            table = "tuning" if self.tuning else "selection"
            raise SpecError(f"{table}: {trials:,} trials to choose {len(first)} learning rates; at most {MOST_SELECTING:,}")
        return first

    @cached_property
    def selecting(self):
        """{rate key: trials} of a selection.

        They read forward and have the study's units; their other knobs are those of the first point with that key.
        """
        if not self.selection:
            return {}
        units = self.fixed.get("units", DEFAULTS["units"])
        same = {"direction": "forward", "purpose": "select", "method": "bptt", "units": units, "record": "brief"}
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
            for key, trial in self.rate_keys.items()
        }

    def idle(self):
        """One line for each knob or table that the file sets, but on which no trial depends: `tied` without a grid, say.

        `horizon` is left out, because `data` writes it out for every study.
        """
        places = {f"knobs.{knob}": (knob, (value,)) for knob, value in _given(self.knobs).items()}
        for n, grid in enumerate(self.grids):
            places |= {f"grids.{n}.axes.{knob}": (knob, values) for knob, values in _given(grid.axes).items()}
            places |= {f"grids.{n}.draws.knobs.{knob}": (knob, values) for knob, values in grid.drawn().items()}
        errors = []
        for place, (knob, values) in places.items():
            default = DEFAULTS.get(knob)
            asked = [value for value in values if value != default] if knob in DEFAULTS and knob != "horizon" else []
            if asked and all(getattr(trial, knob) == default for trial, _ in self.points):
                meaning = Trial.model_fields[knob].description
                errors.append(f"{place}: no trial depends on it ({meaning}); expected it to be left out, got {asked[0]!r}")
        if self.choosing and not self.rate_keys:
            table = "tuning" if self.tuning else "selection"
            errors.append(f"{table}: every trial that learns has an lr; expected lr, or [{table}], to be left out")
        return errors

    def with_seeds(self, seeds):
        """The study with at least that many seeds in each grid."""
        grids = [grid.with_seeds(seeds).model_dump(exclude_none=True) for grid in self.grids]
        return Study.model_validate(self.data() | {"grids": grids}, context=self._context)

    def data(self):
        """Plain data that `read` turns into this study, with derived knobs written out."""
        return self.model_dump(exclude_none=True) | {"knobs": self.fixed}


def lines(error):
    """The mistakes of a ValidationError or SpecError, one line each with the path of its key, MOST_LINES at most."""
    if not isinstance(error, ValidationError):
        return str(error).splitlines()
    wrong = error.errors(include_url=False)
    deeper = {wrong["loc"][:end] for wrong in wrong for end in range(len(wrong["loc"]))}
    shown = [one for one in wrong if one["type"] != "too_short" or one["loc"] not in deeper]
    return _shortened(shown, _line)


def _shortened(wrong, line=str):
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
        message = f"{message.replace('tuple', 'list').replace('Tuple', 'List')}, got {_repr(wrong['input'])}"
    return f"{path}: {message}" if path else message


def _repr(value):
    try:
        return f"{value!r:.80}"
    except ValueError:  # Python does not print an int of thousands of digits
        return "a number of thousands of digits"


_KEYS = {
    "": tuple(Study.model_fields),
    "grids": tuple(Grid.model_fields),
    "selection": tuple(Selection.model_fields),
    "tuning": tuple(Tuning.model_fields),
    "knobs": KNOBS,
    "axes": KNOBS,
    "draws": tuple(Draws.model_fields),
    **{knob: tuple(source.model_fields) for knob, source in SOURCES.items()},
}


def read(data, tasks=None):
    """The Study of plain data, with all of its trials checked.

    Parameters
    ----------
    data : dict, as a study file or a PRESETS entry of an ablation holds it
    tasks : {name: Task} to check names and gaps against; None skips these checks

    Raises
    ------
    SpecError
        Lists every mistake, one line each.
    """
    try:
        study = Study.model_validate(data, context={"tasks": tasks} if tasks else None)
        study.points, study.rate_keys, study.selecting
    except ValidationError as error:
        raise SpecError("\n".join(lines(error))) from None
    return study
