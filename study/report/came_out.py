"""What the nets of a preset learned, in a few sentences."""

import pandas as pd

from study.report.answer import answer
from study.report.names import in_list
from study.report.trials import NET


def came_out(found, short_answer):
    """Sentences in Markdown; () where a few could not tell it.

    `short_answer` : that of its report, or None
    """
    if short_answer:
        return short_answer.sentences[:1]
    half = found.tables.get("half_success", pd.DataFrame(columns=["task"]))
    knobs = [knob for knob in NET if knob in half and half[knob].nunique() > 1]
    if knobs and half["task"].nunique() == half["init"].nunique() == 1:
        kinds = [_of_kind(dict(zip(knobs, kind)), arms) for kind, arms in half.groupby(knobs, sort=False)]
        return (f"The gap that half of the nets learned, with its 95 % interval, {'; '.join(kinds)}.",)
    told = answer([found])
    return told.sentences if told else ()


def _of_kind(knobs, arms):
    """What the nets with these values of the knobs learned."""
    kind = ", ".join(f"{knob} {value}" for knob, value in knobs.items())
    return f"with {kind}: " + ", ".join(f"{in_list(arm.cell)} {arm.shown}" for arm in arms.itertuples())
