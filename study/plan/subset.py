"""A part of a study's trials, as the options --only and --seeds name it."""

from typing import NamedTuple

from pydantic import TypeAdapter, ValidationError

from study.errors import SpecError, listed, unknown
from study.plan.spec import lines
from study.trial.knobs import KNOBS, annotated


class Subset(NamedTuple):
    """The trials whose knobs have one of the given values, {knob: values}, and whose seed is below `seeds`.

    `grids` : names, of which one is that of a grid with the trial; None: any grid
    """

    axes: dict
    seeds: int | None = None
    grids: frozenset | None = None

    def has(self, trial, ignore=()):
        """Whether it holds the trial, whatever its grids; the knobs in `ignore` are not compared."""
        seeded = self.seeds is None or trial.seed < self.seeds
        return seeded and all(getattr(trial, axis) in values for axis, values in self.axes.items() if axis not in ignore)

    def may_have(self, point, grids):
        """Whether it holds the trial of a point of these grids, at some learning rate where that is still to be chosen."""
        placed = self.grids is None or not self.grids.isdisjoint(grids)
        return placed and self.has(point.trial, ignore=() if point.rate_key is None else ("lr",))


EVERYTHING = Subset({})


def parse(texts, seeds, study):
    """The Subset of `AXIS=VALUE[,VALUE]` arguments.

    The axis `grid` takes names of grids. Raises SpecError for an axis or a value that the study does not have, and if no trial of the
    study is left.
    """
    axes, errors, grids = {}, [], set()
    for text in texts:
        axis, _, values = text.partition("=")
        if axis == "grid":
            errors += _names(study, values, grids)
            continue
        if axis not in KNOBS:
            errors.append("--only: " + unknown("axis", axis, ("grid", *KNOBS)))
            continue
        planned = _values(study, axis)
        for value in values.split(","):
            try:
                wanted = TypeAdapter(annotated(axis)).validate_strings(value)
            except ValidationError as error:
                errors += [f"--only {axis}: {line}" for line in lines(error)]
                continue
            if wanted not in planned:
                errors.append(f"--only {axis}={value}: the plan has {listed(sorted(planned - {None}))}")
            axes.setdefault(axis, set()).add(wanted)
    if errors:
        raise SpecError("\n".join(errors))
    subset = Subset(axes, seeds, frozenset(grids) or None)
    if not any(subset.may_have(point, grids) for point, grids in study.places.items()):
        raise SpecError("no trial of the plan is left by --only and --seeds")
    return subset


def _names(study, values, grids):
    """Add names of grids to `grids`; returns messages about names that no grid has. A name may have commas, if it is alone."""
    known = dict.fromkeys(grid.name for grid in study.grids)
    wanted = [values] if values in known else values.split(",")
    grids.update(known.keys() & set(wanted))
    return [f"--only grid: {unknown('grid', name, known)}" for name in wanted if name not in known]


def _values(study, axis):
    """All values of an axis in the study; for `lr`, those that may be chosen too."""
    if axis != "lr":
        return {getattr(point.trial, axis) for point in study.points}
    given = {point.trial.lr for point in study.points if point.rate_key is None}
    return given | set(study.choosing.ladder() if study.choosing else ())
