"""The ablations: each file of this folder is one.

An ablation has PRESETS (its grids, as data), TAKES (how long each preset takes), CLAIM (what was published, and where), CLAIMS
({id: Claim} with the rules) and judge(frame), which returns the verdicts. A study file in TOML is a study without a claim.
"""

import importlib
import pkgutil

from study.errors import SpecError, unknown
from study.plan import toml
from study.plan.spec import read
from study.tasks import TASKS

NAMES = tuple(sorted(file.name for file in pkgutil.iter_modules(__path__) if not file.name.startswith("_")))


def find(name):
    """The module of an ablation. Raises SpecError, which suggests the nearest name."""
    if name not in NAMES:
        raise SpecError(unknown("study", name, NAMES) + "; a study file ends in .toml")
    return importlib.import_module(f"{__name__}.{name}")


def resolve(name, preset="default"):
    """The Study of an ablation's preset, or of a TOML file: a path that ends in .toml, whose file names its preset.

    A selection "study/preset" stands for the selection of that preset; its committed learning rates are used where they exist.
    """
    if not name.endswith(".toml"):
        return _preset(name, preset)
    study = from_file(name)
    if preset not in ("default", study.preset):
        raise SpecError(f"{name}: expected --preset {study.preset}, got {preset}")
    return study


def checked(name, preset="default"):
    """The Study of an ablation's preset, whose own files are checked too, or of any TOML file."""
    if name not in NAMES:
        return from_file(name)
    study, mistakes = resolve(name, preset), getattr(find(name), "mistakes", None)
    if mistakes and (lines := mistakes(study)):
        raise SpecError("\n".join(f"{name}: {line}" for line in lines))
    return study


def from_file(path):
    """The Study of a TOML file. Raises SpecError, which names the file."""
    study = toml.load(path, TASKS)
    if idle := study.idle():
        raise SpecError("\n".join(f"{path}: {line}" for line in idle))
    if study.name in NAMES and study.data() != _preset(study.name, study.preset).data():
        raise SpecError(f"{path}: name: {study.name!r} is the name of an ablation, whose records it would mix with; use another name")
    return study


def _preset(name, preset):
    presets = find(name).PRESETS
    if preset not in presets:
        raise SpecError(unknown("preset", preset, presets))
    data = {"name": name, "preset": preset} | presets[preset]
    if isinstance(table := data.get("selection"), str):
        source, source_preset = table.split("/")
        data["selection"] = find(source).PRESETS[source_preset]["selection"] | {"committed": table}
    return read(data, TASKS)
