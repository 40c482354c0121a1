"""Acknowledged records survive crashes, refusals of the disk, compactions and copies; damage is named."""

import errno
import fcntl
import hashlib
import json
import os
import random
import resource
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import toy

from study.records import store
from study.trial.knobs import Trial

FACTS = {"processor": {"name": "toy"}}
pytestmark = pytest.mark.filterwarnings("ignore::study.records.store.Damaged")


def outcome(trial):
    return toy.outcome(trial, seconds=0.5)


def fill(folder, trials):
    with store.Driver(folder, FACTS) as driver:
        for trial in trials:
            driver.record(trial, outcome(trial))


@pytest.fixture
def trials():
    return toy.trials(6)


@pytest.fixture
def folder(tmp_path, trials):
    fill(tmp_path, trials)
    return tmp_path


def segment(folder):
    (path,) = folder.glob("segments/*.jsonl")
    return path


def ids(trials):
    return {trial.id for trial in trials}


def test_what_is_written_is_read_to_the_bit(folder, trials):
    contents = store.read(folder)
    assert not contents.damage
    for trial in trials:
        assert contents.record(trial.id)["result"] == toy.work(trial).as_dict()
        assert Trial(**contents.record(trial.id)["trial"]) == trial


def test_compacting_moves_records_and_changes_none(folder, trials):
    before = store.read(folder).lines
    compacted = store.compact(folder)
    assert compacted.lines == store.read(folder).lines == before
    assert not list(folder.glob("segments/*.jsonl"))
    lines = (folder / "runs.jsonl").read_bytes().splitlines()
    assert lines == [before[id] for id in sorted(before)]
    stamp = (folder / "runs.jsonl").stat().st_mtime_ns
    store.compact(folder)
    assert (folder / "runs.jsonl").stat().st_mtime_ns == stamp


def test_runs_do_not_depend_on_order_drivers_or_repeats(folder, trials, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    for part in (trials[3:], trials[:4], trials[::-1]):
        fill(other, part)
    store.compact(other)
    store.compact(folder)
    assert (other / "runs.jsonl").read_bytes() == (folder / "runs.jsonl").read_bytes()


def test_a_repeated_study_leaves_the_manifest_alone(folder, trials):
    store.compact(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    (folder / "runs.jsonl").unlink()
    fill(folder, trials)
    store.compact(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before
    assert json.loads(before["manifest.json"])["records"] == len(trials)


def test_runs_depend_on_the_trials_alone(folder, trials):
    line = store.read(folder).lines[trials[0].id]
    assert b"here" not in line and b"seconds" not in line
    assert set(json.loads(line)) == {"check", "schema", "id", "status", "trial", "result"}


def test_a_torn_last_line_is_named_and_only_that_trial_is_lost(folder, trials):
    path = segment(folder)
    whole = path.read_bytes()
    for cut in (1, 2, 300):
        path.write_bytes(whole[:-cut])
        contents = store.read(folder)
        lost = ids(trials) - set(contents.lines)
        assert lost == (set() if cut == 1 else {trials[-1].id})  # without its newline a record is whole
        assert len(contents.damage) == len(lost)
        assert all(str(path) in line for line in contents.damage)
    fill(folder, trials[-1:])
    assert set(store.compact(folder).lines) == ids(trials)


def test_a_flipped_bit_anywhere_costs_one_trial_at_most(folder, trials):
    path = segment(folder)
    whole = path.read_bytes()
    chance = random.Random(1)
    newlines = [k for k, byte in enumerate(whole) if byte == 10]
    for place in [0, len(whole) - 1, *newlines, *chance.choices(range(len(whole)), k=200)]:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << chance.randrange(8)]) + whole[place + 1 :])
        contents = store.read(folder)
        assert len(ids(trials) - set(contents.lines)) <= 1
        assert contents.damage
        assert all(contents.record(id)["result"] == toy.work(t).as_dict() for t in trials if (id := t.id) in contents.lines)


@pytest.mark.parametrize("rubbish", [b"\0" * 4096, b"", b"\xff" * 99, b"{}\n[]\nnull\n", b'{"check":"0123456789abcdef",'])
def test_rubbish_behind_and_between_records_is_skipped(folder, trials, rubbish):
    path = segment(folder)
    first, rest = path.read_bytes().split(b"\n", 1)
    path.write_bytes(first + b"\n" + rubbish + b"\n" + rest + rubbish)
    contents = store.read(folder)
    assert set(contents.lines) == ids(trials)
    assert bool(contents.damage) == bool(rubbish)


def test_a_line_with_a_good_checksum_that_is_no_record_is_skipped(folder, trials):
    for entry in ({"schema": 1}, {"schema": 1, "id": "x", "status": "failed", "trial": {}, "result": {}}, {"schema": "a"}):
        with open(segment(folder), "ab") as file:
            file.write(store.encode(entry) + b"\n")
    contents = store.read(folder)
    assert set(contents.lines) == ids(trials)
    assert len(contents.damage) == 3


def test_foreign_and_empty_files_are_named_and_left_alone(folder, trials):
    (folder / "segments" / "notes.txt").write_text("mine")
    (folder / "segments" / "empty.jsonl").touch()
    (folder / "segments" / "folder.jsonl").mkdir()
    contents = store.read(folder)
    assert set(contents.lines) == ids(trials)
    assert len(contents.damage) == 2
    store.compact(folder)
    assert (folder / "segments" / "notes.txt").read_text() == "mine"


def test_two_results_of_one_trial_are_an_alarm(folder, trials):
    wrong = toy.outcome(trials[0], final_loss=toy.work(trials[0]).final_loss * (1 + 2**-52))
    with store.Driver(folder, FACTS) as driver:
        driver.record(trials[0], wrong)
    with pytest.raises(store.Broken, match=trials[0].id):
        store.compact(folder)
    assert len(list(folder.glob("segments/*.jsonl"))) == 2


def test_records_of_the_future_are_refused(folder):
    with open(segment(folder), "ab") as file:
        file.write(store.encode({"schema": store.SCHEMA + 1, "id": "x"}) + b"\n")
    with pytest.raises(store.Broken, match="newer version"):
        store.read(folder)


@pytest.mark.parametrize("schema", range(1, store.SCHEMA + 1))
def test_records_of_every_schema_stay_readable(tmp_path, schema):
    """A new schema needs a folder here that the last version before it wrote."""
    old = shutil.copytree(Path(__file__).parent / "golden" / "records" / f"schema-{schema}", tmp_path / "old")
    before = store.read(old)
    assert len(before.lines) == 3 and not before.damage and len(before.origins) == 2 and len(before.failures) == 1
    assert all(Trial(**before.record(id)["trial"]) and before.record(id)["result"]["sequences"] for id in before.lines)
    after = store.compact(old)
    assert after.lines == before.lines == store.read(old).lines and not list(old.glob("segments/*.jsonl"))


def test_machines_are_merged_by_copying_files(folder, trials, tmp_path_factory):
    """Another machine's segments, or its compacted files under another name, are copied into `segments`."""
    here, there = tmp_path_factory.mktemp("here"), tmp_path_factory.mktemp("there")
    fill(here, trials[:4])
    fill(there, trials[2:])
    store.compact(there)
    for kind in ("jsonl", "log"):
        shutil.copy(there / f"runs.{kind}", here / "segments" / f"there.{kind}")
    merged = store.compact(here)
    store.compact(folder)
    assert (here / "runs.jsonl").read_bytes() == (folder / "runs.jsonl").read_bytes()
    assert set(merged.origins) == ids(trials) and len(merged.drivers) == 2 and not merged.damage


def test_a_living_drivers_segment_is_merged_but_kept(tmp_path, trials):
    with store.Driver(tmp_path, FACTS) as driver:
        driver.record(trials[0], outcome(trials[0]))
        assert len(store.alive(tmp_path)) == 1
        assert set(store.compact(tmp_path).lines) == {trials[0].id}
        driver.record(trials[1], outcome(trials[1]))
        assert set(store.read(tmp_path).lines) == ids(trials[:2])
    assert not store.alive(tmp_path)
    assert set(store.compact(tmp_path).lines) == ids(trials[:2])
    assert not list(tmp_path.glob("segments/*.jsonl"))


def test_a_driver_is_alive_from_begin_on_and_leaves_no_empty_segment(tmp_path):
    with store.Driver(tmp_path, FACTS) as driver:
        assert not store.alive(tmp_path) and not list(tmp_path.iterdir())
        driver.begin()
        (segment,) = store.alive(tmp_path)
        assert store.read(tmp_path).drivers == {segment.stem: FACTS}
        driver.begin()
        driver.describe(dict(FACTS))
        assert store.alive(tmp_path) == [segment] and len(segment.with_suffix(".log").read_bytes().splitlines()) == 1
        store.compact(tmp_path)
        assert segment.exists()
    store.compact(tmp_path)
    assert not segment.exists()


def test_a_file_system_that_locks_only_what_is_open_for_writing(tmp_path, trials, monkeypatch):
    real = fcntl.flock

    def as_on_nfs(file, how):
        if stat.S_ISREG(os.fstat(file).st_mode) and fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        return real(file, how)

    monkeypatch.setattr(store.fcntl, "flock", as_on_nfs)
    fill(tmp_path, trials[:1])
    assert not store.alive(tmp_path) and set(store.compact(tmp_path).lines) == ids(trials[:1])


def test_a_failure_is_no_record_and_is_forgotten_after_success(tmp_path, trials):
    failed = {"status": "failed", "reason": "bad luck", "seconds": 1.0, "host": "here"}
    with store.Driver(tmp_path, FACTS) as driver:
        driver.failure(trials[0], failed)
        driver.failure(trials[0], failed | {"reason": "again"})
    contents = store.compact(tmp_path)
    assert not contents.lines
    assert contents.failures[trials[0].id]["reason"] == "again"
    fill(tmp_path, trials[:1])
    assert not store.read(tmp_path).failures


def test_what_json_cannot_hold_or_is_too_large_is_refused(tmp_path, trials):
    with store.Driver(tmp_path, FACTS) as driver:
        for bad in (float("nan"), float("inf"), "x" * store.LARGEST):
            with pytest.raises(ValueError):
                driver.record(trials[0], toy.outcome(trials[0], final_loss=bad))
    assert not store.read(tmp_path).lines


def test_a_folder_deleted_meanwhile_is_noticed(tmp_path, trials):
    folder = tmp_path / "gone"
    with pytest.raises(store.Refused, match="deleted"), store.Driver(folder, FACTS) as driver:
        driver.record(trials[0], outcome(trials[0]))
        shutil.rmtree(folder)
        driver.record(trials[1], outcome(trials[1]))


@pytest.mark.parametrize("call", ["write", "fsync", "open", "replace", "unlink", "flock"])
def test_a_disk_that_refuses_loses_nothing_acknowledged(tmp_path, trials, monkeypatch, call):
    """The n-th call fails, for every n: acknowledged records are there, and the next driver completes the study."""
    place = store.fcntl if call == "flock" else store.Path if call == "unlink" else store.os
    real = getattr(place, call)
    for n in range(20):
        folder, kept, left = tmp_path / str(n), [], [n]

        def fails(*arguments, **more):
            left[0] -= 1
            if left[0] == -1:
                raise OSError(28, "No space left on device")
            return real(*arguments, **more)

        monkeypatch.setattr(place, call, fails)
        try:
            with store.Driver(folder, FACTS) as driver:
                for trial in trials:
                    driver.record(trial, outcome(trial))
                    kept.append(trial)
            store.compact(folder)
            refused = False
        except store.Refused as error:
            assert "\n" not in str(error)
            refused = True
        monkeypatch.setattr(place, call, real)
        assert set(store.read(folder).lines) >= ids(kept)
        fill(folder, trials)
        assert set(store.compact(folder).lines) == ids(trials)
        assert not list(folder.glob(".*"))
        if not refused:
            return
    assert call in ("write", "fsync", "open")


FULL = """
import sys, toy
from study.records import store
with store.Driver(sys.argv[1], {}) as driver:
    for trial in toy.trials(50):
        driver.record(trial, toy.outcome(trial))
        print(trial.id, flush=True)
"""


def test_a_disk_that_fills_up_in_the_middle_of_a_record(tmp_path):
    """A short write: the process may not make files larger than 5,000 bytes."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, tmp_path], capture_output=True, text=True, env=toy.environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)))
    assert "study.records.files.Refused" in done.stderr
    contents = store.read(tmp_path)
    assert set(contents.lines) == set(done.stdout.split()) and len(contents.lines) > 3
    assert len(contents.damage) == 1


def test_put_replaces_all_or_nothing(tmp_path, monkeypatch):
    path = tmp_path / "a" / "plan.toml"
    store.put(path, "one")
    stamp = path.stat().st_mtime_ns
    store.put(path, "one")
    assert path.stat().st_mtime_ns == stamp

    def refuse(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.os, "fsync", refuse)
    with pytest.raises(store.Refused, match="No space left"):
        store.put(path, "two")
    assert path.read_text() == "one"


def test_a_checksum_covers_every_byte(folder):
    line = store.read(folder).lines[toy.trials(1)[0].id]
    body = b"{" + line[28:]
    assert json.loads(line)["check"] == hashlib.sha256(body).hexdigest()[:16]


@pytest.mark.parametrize("together", [1, 4, 100])
def test_who_made_a_record_outlives_its_segments(folder, trials, together, monkeypatch):
    monkeypatch.setattr(store, "TOGETHER", together)
    store.compact(folder)
    shutil.rmtree(folder / "segments")
    contents = store.read(folder)
    (driver,) = contents.drivers
    assert contents.drivers[driver] == FACTS and not contents.damage
    assert contents.origins == {trial.id: {"driver": driver, "host": "here", "seconds": 0.5} for trial in trials}


def test_a_dead_drivers_log_is_deleted_once_runs_log_has_all_of_it(folder, trials):
    with store.Driver(folder, FACTS) as driver:
        driver.failure(toy.trials(7)[6], {"status": "failed", "reason": "no luck", "seconds": 0.5, "host": "here"})
        before = store.read(folder)
        store.compact(folder)
        assert [path.stem for path in (folder / "segments").iterdir()] == [driver.name]
    assert store.compact(folder) == store.read(folder) == before
    fill(folder, trials)
    (again,) = {path.stem for path in folder.glob("segments/*.log")} - {driver.name}
    store.compact(folder)
    assert {path.name for path in (folder / "segments").iterdir()} == {f"{driver.name}.log", f"{again}.log"}


@pytest.mark.parametrize("name", ["runs.jsonl", "runs.log", "manifest.json"])
def test_nothing_is_deleted_before_its_copy_is_written(folder, trials, name, monkeypatch):
    before, replace = store.read(folder), store.replace

    def refuse(path, data):
        if path.name == name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        replace(path, data)

    monkeypatch.setattr(store, "replace", refuse)
    with pytest.raises(store.Refused):
        store.compact(folder)
    assert store.read(folder) == before


def test_one_file_of_records_can_be_read_alone(folder, trials):
    assert set(store.read(segment(folder)).lines) == ids(trials)
