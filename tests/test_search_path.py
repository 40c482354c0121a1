"""Files of the user's in the working directory are never imported, whatever they are called."""

import os
import subprocess
import sys

import pytest
from faults import small

NAMES = "random numpy kernels socket json enum queue pickle tempfile click loky rich matplotlib".split()


@pytest.fixture
def folder(tmp_path):
    """A working directory with a study file, and Python files that end whoever imports them."""
    small(tmp_path)
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('the {name}.py of the user was imported')\n")
    return tmp_path


def run(folder, *options, **environment):
    command = [sys.executable, *options, "-m", "study", "run", "small.toml", "--out", "out", "--workers", "2"]
    return subprocess.run(command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("path", [None, "", ".", f"{os.pathsep}/nowhere"])
def test_a_study_runs_beside_files_with_the_names_of_modules(folder, path):
    done = run(folder, **({} if path is None else {"PYTHONPATH": path, "PYTHONSAFEPATH": "1"}))
    assert done.returncode == 0 and "16 trials in" in done.stdout and "of the user" not in done.stderr, done.stderr


def test_a_study_runs_beside_a_file_of_its_own_name(folder):
    (folder / "study.py").write_text("raise SystemExit('the study.py of the user was imported')\n")
    done = run(folder, "-P")
    assert done.returncode == 0 and "16 trials in" in done.stdout, done.stderr


def test_the_files_would_end_a_worker_that_imports_them(folder):
    for name in NAMES:
        done = subprocess.run([sys.executable, "-c", f"import {name}"], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 1 and f"the {name}.py of the user" in done.stderr
