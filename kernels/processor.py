"""Which build of the kernels this processor runs, and how many threads this process may use."""

import functools
import importlib
import math
import os
from pathlib import Path

from kernels import checks, sources

try:
    _features = importlib.import_module("kernels._features")
except ModuleNotFoundError:
    raise ImportError(
        "the kernels are not compiled for this Python: run scripts/study or scripts/test, which set everything up, "
        "or `python -m pip install .` in the project's folder"
    ) from None

if sources.digest(Path(__file__).parent) not in (None, getattr(_features, "SOURCES", "")):  # older builds have none
    raise ImportError("the kernels were compiled from other sources than are here: run scripts/set-up, or "
                      "`.venv/bin/python setup.py build_ext --inplace`, in the project's folder")

MOST_THREADS = 1024         # OpenMP ends the process where the system refuses to make a thread

_forked = False


def _in_child():
    global _forked
    _forked = True


# An OpenMP pool does not survive a fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


def isas():
    """The instruction sets that this processor has and these kernels were built for, best first."""
    return [name for name in _features.BUILDS if name in _features.OFFERED]


def _choose():
    if not isas():
        raise ImportError(f"the kernels are compiled for {', '.join(_features.BUILDS)}, which this processor does not have: "
                          "run LONGLAG_ISAS=all scripts/set-up to compile them for all processors")
    forced = os.environ.get("LONGLAG_ISA") or isas()[0]
    if forced not in isas():
        known = forced in ("avx512", "avx2", "generic", "neon")
        missing = "this processor or build does not have it (LONGLAG_ISAS=all scripts/set-up builds all)"
        reason = missing if known else "no such instruction set"
        raise ImportError(f"LONGLAG_ISA={forced}: {reason}; available here: {', '.join(isas())}")
    return forced


_ISA = _choose()


def isa():
    """The instruction set of the kernels in use: "avx512", "avx2", "generic" or "neon". LONGLAG_ISA forces one."""
    return _ISA


def build(module, dtype):
    """A compiled module for `dtype` ("float32", "float64").

    module : "timeloop", "readout", "update", "draws", "spectrum", "peak" or, for float32 alone, "chain"
    """
    return importlib.import_module(f"kernels._{module}_{dtype.replace('float', 'f')}_{_ISA}")


def threads(wanted=None):
    """How many threads a pass runs on.

    `wanted` (an integer in 1..1024) if given, else OMP_NUM_THREADS, else the number of processors that this process may use:
    its affinity, within its control group's quota. Always 1 in a forked child, and in a build without OpenMP.
    Raises ValueError or TypeError that names the variable or argument, what was expected and what came.
    """
    if wanted is None:
        number = _from_environment() or processors()
    else:
        number = checks.whole("threads", wanted, most=MOST_THREADS)
    return 1 if _forked or not _features.OPENMP else number


def _from_environment():
    # A list, separated by commas, has one entry for each level of nested parallel regions; the kernels use the first.
    text = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if text and not (text.isdecimal() and 1 <= int(text) <= MOST_THREADS):
        raise ValueError(f"OMP_NUM_THREADS: expected an integer in 1..{MOST_THREADS}, got {text!r}")
    return int(text) if text else None


def affinity():
    """The numbers of the processors that this process may run on, ascending."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(os.cpu_count() or 1))


def processors():
    """How many processors this process may use: its affinity, within its control group's quota."""
    return max(1, min([len(affinity()), MOST_THREADS, *_quotas()]))


@functools.cache
def _quotas(groups=Path("/proc/self/cgroup"), root=Path("/sys/fs/cgroup")):
    """How many processors the control groups of this process (version 1 or 2) allow: a number for each group with a limit."""
    try:
        lines = groups.read_text().splitlines()
    except OSError:
        return []
    quotas = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        # In a container the path may be the host's, which does not exist here; the root is then the container's group.
        folder = (root / "cpu" if controllers else root) / path.strip("/")
        for group in [folder, *folder.parents]:
            if not group.is_relative_to(root):
                break
            quota = _quota_v1(group) if controllers else _quota_v2(group)
            if quota:
                quotas.append(math.ceil(quota))
    return quotas


def _quota_v2(group):
    try:
        quota, period = (group / "cpu.max").read_text().split()
    except (OSError, ValueError):
        return None
    return None if quota == "max" else int(quota) / int(period)


def _quota_v1(group):
    try:
        quota, period = (int((group / name).read_text()) for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us"))
    except (OSError, ValueError):
        return None
    return quota / period if quota > 0 else None
