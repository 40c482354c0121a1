"""The file that a command writes, which the option --to or an argument names."""

from pathlib import Path

from study.cli import say
from study.errors import SpecError
from study.records import files, store


def check(to, option="--to"):
    """Raise SpecError where a command may not write, before it computes anything."""
    if not Path(to).parent.is_dir():
        raise SpecError(f"{option} {to}: no such folder")
    if store.keeps(to):
        raise SpecError(f"{option} {to}: expected a file of your own, got one that a folder of results keeps its records or plan in")


def send(to, data, what):
    """Write bytes to a file, FIFO or device that was checked, and say on stderr what they are."""
    if Path(to).is_fifo():
        say(f"{to} is a FIFO: this waits for its reader")
    files.send(to, data)
    say(f"{to}: {what}")
