"""Every fault that a study is to survive, at small size; scripts/torture has the same at full size."""

import random
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
    assert {call.name for call in failing.calls} == {"write", "fsync", "rename", "create", "mkdir", "unlink"}
    numbers = disk.calls(failing, way, every=11, first=random.randrange(1, 12))
    assert len(numbers) > 2
    for k in numbers:
        cost = disk.trouble(failing, k, way)
        assert cost.harmless(), (k, failing.calls[k - 1], cost)


def test_kill_9_of_the_driver(tmp_path, study_file, right):
    cost = kills.drivers(Study(study_file, tmp_path / "out"), right, 4, 2.0)
    assert cost.rounds == 4 and cost.harmless(kills.AT_ONCE), cost


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_worker_killed_by(tmp_path, number):
    path = toy.study_file(tmp_path, seeds=4, milliseconds=200)
    cost = kills.workers(Study(path, tmp_path / "out"), undisturbed(path, tmp_path / "undisturbed"), 2, number)
    assert cost.rounds >= 2 and cost.harmless(kills.AT_ONCE), cost


@pytest.mark.parametrize("name", mishaps.MISHAPS)
def test_a_study_survives(tmp_path, study_file, right, name):
    try:
        cost = mishaps.MISHAPS[name](tmp_path / "out", study_file, right, random.Random())
    except PermissionError as error:
        pytest.skip(str(error))
    assert cost.harmless(kills.AT_ONCE), cost
