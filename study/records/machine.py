"""What the numbers were made on: processor, build of the kernels, versions, commit."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
from pathlib import Path

import kernels
from kernels import _features

PROJECT = Path(__file__).resolve().parents[2]
SOURCES = ("kernels", "study", "setup.py", "pyproject.toml", "constraints.txt")
PACKAGES = ("numpy", "scipy", "pandas", "matplotlib", "scikit-learn", "loky", "pydantic", "threadpoolctl", "cython")


def facts():
    """Everything that a reader needs to judge or repeat a number, as one dict that JSON can hold; None where not known."""
    return {
        "processor": _processor(),
        "kernels": {
            "isa": kernels.isa(),
            "numerics": kernels.NUMERICS,
            "threads": kernels.threads(),
            "builds": list(_features.BUILDS),
            "compiler": _features.COMPILER,
            "flags": _features.BUILDS[kernels.isa()],
            "openmp": _features.OPENMP,
        },
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "system": platform.platform(),
        "commit": _commit(),
    }


def _processor():
    entries = {}
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            entries.setdefault(key.strip(), value.strip())
    except OSError:
        pass
    return {
        "name": entries.get("model name") or _ask("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor() or None,
        "architecture": platform.machine(),
        "processors": os.cpu_count(),
        "offers": list(_features.OFFERED),
        "flags": entries.get("flags") or entries.get("Features"),
    }


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _commit():
    """The commit's hash and whether the sources are exactly its own; None where the project is no git work tree."""
    if not (PROJECT / ".git").exists():
        return None
    name = _ask("git", "-C", PROJECT, "rev-parse", "HEAD")
    changes = _ask("git", "-C", PROJECT, "status", "--porcelain", "--", *SOURCES)
    return name and {"name": name, "clean": changes == ""}


def _ask(command, *arguments):
    """What a command prints, or None where it is missing or fails."""
    if shutil.which(command) is None:
        return None
    done = subprocess.run([command, *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.stdout.strip() if done.returncode == 0 else None
