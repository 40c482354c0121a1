"""The commands that need no workers, and what all commands share: exit codes, options, how they speak.

Results go to stdout, everything else to stderr.
"""

import json

import click

FAILED, USAGE, DISK, INTERRUPTED = 1, 2, 74, 130
FOLDER = click.argument("folder", metavar="[DIR]", default="results/gap/default")
WORKERS = click.option("--workers", type=click.IntRange(1, 4096), metavar="N", help="Processes; all processors if not given.")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output, for programs.")


def say(line=""):
    click.echo(line, err=True)


def dump(data):
    click.echo(json.dumps(data, indent=1, default=str))


def processors():
    """How many processors this process may use."""
    from loky import cpu_count

    return cpu_count()
