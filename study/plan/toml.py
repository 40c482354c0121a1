"""Study files: TOML to a Study and back.

The folder of a preset holds its study as `plan.toml` with derived knobs written out, so the folder alone says which trials
belong to it.
"""

import json
import re
import stat
import tomllib
from pathlib import Path

from study.errors import SpecError
from study.plan.spec import read

LARGEST_FILE = 1 << 18  # bytes
DEEPEST = 16  # dots of a key; the time of tomllib grows with their square


def load(path, tasks=None):
    """The Study in a TOML file; tasks as in study.plan.spec.read. Raises SpecError that names the file."""
    path = Path(path)
    try:
        return read(tomllib.loads(_text(path)), tasks)
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise SpecError(f"{path}: nested too deeply") from None
    except (tomllib.TOMLDecodeError, SpecError) as error:
        raise SpecError("\n".join(f"{path}: {line}" for line in str(error).splitlines())) from None
    except ValueError:  # int() on too many digits
        raise SpecError(f"{path}: a number of thousands of digits") from None


def _text(path):
    """The text of a study file. Raises SpecError or RecursionError if it is not to be parsed."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise SpecError("not a regular file")
    with path.open("rb") as file:
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise SpecError(f"expected a study file of at most {LARGEST_FILE:,} bytes, got more")
    text = data.decode("utf-8-sig")
    for line in re.split(r"[,{}\n]", text):
        *keys, _ = re.split(r"[=\]]", line)
        if any(key.count(".") > DEEPEST for key in keys):
            raise RecursionError
    return text


def dumps(study):
    """The study as TOML."""
    data = study.data()
    selection, tuning = data.pop("selection", None), data.pop("tuning", None)
    grids, knobs = data.pop("grids"), data.pop("knobs")
    tables = [("", data), ("[knobs]", knobs)]
    for grid in grids:
        axes, draws = grid.pop("axes"), grid.pop("draws", None)
        tables += [("[[grids]]", grid), ("[grids.axes]", axes)]
        if draws:
            tables += [("[grids.draws]", draws)]
    if selection:
        gap = selection.pop("gap")
        tables += [("[selection]", selection), ("[selection.gap]", gap)]
    if tuning:
        tables.append(("[tuning]", tuning))
    return "\n".join("".join(f"{line}\n" for line in [head, *map(_pair, table.items())] if line) for head, table in tables)


def _pair(item):
    key, value = item
    return f"{_value(key) if '/' in key else key} = {_value(value)}"


def _value(value):
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(map(_pair, value.items()))} }}"
    return json.dumps(value, ensure_ascii=False)  # strings, numbers and booleans read the same in TOML
