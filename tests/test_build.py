"""The build: which one is chosen, how many threads it takes, and what its machine code holds."""

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy
import pytest

import kernels
from kernels import _features, processor

FOLDER = Path(kernels.__file__).parent
MODULES = {"timeloop": 2, "readout": 2, "update": 2, "steps": 2, "draws": 1, "spectrum": 1, "peak": 2, "chain": 1}  # dtypes of each
BUILT = sorted(path for name in MODULES for isa in _features.BUILDS for path in FOLDER.glob(f"_{name}_*_{isa}.*.so"))
X86 = platform.machine() in ("x86_64", "AMD64")


def python(code, before=None, **environment):
    """A process of its own with `environment` added (None: taken out)."""
    changed = {name: value for name, value in (os.environ | environment).items() if value is not None}
    return subprocess.run(
        [sys.executable, "-c", code], env=changed, cwd=FOLDER.parent, preexec_fn=before, capture_output=True, text=True, timeout=120
    )


def objdump(*arguments):
    if not shutil.which("objdump"):
        pytest.skip("objdump is not installed (binutils)")
    return subprocess.run(["objdump", *map(str, arguments)], capture_output=True, text=True, check=True).stdout


def extensions(isa):
    if isa not in _features.BUILDS:
        pytest.skip(f"these kernels are not built for {isa}")
    found = [path for path in BUILT if path.match(f"_*_{isa}.*.so")]
    assert found
    return found


def test_the_best_instruction_set_is_chosen():
    assert python("import kernels; print(kernels.isa())", LONGLAG_ISA=None).stdout.split() == kernels.isas()[:1]


@pytest.mark.parametrize("name", ["avx512", "avx2", "generic", "neon", "sse9"])
def test_forced_instruction_set(name):
    done = python("import kernels; print(kernels.isa(), kernels.build('timeloop', 'float64').__name__)", LONGLAG_ISA=name)
    if name in kernels.isas():
        assert done.stdout.split() == [name, f"kernels._timeloop_f64_{name}"]
    else:
        last = done.stderr.splitlines()[-1]
        assert last.startswith(f"ImportError: LONGLAG_ISA={name}: ") and last.endswith(", ".join(kernels.isas()))


def test_kernels_that_are_not_compiled_say_how_to(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "kernels", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    done = python(f"import sys; sys.path[0] = {str(tmp_path)!r}; import kernels")
    assert done.stderr.splitlines()[-1].startswith("ImportError: the kernels are not compiled for this Python: run scripts/study")


@pytest.mark.parametrize("edited", ["lanes.h", "cells/lstm.pxd", "wrappers.py"])
def test_kernels_of_other_sources_say_what_to_run(tmp_path, edited):
    shutil.copytree(FOLDER, tmp_path / "kernels", ignore=shutil.ignore_patterns("__pycache__"))
    program = f"import sys; sys.path[0] = {str(tmp_path)!r}; import kernels"
    assert python(program).returncode == 0
    with open(tmp_path / "kernels" / edited, "a") as file:
        file.write("\n")
    assert python(program).stderr.splitlines()[-1].startswith("ImportError: the kernels were compiled from other sources")


def test_every_build_is_there():
    for name, dtypes in MODULES.items():
        assert len([path for path in BUILT if path.name.startswith(f"_{name}_")]) == dtypes * len(_features.BUILDS)


def test_threads_are_those_asked_for(monkeypatch):
    if not _features.OPENMP:
        pytest.skip("built without OpenMP: always one thread")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert kernels.threads() == 3 and kernels.threads(5) == 5
    monkeypatch.setenv("OMP_NUM_THREADS", "2,4")
    assert kernels.threads() == 2


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5"])
def test_wrong_number_of_threads_in_the_environment(monkeypatch, text):
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    with pytest.raises(ValueError, match=rf"^OMP_NUM_THREADS: expected .* got '{re.escape(text)}'"):
        kernels.threads()


@pytest.mark.parametrize("wanted, error", [(0, ValueError), (-2, ValueError), (True, TypeError), ("2", TypeError), (1.5, TypeError),
                                           (numpy.array([1, 2]), TypeError)])
def test_wrong_number_of_threads(wanted, error):
    with pytest.raises(error, match=f"^threads: expected .* got {re.escape(repr(wanted))}$"):
        kernels.threads(wanted)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_threads_stay_within_affinity():
    one = min(os.sched_getaffinity(0))
    done = python("import kernels; print(kernels.threads())", lambda: os.sched_setaffinity(0, {one}), OMP_NUM_THREADS=None)
    assert done.stdout.split() == ["1"]


@pytest.mark.parametrize(
    "groups, files, quotas",
    [
        ("0::/a/b\n", {"a/cpu.max": "150000 100000", "a/b/cpu.max": "max 100000"}, [2]),
        ("0::/host/only\n", {"cpu.max": "50000 100000"}, [1]),
        ("4:cpu,cpuacct:/a\n3:memory:/a\n", {"cpu/a/cpu.cfs_quota_us": "400000", "cpu/a/cpu.cfs_period_us": "100000"}, [4]),
        ("1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, []),
        ("0::/\n", {}, []),
    ],
)
def test_threads_stay_within_the_control_groups_quota(tmp_path, groups, files, quotas):
    (tmp_path / "cgroup").write_text(groups)
    root = tmp_path / "fs"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    assert processor._quotas(tmp_path / "cgroup", root) == quotas


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_has_one_thread():
    child = "child = os.fork()\nif child == 0: os._exit(kernels.threads(4))"
    parent = "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), kernels.threads(4))"
    done = python(f"import kernels, os\n{child}\n{parent}", OMP_NUM_THREADS="3")
    assert done.stdout.split() == ["1", "4" if _features.OPENMP else "1"]


@pytest.mark.skipif(not X86, reason="not an x86-64 processor")
def test_generic_build_holds_no_wide_register_and_no_fused_multiply_add():
    for path in extensions("generic"):
        assert not re.search(r"%[yz]mm|\bvfn?m(add|sub)", objdump("-d", path)), path.name


@pytest.mark.skipif(not X86, reason="not an x86-64 processor")
@pytest.mark.parametrize("isa, wide", [("avx512", "zmm"), ("avx2", "ymm")])
def test_wide_builds_are_wide_and_no_wider(isa, wide):
    for path in extensions(isa):
        code = objdump("-d", path)
        assert isa == "avx512" or "%zmm" not in code, path.name
        if "_timeloop_" in path.name:
            assert re.search(rf"\bvfn?madd\w+ .*%{wide}", code), path.name


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads Linux's list of what a library exports")
def test_kernels_call_nothing_of_the_maths_library_but_fma():
    def symbols(path, undefined):
        rows = (line.split() for line in objdump("-T", path).splitlines() if ("*UND*" in line) == undefined)
        return {row[-1] for row in rows if len(row) > 4}

    maths = next((line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/libm" in line), None)
    if maths is None:
        pytest.skip("no maths library is mapped")
    exported = symbols(maths, undefined=False)
    assert {"tanh", "expf", "fma"} <= exported
    for path in BUILT:
        allowed = {"fma"} if "_f64_generic." in path.name else set()
        assert symbols(path, undefined=True) & exported <= allowed, path.name


@pytest.mark.skipif(not _features.OPENMP, reason="this build has no OpenMP")
def test_weight_gradients_wait_for_the_deltas_of_all_threads():
    """Without the barrier, results would be wrong only now and then."""
    for path in (path for path in BUILT if "_timeloop_" in path.name):
        assert re.search(r"GOMP_barrier|__kmpc_barrier", objdump("-T", path)), path.name


def test_unknown_instruction_sets_are_refused():
    done = subprocess.run([sys.executable, "setup.py", "-q", "build_ext", "--inplace"], cwd=FOLDER.parent,
                          env=os.environ | {"LONGLAG_ISAS": "avx2,sse9"}, capture_output=True, text=True)
    assert done.returncode and done.stderr.splitlines()[-1].startswith("LONGLAG_ISAS: expected all, native or some of ")


@pytest.mark.parametrize("isa", _features.BUILDS)
def test_the_compiler_has_nothing_to_say(isa):
    stub = FOLDER.parent / "build" / "cython" / "kernels" / f"_update_f32_{isa}.c"
    compiler = shutil.which(sysconfig.get_config_var("CC").split()[0])
    if compiler is None or not stub.exists():
        pytest.skip("no C compiler, or no generated C here")
    folders = (sysconfig.get_path("include"), numpy.get_include(), FOLDER)
    flags = ["-Wall", "-DNPY_NO_DEPRECATED_API=NPY_1_7_API_VERSION", *_features.BUILDS[isa].split(), *(f"-I{path}" for path in folders)]
    done = subprocess.run([compiler, *flags, "-c", stub, "-o", os.devnull], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_change_to_any_file_compiles_what_depends_on_it():
    """Cython's search for what a file depends on does not see `from kernels cimport x`."""
    for path in Path(kernels.__file__).parent.glob("*.p[xy]*"):
        assert "from kernels cimport" not in path.read_text(), f"{path}: write `cimport kernels.x as x`"
