"""Builds the kernels: every .pyx becomes C once, and that C is compiled once per dtype and instruction set.

Each variant is a C stub of a few lines that names the dtype, renames the module's entry point and includes the C that Cython
wrote, as an extension of its own (kernels._timeloop_f64_avx2). Rejected: passing a variant's flags to cythonize, which leaks
them into the next variant. Everything generated lies under build/; what has not changed is not compiled again.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

GENERATED = Path("build/cython/kernels")

BOTH = ("f32", "f64")
REALS = {"f32": "#define REAL float", "f64": "#define REAL double\n#define LONGLAG_F64 1"}
DTYPES = {"timeloop": BOTH, "readout": BOTH, "update": BOTH, "draws": ("f64",), "spectrum": ("f64",), "peak": BOTH}

# Best first. -march comes first to undo one in CFLAGS: a build must not hold more than its name says.
ISAS = {
    "x86_64": {
        "avx512": ["-march=x86-64", "-mavx512f", "-mavx512dq", "-mavx512vl", "-mavx512bw", "-mfma", "-mprefer-vector-width=512"],
        "avx2": ["-march=x86-64", "-mavx2", "-mfma"],
        # An emulated multiply-add fills this one: -O3 would double its compilation and gain 7 %.
        "generic": ["-march=x86-64", "-O2"],
    },
    "aarch64": {"neon": []},
}
ISAS["AMD64"], ISAS["arm64"] = ISAS["x86_64"], ISAS["aarch64"]

# No flag here may change a bit of a result: contraction is off, fast maths is undone, and without errno sqrt is one instruction.
FLAGS = ["-O3", "-g0", "-fno-fast-math", "-ffp-contract=off", "-fno-math-errno"]
# Where the compiler knows them, so that a tile's accumulators stay in registers: its loops are unrolled whole, the constants of
# the cell's functions are not kept in registers across the product, and offsets need not wrap around, as CPython's own flags
# would have it.
OPTIONAL = ["--param=max-completely-peeled-insns=1000", "--param=max-completely-peel-times=64", "-fno-gcse", "-fno-wrapv",
            "-fno-wrapv-pointer"]
DIRECTIVES = {"language_level": 3, "cdivision": True, "boundscheck": False, "wraparound": False, "initializedcheck": False}

NO_COMPILER = """no C compiler: {command} was not found. Install one and try again:
  Debian, Ubuntu: apt install gcc python3-dev      Fedora: dnf install gcc python3-devel
  macOS: xcode-select --install                    another compiler: set CC"""
NO_HEADERS = """Python.h was not found: the headers of Python {version} are missing. Install them and try again:
  Debian, Ubuntu: apt install python3-dev          Fedora: dnf install python3-devel"""


def variants(isas):
    """(module, extension, stub's lines) of every build, for the .pyx files that there are."""
    if Path("kernels/features.pyx").exists():
        yield "features", "_features", "generic" if "generic" in isas else next(iter(isas)), []
    for module, dtypes in DTYPES.items():
        if Path(f"kernels/{module}.pyx").exists():
            for dtype in dtypes:
                for isa in isas:
                    yield module, f"_{module}_{dtype}_{isa}", isa, [REALS[dtype]]


def isas():
    return ISAS.get(platform.machine(), {"generic": []})


class Build(build_ext):
    """build_ext that asks the compiler what it can do, writes the stubs, and compiles on all processors."""

    def finalize_options(self):
        super().finalize_options()
        if self.parallel is None:
            self.parallel = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()

    def build_extensions(self):
        self.check_compiler()
        offered = {isa: flags for isa, flags in isas().items() if self.accepts(flags)}
        for isa in [isa for isa in isas() if isa not in offered]:
            self.say(f"the compiler has no {isa}: built without it")
        flags = FLAGS + [flag for flag in OPTIONAL if self.accepts([flag])]
        compile_openmp, link_openmp = self.openmp()
        builds = {isa: [*flags, *own, *compile_openmp] for isa, own in offered.items()}
        self.cythonize()
        kept = {extension.name: extension for extension in self.extensions}
        self.extensions = []
        for module, name, isa, lines in variants(offered):
            extension = kept[f"kernels.{name}"]
            extension.extra_compile_args = builds[isa]
            extension.extra_link_args = link_openmp
            if module == "features":
                lines = ['#define LONGLAG_BUILDS "' + ";".join(f"{isa}:{' '.join(flags)}" for isa, flags in builds.items()) + '"']
            self.write_stub(module, name, lines, builds[isa])
            self.extensions.append(extension)
        super().build_extensions()

    def cythonize(self):
        from Cython.Build import cythonize

        modules = dict.fromkeys(module for module, *_ in variants(isas()))
        cythonize(
            [Extension(f"kernels.{module}", [f"kernels/{module}.pyx"]) for module in modules],
            build_dir=str(GENERATED.parent),
            compiler_directives=DIRECTIVES,
            force=self.force or None,
            quiet=True,
        )

    def write_stub(self, module, name, lines, flags):
        """A stub is written only when it differs: its age, like its C's, decides whether the variant is compiled again."""
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
        stub = GENERATED / f"{name}.c"
        if not stub.exists() or stub.read_text() != text:
            stub.write_text(text)

    def check_compiler(self):
        command = self.compiler.compiler_so[0]
        if shutil.which(command) is None:
            raise SystemExit(NO_COMPILER.format(command=command))
        ok, said = self.attempt([f"-I{folder}" for folder in self.include_dirs], "#include <Python.h>")
        if not ok and "Python.h" in said:
            raise SystemExit(NO_HEADERS.format(version=platform.python_version()))
        if not ok:
            raise SystemExit(f"the C compiler {command} does not work:\n{said}")

    def openmp(self):
        """(compile flags, link flags) for OpenMP; both empty, and a line that says so, where there is none."""
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
        """Whether the compiler takes the flags, and does not say that it leaves one unused."""
        ok, said = self.attempt(flags, "int main(void) { return 0; }")
        return ok and not any(flag in said for flag in flags)

    def attempt(self, flags, program, link_flags=None):
        """(whether the compiler takes `program`, what it says). With `link_flags` it links too."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "attempt.c")
            source.write_text(program)
            command = [*self.compiler.compiler_so, *flags, "-o", str(source.with_suffix(".out")), str(source)]
            done = subprocess.run([*command, "-c"] if link_flags is None else [*command, *link_flags], capture_output=True, text=True)
        return done.returncode == 0, done.stderr

    def say(self, line):
        print(f"longlag: {line}", file=sys.stderr)


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
