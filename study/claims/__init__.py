"""The ablations: one file each, found by where it lies.

A file of this folder is an ablation: PRESETS (its grids, as data), TAKES (how long each preset takes), CLAIM (what was
published, where) and judge(frame), which gives the verdicts. A study file in TOML is a study without a claim.
"""

import importlib
import pkgutil

from study.errors import SpecError, unknown
from study.plan import toml
from study.plan.spec import read
from study.tasks import TASKS

NAMES = tuple(sorted(found.name for found in pkgutil.iter_modules(__path__) if not found.name.startswith("_")))


def find(name):
    """The module of an ablation; raises SpecError that names the nearest one."""
    if name not in NAMES:
        raise SpecError(unknown("study", name, NAMES) + "; a study file ends in .toml")
    return importlib.import_module(f"{__name__}.{name}")


def resolve(name, preset="default"):
    """The Study of an ablation's preset, or of a TOML file (a path ending in .toml, which has the preset it names).

    A selection that is only a name, "study/preset", is the selection of that preset, with its committed table taken first.
    """
    if not name.endswith(".toml"):
        return _preset(name, preset)
    study = from_file(name)
    if preset not in ("default", study.preset):
        raise SpecError(f"{name}: expected --preset {study.preset}, got {preset}")
    return study


def from_file(path):
    """The Study of a TOML file. Raises SpecError that names the file."""
    study = toml.load(path, TASKS)
    if study.name in NAMES and study.data() != _preset(study.name, study.preset).data():
        raise SpecError(f"{path}: name: {study.name!r} is an ablation's, whose records it would mix with; call it otherwise")
    return study


def _preset(name, preset):
    presets = find(name).PRESETS
    if preset not in presets:
        raise SpecError(unknown("preset", preset, presets))
    data = {"name": name, "preset": preset} | presets[preset]
    if isinstance(table := data.get("selection"), str):
        source, of = table.split("/")
        data["selection"] = find(source).PRESETS[of]["selection"] | {"committed": table}
    return read(data, TASKS)
