"""The commands, one file a group; here is what they share: exit codes, options and output.

Results go to stdout, everything else to stderr.
"""

import json
import shlex
import sys

import click

from study.process import DISK, FAILED, INTERRUPTED  # noqa: F401

USAGE = 2
MOST_LINES = 12  # of a list that is printed for people; --json has all
FOLDER = click.argument("folder", metavar="[DIR]", default="results/gap/default")
WORKERS = click.option("--workers", type=click.IntRange(1, 4096), metavar="N", help="Worker processes; default: one a processor.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for programs.")


def say(line=""):
    """Print a message to stderr."""
    click.echo(line, err=True)


def dump(data):
    """Print data as JSON."""
    click.echo(json.dumps(data, indent=1, default=str))


def again():
    """The command line of this process, to be typed again."""
    return shlex.join(["python", "-m", "study", *sys.argv[1:]])


def processors():
    """The number of processors that this process may use."""
    from loky import cpu_count

    return cpu_count()


def shortened(lines, what, most=MOST_LINES):
    """The first lines, and one that counts those left out."""
    return [*lines[:most], *([f"  and {len(lines) - most} more {what}; --json names all"] if len(lines) > most else [])]
