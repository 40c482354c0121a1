"""Commands on records: status, compare, export, show, compact."""

import json
import sys
import time
from contextlib import nullcontext

import click

from study import process
from study.cli import FAILED, FOLDER, JSON, OF_FOLDER, OF_TRIAL, OUT, TRIAL, between, dump, output, shortened
from study.errors import SpecError
from study.plan.plan import Plan
from study.records import compare, export, find, store, table
from study.records.provenance import Provenance
from study.run import best
from study.run.estimate import about
from study.run.status import status as status_of
from study.tasks import TASKS

PAUSE = 2.0  # seconds between two prints of status --watch


@click.command(epilog=OF_FOLDER)
@FOLDER
@click.option("--watch", is_flag=True,
              help="Print again every two seconds until nothing is missing; with --json one line each time.")
@JSON
def status(folder, watch, as_json):
    """Count the trials that are done, failed or missing.

    Also names the best of each arm, and says how long the rest takes.
    """
    data = status_of(folder)
    if watch:
        data = _watch(folder, data, as_json)
    elif as_json:
        dump(data)
    else:
        click.echo(_status_text(data))
    return FAILED if data["failures"] else 0


def _watch(folder, data, as_json):
    """Print the status until nothing is missing: in place on a terminal, else whenever it has changed."""
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    in_place = console.is_terminal and not as_json
    shown = None
    with Live(console=console, auto_refresh=False) if in_place else nullcontext() as live:
        while True:
            text = json.dumps(data, default=str) if as_json else _status_text(data)
            if in_place:
                live.update(Text(text), refresh=True)
            elif text != shown or as_json:
                click.echo(text)
            if not data["missing"] or process.stdout_failed():
                return data
            shown = text
            time.sleep(PAUSE)
            data = status_of(folder)


def _status_text(data):
    counts = ", ".join(f"{data[name]} {name}" for name in ("done", "diverged", "failed", "crashed", "missing"))
    lines = [f"{data['study']}/{data['preset']}: {counts} of {data['trials']}"]
    if data["rates_chosen"] < data["rates"]:
        lines.append(f"learning rates chosen: {data['rates_chosen']} of {data['rates']}; "
                     f"missing: {between(data['missing'], data['missing_at_most'])}")
    lines += shortened([f"  {best.line(arm)}" for arm in data["best"]], "arms")
    lines += shortened([f"failed: {id}: {reason}" for id, reason in data["failures"].items()], "failed trials")
    lines += shortened(data["damage"], "damaged places")
    if data["outside_plan"]:
        lines.append(f"{data['outside_plan']} records are outside the plan and ignored")
    if data["missing"] and data["running_drivers"]:
        left = about(data["seconds_left"], data["seconds_left_at_most"])
        runs = "1 run writes" if data["running_drivers"] == 1 else f"{data['running_drivers']} runs write"
        lines.append(f"{left} left; {runs} here now, with {data['workers']} workers")
    elif data["missing"]:
        left = about(data["core_seconds_left"], data["core_seconds_left_at_most"])
        lines.append(f"{left} of one processor left; no run writes here now")
    return "\n".join(lines)


@click.command("compare")
@click.argument("a")
@click.argument("b")
@JSON
def compare_(a, b, as_json):
    """Compare the records of two folders or runs.jsonl files. The exit code is 0 if all are the same."""
    first, second = _records(a), _records(b)
    comparison = compare.compare(first, second)
    if as_json:
        dump({"a": a, "b": b, **comparison})
    else:
        _show_comparison((a, first), (b, second), comparison)
    return FAILED if comparison["only_a"] or comparison["only_b"] or comparison["differ"] else 0


def _records(path):
    contents = store.read(path)
    if not contents.lines:
        raise SpecError(f"{path}: no records")
    return contents


def _show_comparison(first, second, comparison):
    for name, (path, contents) in (("a", first), ("b", second)):
        makers = Provenance(path, contents).makers()
        click.echo("\n   made on ".join([f"{name}: {path}, {len(contents.lines)} records", *makers]))
    for name in ("a", "b"):
        if only := comparison[f"only_{name}"]:
            click.echo("\n  ".join([f"only in {name}: {len(only)}", *shortened(only, "trials")]))
    if differ := comparison["differ"]:
        lines = [compare.text(id, places, "a", "b", most=4) for id, places in differ.items()]
        click.echo("\n  ".join([f"differ: {len(differ)}", *shortened(lines, "trials")]))
    click.echo(f"same: {comparison['same']}")


@click.command("export", epilog=OF_FOLDER)
@FOLDER
@click.option("--format", "form", type=click.Choice(list(export.FORMATS)), default="csv", show_default=True)
@click.option("--to", metavar="FILE", help="File, FIFO or device to write to; standard output if not given.")
def export_(folder, form, to):
    """Write the recorded trials as one table.

    One row for each trial, with the machine and the driver that made it.
    """
    rows = table.rows(folder)
    if not rows:
        raise SpecError(f"{folder}: no recorded trial of its plan")
    if to is None and form != "csv" and sys.stdout.isatty():
        raise click.UsageError(f"{form} is not text: give --to FILE, or redirect the output")
    if to is not None:
        output.check(to)
    data = export.FORMATS[form](*export.table(rows))
    if to is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    output.send(to, data, f"{len(rows)} trials")


@click.command(epilog=OF_TRIAL)
@TRIAL
@OUT
def show(id, out):
    """Print everything that is recorded of a trial."""
    dump(find.find(out, id))


@click.command(epilog=OF_FOLDER)
@FOLDER
def compact(folder):
    """Merge the segments of a folder into its runs.jsonl, or into runs.jsonl.gz if it has that alone.

    Moves damaged lines into damaged-lines.txt.
    """
    Plan.from_folder(folder, TASKS)
    contents = store.compact(folder)
    click.echo(f"{store.merged(folder)}: {len(contents.lines)} records")
