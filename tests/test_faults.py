"""Every fault that a study is to survive, at small size; scripts/torture has the same at full size."""

import random
import shutil
import signal
import subprocess
import sys
import time

import disk
import kills
import mishaps
import pytest
import toy
from faults import Study, undisturbed

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc, preloads a library")


@pytest.fixture(scope="module")
def study_file(tmp_path_factory):
    return toy.study_file(tmp_path_factory.mktemp("file"), seeds=2, milliseconds=100)


@pytest.fixture(scope="module")
def right(study_file, tmp_path_factory):
    return undisturbed(study_file, tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A study that lasts long enough to kill its workers, and what an undisturbed run of it leaves."""
    folder = tmp_path_factory.mktemp("slow")
    path = toy.study_file(folder, seeds=4, milliseconds=200)
    return path, undisturbed(path, folder / "undisturbed")


@pytest.fixture(scope="module")
def halfway(study_file, tmp_path_factory):
    """The folder of a study whose driver was killed half way."""
    folder = tmp_path_factory.mktemp("halfway") / "out"
    mishaps.half(folder, study_file)
    return folder


@pytest.fixture(scope="module")
def failing(tmp_path_factory):
    with disk.Disk(tmp_path_factory.mktemp("disk")) as failing:
        yield failing


def test_a_study_that_takes_too_long_is_ended_with_all_that_it_started():
    process = subprocess.Popen(["sh", "-c", "sleep 60 & sleep 60"], stdout=subprocess.PIPE, start_new_session=True)
    while len(below := kills.children(process.pid)) < 2:
        time.sleep(0.01)
    with pytest.raises(subprocess.TimeoutExpired):
        Study.finish(process, 0.1)
    assert process.returncode == -signal.SIGKILL and not kills.outlive(below, 5)


@pytest.mark.parametrize("way", disk.WAYS)
def test_a_disk_that_fails_at_some_call(failing, way):
    """One call of each name fails, another one in each run of the tests."""
    kinds = {}
    for number in random.sample(numbers := disk.calls(failing, way), len(numbers)):
        kinds[failing.calls[number - 1].name] = number
    assert set(kinds) == ({"write"} if way == "short write" else {"write", "fsync", "rename", "create", "mkdir", "unlink"})
    for k in kinds.values():
        cost = disk.trouble(failing, k, way)
        assert cost.harmless(), (k, failing.calls[k - 1], cost)


def test_kill_9_of_the_driver(tmp_path, study_file, right):
    cost = kills.drivers(Study(study_file, tmp_path / "out"), right, 3, 2.0)
    assert cost.rounds == 3 and cost.harmless(kills.AT_ONCE), cost


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_worker_killed_by(tmp_path, slow, number):
    path, right = slow
    cost = kills.workers(Study(path, tmp_path / "out"), right, 2, number)
    assert cost.rounds >= 2 and cost.harmless(kills.AT_ONCE), cost


@pytest.mark.parametrize("name", mishaps.MISHAPS)
def test_a_study_survives(tmp_path, study_file, right, halfway, name, monkeypatch):
    def half(folder, file):
        shutil.copytree(halfway, folder, dirs_exist_ok=True)
        study = Study(file, folder)
        return study, *study.place.glob("segments/*.jsonl")

    monkeypatch.setattr(mishaps, "half", half)  # one killed study for all mishaps
    try:
        cost = mishaps.MISHAPS[name](tmp_path / "out", study_file, right, random.Random())
    except PermissionError as error:
        pytest.skip(str(error))
    assert cost.harmless(kills.AT_ONCE), cost
