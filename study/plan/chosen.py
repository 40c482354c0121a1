"""What selection and tuning of learning rates share: how their tables are read, and the doubts about a chosen rate."""

import json
from pathlib import Path

from study.errors import SpecError

UNSOLVED = "no learning rate solved the task"


def at_edge(lr, rates):
    """The doubt about a rate at an end of those that were tried: a better one may lie beyond."""
    return f"its learning rate, {lr:g}, is the {'smallest' if lr == min(rates) else 'largest'} that was tried"


def read(path, schema, parse):
    """What `parse` makes of the JSON of a table. Raises SpecError if the file is not one, or of a newer schema."""
    path = Path(path)
    if path.exists() and not path.is_file():  # reading a FIFO would wait for ever
        raise SpecError(f"{path}: not a regular file")
    try:
        table = json.loads(path.read_bytes())
        newer = table["schema"] > schema
        parsed = None if newer else parse(table)
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SpecError(f"{path}: not a table of learning rates ({error})") from None
    if newer:
        raise SpecError(f"{path}: written by a newer version of this program")
    return parsed
