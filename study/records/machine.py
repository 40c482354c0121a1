"""The machine and software that numbers are made on: processor, build of the kernels, versions, commit."""

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
    """All that a reader needs to judge or repeat a number, as a dict that JSON can hold; None for what is not known."""
    return {
        "processor": _processor(),
        "kernels": {
            "isa": kernels.isa(),
            "numerics": kernels.NUMERICS,
            "threads": _threads(),
            "builds": list(_features.BUILDS),
            "compiler": _features.COMPILER,
            "flags": _features.BUILDS[kernels.isa()],
            "openmp": _features.OPENMP,
        },
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "system": platform.platform(),
        "commit": commit(),
    }


def _threads():
    try:
        return kernels.threads()
    except ValueError:  # OMP_NUM_THREADS is no number that we know; workers have one of their own
        return None


def _processor():
    entries = {}
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
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


def commit(project=PROJECT):
    """The commit's hash, and whether SOURCES are unchanged since; None where the project is no git work tree."""
    if not (project / ".git").exists():
        return None
    name = _ask("git", "-C", project, "rev-parse", "HEAD")
    changes = _ask("git", "-C", project, "status", "--porcelain", "--", *SOURCES)
    return name and {"name": name, "clean": changes == ""}


def _ask(command, *arguments):
    """The output of a command, or None where it is missing or fails. Variables that name another git repository are left out."""
    if shutil.which(command) is None:
        return None
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run([command, *map(str, arguments)], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                          encoding="utf-8", errors="replace")
    return done.stdout.strip() if done.returncode == 0 else None
