"""The commands, one file per group, and what they share: exit codes, options and output.

Results go to stdout, everything else to stderr.
"""

import json
import math
import os
import shlex
import sys

import click

from study.process import DISK, FAILED, INTERRUPTED  # noqa: F401

USAGE = 2
PROGRAM = os.environ.get("LONGLAG_PROGRAM", "python -m study")  # how messages call it; scripts/study sets it
MOST_LINES = 12  # of a list that is printed for people; --json has all
OF_FOLDER = "DIR is the folder of one preset, results/gap/default if not given."
FOLDER = click.argument("folder", metavar="[DIR]", default="results/gap/default")
WORKERS = click.option("--workers", type=click.IntRange(1, 4096), metavar="N",
                       help="Worker processes; default: one per processor.")
TRIAL = click.argument("id")
OF_TRIAL = "ID is the beginning of a trial's id, or of the last part of its id."
OUT = click.option("--out", default="results", metavar="DIR", show_default=True, help="Folder of all results.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for programs.")


class Finite(click.FloatRange):
    """A finite number within bounds."""

    def convert(self, value, param, ctx):
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):  # nan passes every comparison of FloatRange
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


def say(line=""):
    """Print a message to stderr."""
    click.echo(line, err=True)


def dump(data):
    """Print data as JSON."""
    click.echo(json.dumps(data, indent=1, default=str))


def columns(rows):
    """Rows of texts as lines, in columns that end below each other."""
    widths = [max(map(len, column)) for column in zip(*rows)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def again():
    """The command line of this process, to be typed again."""
    return f"{PROGRAM} {shlex.join(sys.argv[1:])}"


def between(fewest, most):
    """A count that is known by its bounds."""
    return f"{fewest:,}" if fewest == most else f"at least {fewest:,}, at most {most:,}"


def shortened(lines, what, most=MOST_LINES):
    """The first lines, and one that counts those left out."""
    return [*lines[:most], *([f"  and {len(lines) - most} more {what}; --json names all"] if len(lines) > most else [])]
