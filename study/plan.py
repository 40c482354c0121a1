"""Study files: TOML to a Study and back.

A preset's folder holds its own, `plan.toml`, with everything worked out, so a folder says by itself what it is meant to hold.
"""

import json
import stat
import tomllib
from pathlib import Path

from study.spec import SpecError, read

LARGEST_FILE = 1 << 20


def load(path, tasks=None):
    """The Study in a TOML file; tasks as in study.spec.read. Raises SpecError that names the file."""
    path = Path(path)
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise SpecError("not a regular file")
        if about.st_size > LARGEST_FILE:
            raise SpecError(f"{about.st_size:,} bytes; a study file has at most {LARGEST_FILE:,}")
        return read(tomllib.loads(path.read_bytes().decode()), tasks)
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise SpecError(f"{path}: nested too deeply") from None
    except ValueError as error:  # TOML's own errors, and SpecError
        raise SpecError("\n".join(f"{path}: {line}" for line in str(error).splitlines())) from None


def dumps(study):
    """The study as TOML."""
    data = study.data()
    selection = data.pop("selection", None)
    grids, knobs = data.pop("grids"), data.pop("knobs")
    tables = [("", data), ("[knobs]", knobs)]
    for grid in grids:
        axes = grid.pop("axes")
        tables += [("[[grids]]", grid), ("[grids.axes]", axes)]
    if selection:
        gap = selection.pop("gap")
        tables += [("[selection]", selection), ("[selection.gap]", gap)]
    return "\n".join("".join(f"{line}\n" for line in [head, *map(_pair, table.items())] if line) for head, table in tables)


def _pair(item):
    key, value = item
    return f"{_value(key) if '/' in key else key} = {_value(value)}"


def _value(value):
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_value, value))}]"
    return json.dumps(value, ensure_ascii=False)  # strings, numbers and booleans read the same in TOML
