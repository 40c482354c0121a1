"""The command explain: why the trained net of one trial knows a word."""

import click
import numpy as np

from kernels import CELLS
from study.cli import JSON, OF_TRIAL, OUT, TRIAL, columns, dump, say
from study.cli.sample import symbols_of
from study.errors import SpecError
from study.probes import words
from study.records import find
from study.run.trained import Trained
from study.statistics.carrier import carrier, noun, percent
from study.tasks import TASKS
from study.trial.run import sentences

UNITS, STEPS = 5, (-1, 0, 1, 2, 5, 10, 20, 50, 100)  # that are printed: units; steps after the cue, besides the last one
WIDTH = 10  # characters of a bar


@click.command(epilog=OF_TRIAL)
@TRIAL
@OUT
@click.option("--sentence", metavar="TEXT", help="Words to follow, with spaces between them; a drawn sentence if not given.")
@JSON
def explain(id, out, sentence, as_json):
    """Say why the net of a recorded trial knows a word that an earlier one, the cue, decides.

    Which unit carries the cue: how many answers are right without it. What this unit does at each word of a sentence. How well the
    cue can be read from all states, by the steps since.

    A sentence of your own needs the weights: if `run --keep-weights` did not keep them, the trial is trained again first.
    """
    trained = Trained(find.find(out, id))
    trial, task, found = trained.trial, trained.task, trained.result.words
    if task.contrasts is None:
        known = ", ".join(name for name, known in TASKS.items() if known.contrasts)
        raise SpecError(f"{trial.id}: expected a task with a cue and an effect word ({known}), got {task.name}")
    if found is None:
        raise SpecError(f"{trial.id}: its record explains nothing; expected a net that was trained (method bptt, purpose train), reads "
                        "forward, has the head last and is no grid")
    own = None if sentence is None else _follow(trained, symbols_of(task, "sentence", sentence))
    if as_json:
        dump({"id": trial.id} | found | ({"sentence": own} if own else {}))
        return
    click.echo(f"{task.title} at gap {trial.gap}, {CELLS[trial.cell].title}, {trial.units} units\n"
               f"In {percent(found['accuracy'])} of {found['sentences']} sentences the net tells the right effect word from the others "
               f"(chance {percent(found['chance'])}).\n{carrier(found, task.name)}")
    for lines in (_own(own) if own else _drawn(found), _units(found), _decodable(found, noun(task.name))):
        click.echo("\n" + "\n".join(lines))


def _follow(trained, symbols):
    """{"words", "answer", "p", "cues", "effects", "trace"} of a sentence: cues {step: its effect word}, effects [steps]."""
    trial, task, net = trained.trial, trained.task, trained.net
    drawn = words.effects(sentences(trial, task).part(0, words.SENTENCES))
    effect = dict(zip(words.cues(drawn, trial.gap).tolist(), words.texts(words.names(task), drawn.target)))
    said = words.read_aloud(net, trained.weights(say), np.array([symbols]))
    answers, steps = [said.answers(task, step, [0]) for step in range(len(symbols))], np.arange(len(symbols))
    unit = trained.result.words["units"]["unit"][0]
    text = words.texts(task.symbols, symbols)
    return {
        "words": text, "answer": [word for (word,), _ in answers], "p": [p for _, (p,) in answers],
        "cues": {step: effect[symbol] for step, symbol in enumerate(symbols) if symbol in effect},
        "effects": [step for step, word in enumerate(text) if word in effect.values()],
        "trace": {"unit": unit, **said.along(unit, 0, steps)},
    }  # fmt: skip


def _own(own):
    """Lines about a sentence of the user's."""
    trace, memory = _series(own["trace"])
    yield f"Unit {own['trace']['unit']} at each word, and what the net expects next:"
    rows = [["step", "word", *trace, memory, "next word", ""]]
    for step, word in enumerate(own["words"]):
        mark = f"a cue of {own['cues'][step]}" if step in own["cues"] else "an effect word" if step in own["effects"] else ""
        expected = f"{own['answer'][step]} {percent(own['p'][step])}"
        rows.append([str(step), word, *_values(trace, step), _bar(trace[memory], step), expected, mark])
    yield from columns(rows)
    for what, places in (("a cue", own["cues"]), ("an effect word", own["effects"])):
        if not places:
            yield f"No word of the sentence is {what} of this task."


def _drawn(found):
    """Lines about the recorded sentence."""
    text, pair, (first, second, *third) = found["text"], found["pair"], found["traces"]
    trace, memory = _series(first)
    others = {f"{memory} with {pair['cue'][1]}": second} | {f"{memory} of unit {other['unit']}": other for other in third}
    yield f"Unit {first['unit']} at each word of a sentence{'' if len(text['steps']) > text['read'] else ', at some steps'}:"
    rows = [["step", "word", "", *trace, memory, *others]]
    for at, (step, word) in enumerate(zip(text["steps"], text["words"])):
        mark = "<- cue" if step == text["cue"] else f"-> {pair['right'][0]}" if step == text["read"] else ""
        beside = [f"{other[memory][at]:.2f}" for other in others.values()]
        rows.append([str(step), word, mark, *_values(trace, at), _bar(trace[memory], at), *beside])
    yield from columns(rows)
    for cue, right, answer, p in zip(*pair.values()):
        yield f"With \"{cue}\", \"{right}\" is right; the net says \"{answer}\" ({percent(p)})."


def _series(trace):
    """({name: gate or state at each step} of a trace, the name of its memory: c where the cell has it, else h)."""
    series = {name: values for name, values in trace.items() if name not in ("unit", "of")}
    return series, "c" if "c" in series else "h"


def _values(series, at):
    return [f"{values[at]:.2f}" for values in series.values()]


def _bar(values, at):
    """A number as a bar to the left or right of |, where the largest of the values has WIDTH characters."""
    bar = "#" * round(WIDTH * abs(values[at]) / (max(map(abs, values)) or 1))
    return f"{bar if values[at] < 0 else '':>{WIDTH}}|{bar if values[at] > 0 else '':<{WIDTH}}"


def _units(found):
    """Lines about the units."""
    units = found["units"]
    yield "Right answers where one unit does not know the sentence, for the units that matter most:"
    rows = [["without unit", "right", "worst for", "which falls by"]]
    for unit, drop, worst, there in list(zip(*units.values()))[:UNITS]:
        rows.append([str(unit), percent(found["accuracy"] - drop), worst if there > 0 else "", percent(there) if there > 0 else ""])
    yield from columns(rows)


def _decodable(found, cue):
    """Lines about the linear read-out."""
    after, right = found["decodable"].values()
    yield f"How often a linear read-out of all states names the {cue}, by steps after it (chance {percent(found['chance'])}):"
    rows = []
    for steps, share in zip(after, right):
        if steps in STEPS or steps == after[-1]:
            rows.append(["before" if steps < 0 else str(steps), percent(share), f"{'#' * round(2 * WIDTH * share):<{2 * WIDTH}}"])
    yield from columns(rows)
