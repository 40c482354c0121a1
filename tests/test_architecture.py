"""The invariants of CONTRIBUTING: who imports whom, who writes, and what may not be computed on a trial's path."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[1]
LEVELS = [  # of study, lowest first
    {"errors", "streams"}, {"tasks"}, {"nets"}, {"probes"}, {"trial"}, {"plan"}, {"records"}, {"statistics"}, {"claims"}, {"run"}, {"report"},
    {"bench"}, {"cli"}, {"__main__"},
]
ON_A_TRIALS_PATH = [
    PROJECT / "study" / "streams.py",
    *(path for room in ("trial", "nets", "tasks", "probes") for path in sorted((PROJECT / "study" / room).glob("*.py"))),
    *(path for path in sorted((PROJECT / "kernels").glob("*.py")) if not path.stem.startswith("reference")),
]
PYTHON = [path for package in ("kernels", "study") for path in sorted((PROJECT / package).rglob("*.py"))]


def name(path):
    return str(path.relative_to(PROJECT))


def tree(path):
    return ast.parse(path.read_text())


def imports(path):
    """Full names of all modules that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def part(module):
    """The part of study that a module belongs to: study.tasks.recall -> tasks."""
    return module.split(".")[1]


def study_imports():
    """{part: parts it imports}; the package's own __init__ stands above all."""
    found = {}
    known = {entry.stem for entry in (PROJECT / "study").iterdir() if entry.suffix == ".py" or (entry / "__init__.py").exists()}
    for path in sorted((PROJECT / "study").rglob("*.py")):
        where = path.relative_to(PROJECT / "study").parts[0].removesuffix(".py")
        if where != "__init__":
            wanted = {part(module) for module in imports(path) if module.startswith("study.")}
            found.setdefault(where, set()).update((wanted & known) - {where})
    return found


def test_study_imports_only_downwards():
    level = {module: height for height, modules in enumerate(LEVELS) for module in modules}
    for module, wanted in study_imports().items():
        assert module in level, f"study/{module}: say in LEVELS where it stands"
        for other in wanted:
            assert level[other] <= level[module], f"study.{module} imports study.{other}, which stands above it"


def test_study_imports_in_no_circle():
    TopologicalSorter(study_imports()).prepare()


def test_kernels_import_numpy_and_nothing_else():
    for path in (PROJECT / "kernels").rglob("*.py"):
        for module in imports(path):
            top = module.split(".")[0]
            assert top in {"kernels", "numpy"} or top in sys.stdlib_module_names, f"{name(path)} imports {module}"


def test_importing_kernels_brings_nothing_heavy():
    heavy = {"study", "scipy", "pandas", "matplotlib", "torch"}
    asks = f"import sys, kernels; print(*{{name.split('.')[0] for name in sys.modules}} & {heavy})"
    done = subprocess.run([sys.executable, "-c", asks], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_report_never_trains():
    for path in (PROJECT / "study" / "report").rglob("*.py"):
        trains = {f"study.{module}" for module in ("trial.run", "trial.guess", "nets", "nets.net", "run")}
        assert not imports(path) & (trains | {"kernels.RNN"}), name(path)


WRITING = {"write_text", "write_bytes", "mkdir", "touch", "unlink", "rename", "replace", "rmdir", "savefig", "to_csv",
           "makedirs", "remove", "ftruncate", "rmtree"}


def writes(path):
    """Calls in a file that could change the disk: those that open for writing, and methods known to write."""
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        owner = getattr(getattr(node.func, "value", None), "id", "")
        words = [word.value for word in [*node.args, *(k.value for k in node.keywords)] if isinstance(word, ast.Constant)]
        for_writing = any(isinstance(word, str) and len(word) < 4 and set(word) & set("wax+") for word in words)
        if called == "open" and (owner == "os" or for_writing):
            yield node.lineno, called
        if called in WRITING - {"replace", "remove"} or called in WRITING and owner == "os":
            yield node.lineno, called


def test_only_the_store_writes():
    """The report draws and tabulates into memory, replaces its files through the store, and deletes its own stale ones."""
    may = {"study/records/store.py": WRITING | {"open"}, "study/report/__init__.py": {"unlink", "to_csv"},
           "study/report/style.py": {"savefig"}}
    for path in PYTHON:
        for line, call in writes(path):
            assert call in may.get(name(path), set()), f"{name(path)}:{line} writes: {call}"
    assert any(True for _ in writes(PROJECT / "study" / "records" / "store.py"))


INEXACT = {"exp", "log", "log2", "log10", "log1p", "expm1", "tanh", "sin", "cos", "power", "float_power", "dot", "matmul",
           "einsum", "inner", "outer", "tensordot", "linalg", "mean", "std", "var", "average", "nansum", "nanmean",
           "default_rng", "Generator", "normal", "fsum", "pow"}


def inexact(path):
    """Uses of what need not give the same bits everywhere: they belong to the kernels."""
    for node in ast.walk(tree(path)):
        owner = getattr(getattr(node, "value", None), "id", "")
        if isinstance(node, ast.Attribute) and node.attr in INEXACT and owner in {"np", "numpy", "math", "random"}:
            yield node.lineno, f"{owner}.{node.attr}"
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"mean", "std", "var", "dot"}:
            yield node.lineno, f".{node.func.attr}"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            yield node.lineno, "@"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            if getattr(node.left, "value", None) != 2:  # powers of two are exact
                yield node.lineno, "**"


@pytest.mark.parametrize("path", ON_A_TRIALS_PATH, ids=name)
def test_a_trials_path_computes_floats_in_kernels_only(path):
    assert not list(inexact(path))


def test_the_checks_see_what_they_look_for(tmp_path):
    bad = tmp_path / "bad.py"
    bad.write_text("import numpy as np\nnp.exp(a @ b)\nc.mean()\nd ** e\nopen(f, 'w')\nos.open(g)\nh.write_text(i)\n")
    assert [what for _, what in inexact(bad)] and len({what for _, what in inexact(bad)}) == 4
    assert [what for _, what in writes(bad)] == ["open", "open", "write_text"]


@pytest.mark.parametrize("path", [p for folder in ("kernels", "study", "tests") for p in sorted((PROJECT / folder).rglob("*"))
                                  if p.suffix in {".py", ".pyx", ".pxd", ".h", ".pxi"}], ids=name)
def test_a_file_is_one_thing(path):
    assert len(path.read_text().splitlines()) <= 400
    assert "util" not in path.stem
