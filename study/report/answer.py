"""The answer to the question of the project, in three sentences whose numbers come from the records, and one picture."""

from math import isinf
from typing import NamedTuple

from kernels import CELLS
from study.records.table import where
from study.report.findings import Findings
from study.report.names import by_registry, in_list
from study.report.trials import forward

FIGURE, TASK = "half_success", "recall/past"
CAPTION = "The gap that half of the nets learned, with its 95 % interval. In the grey strips: beyond the tested gaps, which are the ticks."
STARTS = {
    "standard": "With standard initial weights (uniform, forget bias 1)",
    "long": "With gate biases set for memories of up to {horizon} steps, or orthogonal weights for the tanh RNN",
}


class Answer(NamedTuple):
    """`found` : the Findings whose FIGURE is the picture; `command` trains again what it draws"""

    found: Findings
    sentences: list
    command: str


def answer(presets):
    """The Answer of the Findings whose rates are tuned at each gap, then whose picture has the most arms; None where none has it."""
    able = [(found, arms) for found in presets if len(arms := _arms(found))]
    if not able:
        return None
    found, arms = max(able, key=lambda one: (bool(one[0].study.tuning), len(one[1]), len(one[0].frame)))
    trials = where(forward(found.frame), task=TASK)
    horizon = f"{trials['horizon'].max():g}"
    learned = [_learned(STARTS[init].format(horizon=horizon), of_init) for init in STARTS if len(of_init := where(arms, init=init))]
    command = f"python -m study run {found.study.name} --preset {found.study.preset} --out again --only task={TASK}"
    return Answer(found, [*learned, _sure(found.study, trials, arms)], command)


def _arms(found):
    """The arms of the picture that start in one of STARTS."""
    arms = found.drawn(FIGURE)
    return () if arms is None else arms[arms["init"].isin(list(STARTS))]


def _learned(start, arms):
    """What the nets of a start learned; cells that reached the same stand together."""
    cells = {}
    for cell in by_registry(arms["cell"]):
        cells.setdefault(_gap(where(arms, cell=cell).iloc[0]), []).append(in_list(cell))
    reached = [f"{_listed(titles)}: {gap}" for gap, titles in cells.items()]
    return f"{start}, half of the nets learned to use a cue this many steps back: {'; '.join(reached)}."


def _listed(names):
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _gap(arm):
    """A half-success gap in words."""
    gaps = str(arm["gaps"]).split()
    return f"more than {gaps[-1]}, the largest gap tried" if isinf(arm["value"]) else f"{arm['value']:.0f}" if arm["value"] else f"fewer than {gaps[0]}"


def _sure(study, trials, arms):
    seeds = trials.groupby(["cell", "init", "gap"])["seed"].nunique().min()
    doubted = arms["lr_doubt"].notna().sum()
    rates = "The learning rate is tuned for each cell at each gap" if study.tuning else "The learning rate of a cell is chosen at one gap"
    reasons = "; ".join(dict.fromkeys(arms["lr_doubt"].dropna()))
    too_small = f" {doubted} of these {len(arms)} numbers may be too small, for this reason: {reasons}." if doubted else ""
    return (f"At least {seeds} nets from different seeds stand behind each number at each gap, trained on at most {trials['budget'].max():,} "
            f"sequences each; bars are 95 % intervals. {rates}.{too_small}")
