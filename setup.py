"""Builds the kernels: every .pyx becomes C once, and this C is compiled once per dtype and instruction set.

Each variant is an extension of its own (kernels._timeloop_f64_avx2): a C stub of a few lines, which names the dtype, renames the
module's entry point and includes the C that Cython wrote. Rejected: passing a variant's flags to cythonize, which leaks them into the
next variant. The part of timeloop.pyx that differs from cell to cell is written first (kernels/wrappers.py). All generated files lie
under build/. A file whose content stays the same is not written, so only what changed is compiled again.

LONGLAG_ISAS chooses the instruction sets: "all", "native" (the best one of this processor) or names between commas. Without it, an
in-place build is native and any other build has all of them.
"""

import hashlib
import os
import platform
import re
import runpy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

GENERATED = Path("build/cython/kernels")

BOTH = ("f32", "f64")
REALS = {"f32": "#define REAL float", "f64": "#define REAL double\n#define LONGLAG_F64 1"}
DTYPES = {"timeloop": BOTH, "readout": BOTH, "update": BOTH, "steps": BOTH, "draws": ("f64",), "spectrum": ("f64",), "peak": BOTH,
          "chain": ("f32",)}

# Best first. -march comes first to undo one in CFLAGS: a build must not use instructions that its name does not promise.
ISAS = {
    "x86_64": {
        "avx512": ["-march=x86-64", "-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx512bw", "-mfma", "-mprefer-vector-width=512"],
        "avx2": ["-march=x86-64", "-mavx2", "-mfma"],
        # Its multiply-add is emulated and fills the code: -O3 would double the compile time and gain 7 %.
        "generic": ["-march=x86-64", "-O2"],
    },
    "aarch64": {"neon": []},
}
ISAS["AMD64"], ISAS["arm64"] = ISAS["x86_64"], ISAS["aarch64"]

# No flag may change a bit of a result: no contraction, no fast maths. Without errno, sqrt is one instruction.
FLAGS = ["-O3", "-g0", "-fno-fast-math", "-ffp-contract=off", "-fno-math-errno"]
# Used if the compiler knows them. They keep a tile's accumulators in registers: its loops are unrolled completely, and no constants of
# the cell's functions stay in registers across the product. CPython's own flags let offsets wrap around, which costs speed.
OPTIONAL = ["--param=max-completely-peeled-insns=1000", "--param=max-completely-peel-times=64", "-fno-gcse", "-fno-wrapv",
            "-fno-wrapv-pointer"]
# Likewise, of one instruction set. Integers stay out of vector registers: with AVX-512, gcc 12 moves them there thousands of times, which
# costs some products a fifth of their speed. With AVX2 that is rare, and masks are made of integers.
TUNED = {"avx512": ["-mtune-ctrl=^inter_unit_moves_to_vec,^inter_unit_moves_from_vec"]}
DIRECTIVES = {"language_level": 3, "cdivision": True, "boundscheck": False, "wraparound": False, "initializedcheck": False}

NO_COMPILER = """no C compiler: {command} was not found. Install one and try again:
  Debian, Ubuntu: apt install gcc python3-dev      Fedora: dnf install gcc python3-devel
  macOS: xcode-select --install                    another compiler: set CC"""
NO_HEADERS = """Python.h was not found: the headers of Python {version} are missing. Install them and try again:
  Debian, Ubuntu: apt install python3-dev          Fedora: dnf install python3-devel"""


def variants(isas):
    """(module, extension, instruction set, the stub's first lines) of every build whose .pyx file exists."""
    if Path("kernels/features.pyx").exists():
        yield "features", "_features", None, []    # runs on any processor
    for module, dtypes in DTYPES.items():
        if Path(f"kernels/{module}.pyx").exists():
            for dtype in dtypes:
                for isa in isas:
                    yield module, f"_{module}_{dtype}_{isa}", isa, [REALS[dtype]]


def isas():
    return ISAS.get(platform.machine(), {"generic": []})


class Build(build_ext):
    """build_ext that tries what the compiler can do, writes the generated sources, and compiles on all processors."""

    def finalize_options(self):
        super().finalize_options()
        if self.parallel is None:
            self.parallel = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        # While it compiles, setuptools sets `inplace` to 0.
        self.isas = os.environ.get("LONGLAG_ISAS") or ("native" if self.inplace else "all")

    def build_extensions(self):
        self.check_compiler()
        offered = {isa: flags for isa, flags in isas().items() if self.accepts(flags)}
        for isa in [isa for isa in isas() if isa not in offered]:
            self.say(f"the compiler has no {isa}: built without it")
        flags = FLAGS + [flag for flag in OPTIONAL if self.accepts([flag])]
        compile_openmp, link_openmp = self.openmp()
        tuned = {isa: [flag for flag in TUNED.get(isa, ()) if self.accepts([flag])] for isa in offered}
        builds = {isa: [*flags, *tuned[isa], *own, *compile_openmp] for isa, own in self.chosen(offered).items()}
        base = [*flags, *offered.get("generic", []), *compile_openmp]
        digest = runpy.run_path("kernels/sources.py")["digest"]("kernels")
        self.cythonize()
        kept = {extension.name: extension for extension in self.extensions}
        self.extensions = []
        for module, name, isa, lines in variants(builds):
            extension = kept[f"kernels.{name}"]
            extension.extra_compile_args = builds.get(isa, base)
            extension.extra_link_args = link_openmp
            if module == "features":
                built = ";".join(f"{isa}:{' '.join(flags)}" for isa, flags in builds.items())
                lines = [f'#define LONGLAG_BUILDS "{built}"', f'#define LONGLAG_SOURCES "{digest}"']
            self.write_stub(module, name, lines, extension.extra_compile_args)
            self.extensions.append(extension)
        super().build_extensions()

    def chosen(self, offered):
        """Those of the compiler's instruction sets that are wanted: {name: flags}."""
        names = list(offered) if self.isas == "all" else self.isas.split(",")
        if self.isas == "native":
            names = [isa for isa in self.run_features().split() if isa in offered][:1] or list(offered)
        if unknown := [name for name in names if name not in offered]:
            raise SystemExit(f"LONGLAG_ISAS: expected all, native or some of {','.join(offered)}, got {','.join(unknown)}")
        return {isa: flags for isa, flags in offered.items() if isa in names}

    def run_features(self):
        """The instruction sets of this processor, best first, by kernels/instruction_sets.h; empty if the program does not run."""
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder, "features")
            source = program.with_suffix(".c")
            source.write_text('#include "instruction_sets.h"\n#include <stdio.h>\nint main(void) { return puts(longlag_offered()) < 0; }\n')
            command = [*self.compiler.compiler_so, "-Ikernels", str(source), "-o", str(program)]
            compiled = subprocess.run(command, capture_output=True).returncode == 0
            return subprocess.run([program], capture_output=True, text=True).stdout if compiled else ""

    def cythonize(self):
        from Cython.Build import cythonize

        modules = dict.fromkeys(module for module, *_ in variants(isas()))
        for name, text in cells().items():
            write(GENERATED / name, text)
        cythonize(
            [Extension(f"kernels.{module}", [f"kernels/{module}.pyx"]) for module in modules],
            build_dir=str(GENERATED.parent),
            include_path=[str(GENERATED), "."],
            compiler_directives=DIRECTIVES,
            force=self.force or None,
            quiet=True,
        )

    def write_stub(self, module, name, lines, flags):
        text = "\n".join(
            [
                f"// {' '.join(flags)}",
                *lines,
                "#define CYTHON_INLINE inline __attribute__((always_inline))",
                f"#define PyInit_{module} PyInit_{name}",
                f'#include "{module}.c"',
                "",
            ]
        )
        write(GENERATED / f"{name}.c", text)

    def check_compiler(self):
        command = self.compiler.compiler_so[0]
        if shutil.which(command) is None:
            raise SystemExit(NO_COMPILER.format(command=command))
        ok, messages = self.attempt([f"-I{folder}" for folder in self.include_dirs], "#include <Python.h>")
        if not ok and "Python.h" in messages:
            raise SystemExit(NO_HEADERS.format(version=platform.python_version()))
        if not ok:
            raise SystemExit(f"the C compiler {command} does not work:\n{messages}")

    def openmp(self):
        """(compile flags, link flags) for OpenMP. Both are empty, and a message says so, if the compiler has none."""
        ways = [(["-fopenmp"], ["-fopenmp"])]
        if sys.platform == "darwin":
            ways.append((["-Xpreprocessor", "-fopenmp"], ["-lomp"]))
            prefix = subprocess.run(["brew", "--prefix", "libomp"], capture_output=True, text=True) if shutil.which("brew") else None
            if prefix and prefix.returncode == 0:
                home = prefix.stdout.strip()
                ways.append((["-Xpreprocessor", "-fopenmp", f"-I{home}/include"], [f"-L{home}/lib", f"-Wl,-rpath,{home}/lib", "-lomp"]))
        program = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }"
        for compile_flags, link_flags in ways:
            if self.attempt(compile_flags, program, link_flags)[0]:
                return compile_flags, link_flags
        hint = " (brew install libomp)" if sys.platform == "darwin" else ""
        self.say(f"this compiler has no OpenMP{hint}: the kernels are built to run on one thread")
        return [], []

    def accepts(self, flags):
        """Whether the compiler accepts the flags without a warning that one of them is unused."""
        ok, messages = self.attempt(flags, "int main(void) { return 0; }")
        return ok and not any(flag in messages for flag in flags)

    def attempt(self, flags, program, link_flags=None):
        """Compile `program`, and link it if `link_flags` are given: (whether it worked, the compiler's messages)."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "attempt.c")
            source.write_text(program)
            command = [*self.compiler.compiler_so, *flags, "-o", str(source.with_suffix(".out")), str(source)]
            done = subprocess.run([*command, "-c"] if link_flags is None else [*command, *link_flags], capture_output=True, text=True)
        return done.returncode == 0, done.stderr

    def say(self, line):
        print(f"longlag: {line}", file=sys.stderr)


def write(path, text):
    """Write a generated file if its content changes: its age decides what is compiled again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def cells():
    """{file: the source that differs from cell to cell}, from kernels/table.py and the files in kernels/cells.

    The three files are run by path: `import kernels` would need the compiled kernels.
    """
    table, cell, wrappers = (SimpleNamespace(**runpy.run_path(f"kernels/{name}.py")) for name in ("table", "cell", "wrappers"))
    declarations = "".join(Path(f"kernels/{name}.pxd").read_text() for name in ("recurrence", "panel"))
    limits = {name: int(value) for name, value in re.findall(r"^    (MOST_\w+|ROW_WIDTHS|WIDEST) = (\d+)", declarations, re.M)}
    try:
        texts = [Path(f"kernels/cells/{row['name']}.pxd").read_text() for row in table.TABLE]
        described = [cell.describe(text, **row) for text, row in zip(texts, table.TABLE)]
        # Cython does not notice that a file in kernels/cells is edited. It notices this comment.
        digest = hashlib.sha256("".join(texts).encode()).hexdigest()
        return {name: f"# The files in kernels/cells: {digest}\n{source}"
                for name, source in wrappers.sources(described, limits).items()}
    except (KeyError, OSError, TypeError, ValueError) as error:
        raise SystemExit(f"the table of cells: {error}") from None


def extensions():
    import numpy

    return [
        Extension(
            f"kernels.{name}",
            [str(GENERATED / f"{name}.c")],
            include_dirs=["kernels", numpy.get_include()],
            define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
            depends=[str(GENERATED / f"{module}.c"), *map(str, sorted(Path("kernels").glob("*.h")))],
        )
        for module, name, _, _ in variants(isas())
    ]


if sys.platform == "darwin":
    os.environ.setdefault("ARCHFLAGS", f"-arch {platform.machine()}")

setup(ext_modules=extensions(), cmdclass={"build_ext": Build})
