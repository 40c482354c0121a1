"""Commands on the trained net of one trial: sample, weights, onnx."""

import json

import click

from study.cli import OF_TRIAL, OUT, TRIAL, Finite, columns, output, say
from study.errors import SpecError
from study.records import find
from study.records.weights import about, encode
from study.run.trained import Trained
from study.tasks import _symbols
from study.trial import sample
from study.trial.result import digest

LENGTH, MOST = 200, 1_000_000  # symbols that are written


@click.command("sample", epilog=OF_TRIAL)
@TRIAL
@OUT
@click.option("--prompt", metavar="TEXT", help="Symbols to begin with; drawn from the task if not given.")
@click.option("--length", type=click.IntRange(1, MOST), metavar="N", help=f"Most symbols that are written.  [default: {LENGTH}]")
@click.option("--temperature", type=Finite(0), metavar="X",
              help="Divides the logits: below 1 likely symbols become more likely, at 0 only the likeliest is taken.  [default: 1]")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), metavar="N", help="Of what is drawn.  [default: 0]")
def sample_(id, out, prompt, **drawing):
    """Let the net of a recorded trial write, or answer.

    Where the task's answers are the next symbols, the net writes a text. Else its answer is printed for each step of a sequence.

    Without weights that `run --keep-weights` kept, the trial is trained again first.
    """
    trained = Trained(find.find(out, id))
    if trained.task.symbols is None:
        raise SpecError(f"{trained.trial.id}: expected a task that has symbols, got {trained.task.name}")
    given = {name: value for name, value in drawing.items() if value is not None}
    symbols = None if prompt is None else symbols_of(trained.task, "prompt", prompt)
    (_write if trained.task.writes else _answer)(trained, symbols, given)


def symbols_of(task, option, text):
    """The symbols of a text that an option gives, as numbers."""
    try:
        symbols = _symbols.numbers(task.symbols, text)
    except ValueError as error:
        raise SpecError(f"--{option}: {error}") from None
    if not symbols:
        raise SpecError(f"--{option}: expected one symbol or more")
    return symbols


def _write(trained, symbols, drawing):
    """Print a text."""
    trial, task, net = trained.trial, trained.task, trained.net
    if trial.direction != "forward":
        raise SpecError(f"direction: expected 'forward', for a net that writes, got {trial.direction!r}")
    if net.loss_name != "cross_entropy":
        raise SpecError(f"loss: expected outputs that are probabilities of symbols, got a net that learned by {net.loss_name}")
    seed = drawing.get("seed", 0)
    if symbols is None:
        symbols = sample.symbols_of(sample.sequence(trial, task, seed))[:1]
    draw = sample.Draw.of(trial, seed, drawing.get("temperature", 1.0))
    stop = [_symbols.numbers(task.symbols, end) for end in task.stop]
    written = sample.write(net, trained.weights(say), symbols, draw, length=drawing.get("length", LENGTH), stop=stop)
    click.echo(_symbols.text(task.symbols, symbols + written))


def _answer(trained, symbols, drawing):
    """Print a line for each step: its symbol, what the net answers there, and the right answer where the task asks for one."""
    trial, task = trained.trial, trained.task
    for name in drawing:
        if name != "seed" or symbols is not None:
            raise SpecError(f"--{name}: {task.name} has answers that are no next symbols, so nothing is drawn after a prompt")
    batch = sample.sequence(trial, task, drawing.get("seed", 0)) if symbols is None else sample.prompt(symbols, task.inputs)
    names = range(task.outputs) if task.answers is None else task.answers
    right = dict(zip(batch.read.tolist(), batch.target.tolist())) if symbols is None else {}
    rows = [["step", "symbol", *map(str, names), "right"]]
    for t, (symbol, p) in enumerate(zip(sample.symbols_of(batch), sample.answers(trained.net, trained.weights(say), batch))):
        rows.append([str(t), task.symbols[symbol], *(f"{value:.4f}" for value in p), str(names[right[t]]) if t in right else ""])
    for line in columns(rows):
        click.echo(line)


@click.command(epilog=OF_TRIAL)
@TRIAL
@OUT
@click.option("--to", required=True, metavar="FILE", help="File, FIFO or device to write to.")
def weights(id, out, to):
    """Write the final weights of a recorded trial as an .npz file.

    NumPy reads it without pickle: arrays by "module/parameter", and the strings `id`, `trial` (its knobs, as JSON) and `digest`.

    Without weights that `run --keep-weights` kept, the trial is trained again first.
    """
    output.check(to)
    trained = Trained(find.find(out, id))
    theta = trained.weights(say)
    output.send(to, encode(trained.trial, trained.net.view(theta), digest(theta)), f"{len(theta):,} weights of {trained.trial.id}")


@click.command("onnx", epilog=OF_TRIAL)
@TRIAL
@click.argument("file")
@OUT
def onnx_(id, file, out):
    """Write the net of a recorded trial as an ONNX model to FILE.

    It takes x (steps, rows, inputs), the lengths of the rows, and places: t * rows + b of each answer that is asked for, at step t of
    row b. It gives the answers (places, outputs).

    Without weights that `run --keep-weights` kept, the trial is trained again first.
    """
    output.check(file, "FILE")
    try:
        from study.nets.onnx import encode as encode_net
    except ImportError:
        raise SpecError('onnx needs the extra `onnx` of this package: pip install "longlag[onnx]"') from None
    trained = Trained(find.find(out, id))
    theta, task = trained.weights(say), trained.task
    names = {key: json.dumps(list(value)) for key, value in (("symbols", task.symbols), ("answers", task.answers)) if value}
    try:
        data = encode_net(trained.net, theta, about(trained.trial, digest(theta)) | names)
    except ValueError as error:
        raise SpecError(f"{trained.trial.id}: {error}") from None
    output.send(file, data, f"the net of {trained.trial.id}, {len(theta):,} weights")
