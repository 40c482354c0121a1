"""What an installed copy holds: everything that its commands read, and nothing from outside of the package."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from study.plan import selection
from study.records import machine

PROJECT = machine.PROJECT


def files(folder, *packages):
    """The files of packages below a folder, relative to it; without what compilers wrote."""
    paths = {path.relative_to(folder) for package in packages for path in (folder / package).rglob("*") if path.is_file()}
    return {path for path in paths if path.suffix not in (".so", ".pyc")}


@pytest.fixture(scope="module")
def distribution(tmp_path_factory):
    """A folder with the source distribution (*.tar) and, in `installed`, the Python files and data that a wheel gets."""
    folder = tmp_path_factory.mktemp("distribution")
    commands = f"egg_info --egg-base {folder} sdist --formats=tar --dist-dir {folder} build_py --build-lib {folder}/installed"
    done = subprocess.run([sys.executable, "setup.py", "-q", *commands.split()], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_source_distribution_holds_what_the_build_and_the_tests_need(distribution):
    (archive,) = distribution.glob("*.tar")
    with tarfile.open(archive) as tar:
        held = {Path(*Path(name).parts[1:]) for name in tar.getnames()}
    tops = ("setup.py", "pyproject.toml", "constraints.txt", "LICENSE", "README.md", "CITATION.cff")
    assert files(PROJECT, "kernels", "study", "scripts", "tests") | {Path(name) for name in tops} <= held
    assert not [path for path in held if path.parts[:1] in (("build",), (".venv",)) or path.suffix == ".so"]


def test_an_installed_copy_holds_all_code_and_data_and_no_sources_of_extensions(distribution):
    wanted = {path for path in files(PROJECT, "kernels") if path.suffix == ".py" or path.parts[1] == "cells"}
    assert files(distribution / "installed", "kernels", "study") == files(PROJECT, "study") | wanted


def test_committed_learning_rates_are_those_of_the_results():
    copies = sorted(selection.COMMITTED.rglob("selection.json"))
    assert copies
    for copy in copies:
        results = PROJECT / "results" / copy.relative_to(selection.COMMITTED)
        assert copy.read_bytes() == results.read_bytes(), f"copy {results} to {copy}"


@pytest.mark.parametrize("command, answer", [
    (["cite"], (PROJECT / "CITATION.cff").read_text()),
    (["run", "--preset", "quick", "--dry-run"], "trials: 110, and 0 to choose learning rates"),
    (["list", "cells"], "Hochreiter"),
    (["env"], '"commit": null'),
])
def test_commands_of_an_installed_copy_need_nothing_beside_it(distribution, tmp_path, command, answer):
    program = "import kernels, sys; sys.path.insert(0, sys.argv.pop(1)); from study.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-P", "-c", program, distribution / "installed", *command], cwd=tmp_path,
                          env=os.environ | {"PYTHONPATH": str(PROJECT)}, capture_output=True, text=True)
    assert answer in done.stdout, done.stderr
