"""The kernels built with sanitizers, in folders of their own below build/sanitize, and programs that run on them."""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

import numpy

import kernels

PROJECT = Path(__file__).resolve().parents[1]
KERNELS, SOURCES, OPENMP = PROJECT / "kernels", PROJECT / "build" / "cython" / "kernels", PROJECT / "tests" / "openmp.c"
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
CC = os.environ.get("CC", "gcc")
ADDRESS, THREAD = "address", "thread"
FLAGS = {ADDRESS: ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"], THREAD: ["-fsanitize=thread"]}
PLAIN = ["-O0", "-g1"]       # a quarter of the time to compile of -O1
LIBRARY = {ADDRESS: "libasan.so", THREAD: "libtsan.so"}
OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",       # Python itself leaks at its end
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1",
    "OMP_WAIT_POLICY": "passive",
}
REPORTS = ("ERROR: AddressSanitizer", "runtime error: ", "WARNING: ThreadSanitizer")


class Build(NamedTuple):
    """The package `kernels` for one instruction set, in `folder`."""

    sanitizer: str
    isa: str
    folder: Path


def library(sanitizer):
    """The path of the sanitizer's library, or None where the compiler has none."""
    try:
        done = subprocess.run([CC, f"-print-file-name={LIBRARY[sanitizer]}"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    path = Path(done.stdout.strip())
    return path if path.is_absolute() and path.exists() else None


def build(sanitizer, isa, *modules):
    """A Build of which `modules` (all, if none is named) have the sanitizer; what is up to date is not compiled again.

    The C files and their flags are those of the build in the tree, which must be up to date and for this processor. Another
    instruction set is "generic", which is what the compiler makes without the flags of any.
    """
    folder = PROJECT / "build" / "sanitize" / "-".join([sanitizer, isa, *modules]) / "kernels"
    folder.mkdir(parents=True, exist_ok=True)
    links = [*KERNELS.glob("*.py"), KERNELS / "cells"]
    for original in [*SOURCES.glob(f"_*_{kernels.isa()}.c"), SOURCES / "_features.c"]:
        module, stub = original.stem.split("_")[1], folder / original.name.replace(kernels.isa(), isa)
        target = stub.with_name(stub.stem + SUFFIX)
        inputs = [original, SOURCES / f"{module}.c", *SOURCES.glob("*.h"), *KERNELS.glob("*.h"), OPENMP]
        if modules and module not in modules:
            links.append(KERNELS / target.name)
        elif not target.exists() or target.stat().st_mtime < max(path.stat().st_mtime for path in inputs):
            text = original.read_text()
            stub.write_text(text if isa == kernels.isa() else re.sub(r" -m(?!arch)\S+", "", text).replace(kernels.isa(), isa))
            compile_stub(stub, target, sanitizer)
    for path in links:
        (folder / path.name).unlink(missing_ok=True)
        (folder / path.name).symlink_to(path)
    return Build(sanitizer, isa, folder.parent)


def compile_stub(stub, target, sanitizer):
    """Compile one variant of a module with the flags in its first line."""
    flags = stub.read_text().splitlines()[0].removeprefix("// ").split()
    includes = [f"-I{path}" for path in (SOURCES, KERNELS, numpy.get_include(), sysconfig.get_path("include"))]
    command = [CC, "-fPIC", "-DNPY_NO_DEPRECATED_API=NPY_1_7_API_VERSION", *flags, *PLAIN, *FLAGS[sanitizer], *includes]
    made, link, libraries = target.with_suffix(".o"), [CC, "-shared", *FLAGS[sanitizer]], ["-fopenmp"]
    if sanitizer == THREAD:
        libraries = [str(target.with_name("openmp.o"))]
        subprocess.run([*command, "-c", str(OPENMP), "-o", *libraries], check=True)
    subprocess.run([*command, "-c", str(stub), "-o", str(made)], check=True)
    subprocess.run([*link, str(made), *libraries, "-o", str(target)], check=True)


def run(build, *arguments, **environment):
    """(exit code, stdout, stderr) of Python with these arguments on the kernels of a build."""
    paths = os.pathsep.join(map(str, (build.folder, PROJECT / "tests", PROJECT)))
    own = {"LD_PRELOAD": str(library(build.sanitizer)), "PYTHONPATH": paths, "LONGLAG_ISA": build.isa}
    # The sanitizers' maps of memory do not fit every address that the system may choose at random.
    command = ["setarch", "-R", sys.executable, *map(str, arguments)]
    done = subprocess.run(command, cwd=PROJECT, env=os.environ | OPTIONS | own | environment, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def reported(stderr):
    """Whether a sanitizer reported anything."""
    return any(mark in stderr for mark in REPORTS)
