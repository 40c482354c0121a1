"""The answer to the question of the project, in three sentences whose numbers come from the records, and one picture."""

from math import isinf
from typing import NamedTuple

from scipy.stats import spearmanr

from kernels import CELLS
from study.records.table import where
from study.report.findings import Findings

FIGURE = "learned_and_reached"
CAPTION = (
    "Each mark is a cell with one initialisation. Across: the steps back after which 1/e of the gradient is left, before training. Up: the "
    "gap that half of the seeds learned, with its 95 % interval."
)
FEWEST = 4  # arms of a correlation
STARTS = {"standard": "With standard initial weights", "long": "With initial weights made for long memories"}


class Answer(NamedTuple):
    """`found` : the Findings whose FIGURE is the picture"""

    found: Findings
    sentences: list


def answer(presets):
    """The Answer of the Findings whose picture has the most arms, then the most trials; None where none has it."""
    able = [(found, arms) for found in presets if len(arms := _arms(found))]
    if not able:
        return None
    found, arms = max(able, key=lambda one: (len(one[1]), len(one[0].frame)))
    starts = [sentence for init in STARTS if (sentence := _learned(init, where(arms, init=init)))]
    return Answer(found, [*starts, _why(arms)])


def _arms(found):
    """The arms of the picture that start in one of STARTS."""
    arms = found.drawn(FIGURE)
    return () if arms is None else arms[arms["init"].isin(list(STARTS))]


def _learned(init, arms):
    groups = [f"{name}, {_gaps(group)}" for name, group in _groups(arms)]
    return groups and f"{STARTS[init]}, half of the seeds learned to use a cue from that far back: {'; '.join(groups)}."


def _groups(arms):
    """(name, arms) of cells without a gate that retains, and of those with one."""
    gated = arms["cell"].map(lambda cell: bool(CELLS[cell].retains))
    for group, several in ((arms[~gated], "cells without gates"), (arms[gated], "gated cells")):
        if len(group):
            yield (CELLS[group["cell"].iloc[0]].title if len(group) == 1 else f"{len(group)} {several}"), group


def _gaps(arms):
    """The range of half-success gaps in words."""
    values, grids = arms["value"], [[int(gap) for gap in str(row).split()] for row in arms["gaps"]]
    low, high = values.min(), values.max()
    beyond = f"more than {min((grid[-1] for grid, value in zip(grids, values) if isinf(value)), default=0)} steps, the largest gap tried"
    below = f"fewer than {max((grid[0] for grid, value in zip(grids, values) if not value), default=0)}"
    if isinf(low):
        return beyond
    if not high:
        return f"{below} steps"
    least, most = f"{low:.0f}" if low else below, beyond if isinf(high) else f"{high:.0f} steps"
    return most if low == high else f"{least} to {most}"


def _why(arms):
    starts = [f"{STARTS[init].lower()}: {'; '.join(reached)}" for init in STARTS
              if (reached := [f"{name}, {_range(group['constant'])}" for name, group in _groups(where(arms, init=init))])]
    doubted = arms["lr_doubt"].notna().sum()
    untuned = f" Untuned, so that a better learning rate may exist: {doubted} of them." if doubted else ""
    said = f"Why? Look at the gradient before training, and the steps back after which 1/e of it is left, {'; '.join(starts)}."
    if len(arms) < FEWEST or arms["value"].nunique() == 1:
        return said + untuned
    correlation = spearmanr(arms["constant"], arms["value"]).statistic
    agreed = f"Over all {len(arms)} arms, this number and the gap that was learned have a rank correlation of {correlation:.2f}."
    return f"{said} {agreed}{untuned}"


def _range(values):
    ends = dict.fromkeys(f"{value:.0f}" if value >= 10 else f"{value:.2g}" for value in (values.min(), values.max()))
    return " to ".join(ends)
