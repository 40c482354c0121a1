"""Imports go downwards and never in a circle: the contracts in pyproject.toml, and checks that they do not cover."""

import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import grimp
import pytest
from uses import PROJECT

LINT = "import sys; from importlinter import cli; sys.exit(cli.lint_imports(config_filename=sys.argv[1], no_cache=True))"
PACKAGES = "cli bench report claims run statistics records plan trial probes nets tasks"


def lint(folder):
    """(whether the contracts hold for the packages `kernels` and `study` in a folder, what import-linter prints)"""
    command = [sys.executable, "-P", "-c", LINT, str(PROJECT / "pyproject.toml")]
    environment = {"PYTHONPATH": str(folder), "COLUMNS": "200"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, timeout=120)
    return done.returncode == 0, done.stdout + done.stderr


def circle(graph):
    """Modules that import each other in a circle, or None. An import inside a function counts."""
    try:
        TopologicalSorter({module: graph.find_modules_directly_imported_by(module) for module in graph.modules}).prepare()
    except CycleError as error:
        return error.args[1]
    return None


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph("kernels", "study", include_external_packages=True, cache_dir=None)


@pytest.fixture
def empty(tmp_path):
    """A folder with the project's packages and the modules that the contracts name, all of them empty."""
    files = ["kernels/__init__.py", "study/__init__.py", *(f"study/{name}/__init__.py" for name in PACKAGES.split()),
             *(f"study/{name}.py" for name in ("__main__", "errors", "process", "search_path")),
             *(f"study/trial/{name}.py" for name in ("run", "train", "guess"))]
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    return tmp_path


def test_contracts_hold():
    held, text = lint(PROJECT)
    assert held, text


UPWARDS = [
    ("study/errors.py", "from study.trial import run", "study.errors is not allowed to import study.trial"),
    ("study/tasks/recall.py", "def draw():\n    import study.nets", "study.tasks is not allowed to import study.nets"),
    ("study/claims/gap.py", "from study import run", "study.claims is not allowed to import study.run"),
    ("study/plan/trials.py", "import study.__main__", "study.plan is not allowed to import study.__main__"),
    ("study/records/table.py", "from study.trial.run import run", "study.records is not allowed to import study.trial.run"),
    ("kernels/layer.py", "from study import errors", "kernels is not allowed to import study"),
    ("study/helpers.py", "", "helpers"),
]


def test_contracts_catch_an_import_upwards(empty):
    assert lint(empty)[0]
    for file, source, words in UPWARDS:
        before = (empty / file).exists()
        (empty / file).write_text(source)
        held, text = lint(empty)
        assert not held and words in text, text
        (empty / file).write_text("") if before else (empty / file).unlink()


def test_no_file_imports_in_a_circle(graph):
    assert circle(graph) is None


def test_a_circle_of_two_files_is_caught(tmp_path, monkeypatch):
    package = tmp_path / "made_up"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "one.py").write_text("from made_up import two")
    (package / "two.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert circle(grimp.build_graph("made_up", cache_dir=None)) is None
    (package / "two.py").write_text("def late():\n    from made_up.one import name\n")
    assert set(circle(grimp.build_graph("made_up", cache_dir=None))) == {"made_up.one", "made_up.two"}


def packages(graph, modules):
    """The packages that modules import, without those that come with Python."""
    names = {name.partition(".")[0] for module in modules for name in graph.find_modules_directly_imported_by(module)}
    return names - sys.stdlib_module_names


def importers(graph, modules):
    """The modules that import some of `modules`, besides these."""
    return {name for module in modules for name in graph.find_modules_that_directly_import(module)} - modules


def test_kernels_import_nothing_but_numpy(graph):
    modules = {"kernels"} | graph.find_descendants("kernels")
    of_torch, of_onnx = ({module for module in modules if module.startswith(f"kernels.{name}")} for name in ("torch", "onnx"))
    assert packages(graph, modules - of_torch - of_onnx) == {"kernels", "numpy"}
    assert packages(graph, of_torch) == {"kernels", "numpy", "torch"}
    assert packages(graph, of_onnx) == {"kernels", "numpy", "onnx", "google"}
    assert importers(graph, of_torch) == {"study.bench.peers.ours"}
    assert importers(graph, of_onnx) == {"study.bench.peers.onnxruntime", "study.nets.onnx"}


def test_importing_kernels_loads_nothing_heavy():
    program = "import sys, kernels; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert not {"study", "scipy", "pandas", "matplotlib", "torch", "onnx"} & set(done.stdout.split())
