"""Commands that describe the program and study files: validate, list, env, cite."""

from importlib import resources

import click

import kernels
from study import claims
from study.cli import between, dump
from study.plan import selection
from study.plan.plan import Plan
from study.records import machine
from study.tasks import LEFT_OUT, TASKS
from study.trial import meaning

UNITS = 32  # inputs and units of the layer whose parameters are counted; mut1 needs as many inputs as units


@click.command()
@click.argument("file", metavar="FILE|STUDY")
@click.option("--preset", default="default", show_default=True, help="Of a study that comes with longlag.")
def validate(file, preset):
    """Check a study file, or a study that comes with longlag, and name all its mistakes."""
    study = claims.checked(file, preset)
    choosing = between(*Plan(study, {}).bounds)
    click.echo(f"{file}: {study.name}/{study.preset}: {len(study.points):,} trials, and {choosing} to choose learning rates")
    for grid in study.grids:
        factors = [f"{len(values)} {axis}" for axis, values in grid.crossed().items()]
        factors += [f"{grid.draws.n} draws of {', '.join(grid.drawn())}"] if grid.draws else []
        click.echo(f"  {grid.name}: {grid.size()} = {' x '.join(factors)}")


@click.command("list")
@click.argument("what", required=False, type=click.Choice(["cells", "tasks", "knobs", "studies"]))
def list_(what):
    """List cells, tasks, knobs, studies, or all four."""
    lists = {"cells": _cells, "tasks": _tasks, "knobs": _knobs, "studies": _studies}
    for name in [what] if what else lists:
        head, *rows = lists[name]()
        _show(head, rows)
        if name == "tasks":
            for line in LEFT_OUT.values():
                click.echo(f"left out: {line}")


def _show(head, rows):
    """Print a table: as wide as the terminal, or one line a row if stdout is none."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=10_000)
    table = Table(*head, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows:
        table.add_row(*map(str, row))
    console.print(table)
    console.print()


def _cells():
    head = ("cell", "name", "equations", f"parameters, I = H = {UNITS}", "source")
    return [head, *((name, cell.title, len(kernels.equations(name)), f"{kernels.RNN(name, UNITS, UNITS).size:,}", cell.source)
                    for name, cell in kernels.CELLS.items())]


def _tasks():
    head = ("task", "what", "gap means", "from", "chance", "solved when", "source")
    return [head, *((name, task.title, task.axis, task.smallest_gap, f"{task.at(task.smallest_gap).chance['score']:.3g}",
                     task.rule or "no rule; accuracy and loss at the end", task.source) for name, task in TASKS.items())]


def _knobs():
    return [("knob", "values", "default", "meaning"), *meaning.every()]


def _studies():
    rows = []
    for name in claims.NAMES:
        for preset, takes in claims.find(name).TAKES.items():
            study = claims.resolve(name, preset)
            plan = Plan(study, selection.committed(study))
            fewest, most = (len(plan.points) + choosing for choosing in plan.bounds)
            rows.append((name, preset, f"{fewest:,}{'' if most == fewest else '+'}", takes, study.title))
    return [("study", "preset", "trials", "on two cores", "question"), *rows]


@click.command()
def env():
    """Print facts of this machine and its software, as JSON."""
    dump(machine.facts())


@click.command()
def cite():
    """Print how to cite this program, as a CITATION.cff file."""
    click.echo(resources.files("study").joinpath("CITATION.cff").read_text("utf-8"), nl=False)
