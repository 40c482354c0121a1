"""Commands do their work whatever streams, signals and environment the parent leaves them."""

import os
import signal
import subprocess
import sys

import pytest
import toy

from study import process
from study.records import machine, store


@pytest.mark.parametrize("redirected, code", [
    (">&- 2>&- <&-", 0), (">/dev/full", 74), ("2>/dev/full", 0), (">/dev/full 2>/dev/full", 74), ("| true", 0),
    (">out 2>err", 0),
])
def test_a_study_runs_to_its_end_whatever_becomes_of_what_it_prints(tmp_path, redirected, code):
    command = f"{sys.executable} {toy.__file__} run {toy.study_file(tmp_path, seeds=1)} --out {tmp_path} --workers 1 {redirected}"
    done = subprocess.run(command, shell=True, env=toy.environment(), cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == code and len(store.read(tmp_path / "toy" / "default").lines) == 12
    if redirected == ">/dev/full":
        assert done.stderr.endswith("error: standard output: No space left on device\n") and "Traceback" not in done.stderr


def test_export_to_a_full_disk_is_one_line(ran):
    command = f"{sys.executable} -m study export {ran[2]} >/dev/full"
    done = subprocess.run(command, shell=True, env=toy.environment(), capture_output=True, text=True)
    assert done.returncode == 74 and done.stderr == "error: standard output: No space left on device\n"


def test_a_stream_that_is_full_for_a_while_gets_everything():
    """A parent may have set it non-blocking."""
    program = "import sys; from study import process; process.run(lambda: print('x' * 10**6))"
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with subprocess.Popen([sys.executable, "-c", program], env=toy.environment(), stdout=writing) as running:
        os.close(writing)
        with open(reading, "rb") as file:
            assert len(file.read()) == 10**6 + 1
    assert running.returncode == 0


def test_what_an_encoding_lacks_is_escaped():
    program = "from study import process; process.run(lambda: print('\\u2264'))"
    done = subprocess.run([sys.executable, "-c", program], env=toy.environment(PYTHONIOENCODING="latin-1"), capture_output=True)
    assert done.returncode == 0 and done.stdout == b"\\u2264\n"


def test_ctrl_c_during_the_imports_is_one_line(tmp_path):
    (tmp_path / "click.py").write_text("import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)\n")
    environment = toy.environment()
    environment["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{environment['PYTHONPATH']}"
    done = subprocess.run([sys.executable, "-m", "study", "list"], env=environment, capture_output=True, text=True)
    assert done.returncode == 130 and done.stderr == "interrupted before anything began\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_the_parent_ignores_stays_ignored(number):
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with pytest.raises(SystemExit) as end:
            process.run(lambda: os.kill(os.getpid(), number))
        assert end.value.code == 0 and signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_another_package_named_kernels_is_named_in_one_sentence(tmp_path):
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels" / "__init__.py").touch()
    (elsewhere := tmp_path / "elsewhere").mkdir()
    environment = toy.environment()
    environment["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{environment['PYTHONPATH']}"
    for program in (["-P", "-m", "study", "list"], ["-P", "-c", "import study; study.load('x')"]):
        done = subprocess.run([sys.executable, *program], env=environment, cwd=elsewhere, capture_output=True, text=True)
        assert f"got another package of that name in {tmp_path}" in done.stderr.splitlines()[-1]
        assert done.returncode == 2 and done.stderr.count("\n") == 1 or program[1] == "-c"


def test_another_repository_in_the_environment_is_not_the_commit(tmp_path, monkeypatch):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    here = machine.facts()["commit"]
    for name, value in (("GIT_DIR", tmp_path / ".git"), ("GIT_WORK_TREE", tmp_path), ("GIT_INDEX_FILE", tmp_path / "index")):
        monkeypatch.setenv(name, str(value))
        assert machine.facts()["commit"] == here


def test_threads_that_are_no_number_are_not_known(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "auto")
    assert machine.facts()["kernels"]["threads"] is None
