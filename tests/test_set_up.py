"""scripts/set-up, with a Python that only pretends to make environments, to install and to compile."""

import os
import shutil
import subprocess
import sys

import pytest

from study.records.machine import PROJECT

PRETENDS = """#!/bin/sh
case "$FAILS:$*" in
    venv:*"-m venv"* | pip:*"pip install"* | compiler:*setup.py*) echo "it is broken"; exit 1;;
    *"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python;;
    *"-m pip --version"* | *"pip install"*) ;;
    *setup.py*) touch kernels/made.so;;
    *purelib*) pwd;;
    *) exec {python} "$@";;
esac
"""
STEPS = {"venv": ".venv could not be created", "pip": "the packages could not be installed", "compiler": "could not be compiled"}


@pytest.fixture
def set_up(tmp_path):
    """Runs set-up of a project whose path has spaces, from another folder, without a home."""
    project, tools = tmp_path / "my own projects" / "long lag", tmp_path / "tools"
    for folder in (project / "kernels" / "cells", tools):
        folder.mkdir(parents=True)
    for name in ("pyproject.toml", "constraints.txt", "setup.py", "kernels/lanes.h"):
        shutil.copy(PROJECT / name, project / name)
    shutil.copytree(PROJECT / "scripts", project / "scripts")
    (tools / "python3").write_text(PRETENDS.format(python=sys.executable))
    (tools / "python3").chmod(0o755)

    def run(fails="", *arguments):
        environment = {"HOME": "", "FAILS": fails, "PATH": f"{tools}{os.pathsep}{os.defpath}"}
        done = subprocess.run([project / "scripts" / "set-up", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.stdout == ""
        return done.returncode, done.stderr

    run.project = project
    return run


@pytest.mark.parametrize("step", STEPS)
def test_a_failing_step_shows_its_log_and_a_second_run_goes_on(set_up, step):
    code, said = set_up(step)
    assert code == 69
    assert "it is broken" in said and STEPS[step] in said
    log = "packages" if step == "pip" else "set-up"
    assert f"{set_up.project}/build/{log}.log" in said and "Then run the same command again" in said
    code, said = set_up()
    assert code == 0 and "ready, after " in said.splitlines()[-1]
    assert ("creating .venv" in said) == (step == "venv")


def test_nothing_is_done_twice(set_up):
    assert set_up("", "test")[0] == 0
    assert set_up("venv pip compiler", "test") == set_up("venv pip compiler") == (0, "")
    (set_up.project / "kernels" / "lanes.h").write_text("another")
    code, said = set_up("", "test")
    assert code == 0 and "compiling" in said and "installing" not in said

