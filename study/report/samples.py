"""Sentences as the nets of a study read them, one of each kind of cue, from the tasks themselves."""

from types import SimpleNamespace

import kernels
from study.report.trials import trained
from study.statistics.carrier import noun
from study.tasks import TASKS, _symbols

STREAM = "a sentence of the report"


def samples(frame):
    """For each kind of cue: `kind`, a `sentence` with the cue and the effect word in bold, and numbers that describe its task."""
    runs = trained(frame)
    tasks = [name for name in sorted(runs["task"].unique()) if TASKS[name].contrasts]
    last = {noun(name): name for name in tasks}  # of a kind, the one with the most attractors
    return [_sample(kind, TASKS[name], runs[runs["task"] == name]["gap"].min()) for kind, name in last.items()]


def _sample(kind, task, gap):
    batch = task.draw(kernels.Stream(STREAM), batch=1, gap=gap)
    texts = [_symbols.text(task.symbols, [symbol]) for symbol in (*batch.x.symbols[:, 0], batch.target[-1])]
    read = int(batch.read[batch.judged][0])
    bold = [f"**{word}**" if step in (read - gap, read + 1) else word for step, word in enumerate(texts)]
    return SimpleNamespace(kind=kind, sentence=" ".join(bold), gap=gap, effects=round(1 / task.chance["score"]), vocabulary=task.inputs)
