"""Folders whose merged records are compressed: `runs.jsonl.gz` in place of `runs.jsonl`."""

import gzip
import json

import pytest
import toy

import study
from study.records import store
from study.records.contents import PARSE

MORE = toy.trials(3)[2:]


@pytest.fixture
def packed(ran):
    """(the folder of a study that was run, its records before and after they were compressed)"""
    folder = ran[2]
    records = (folder / "runs.jsonl").read_bytes()
    (folder / "runs.jsonl.gz").write_bytes(gzip.compress(records, 1))
    (folder / "runs.jsonl").unlink()
    return folder, records, (folder / "runs.jsonl.gz").read_bytes()


def names(folder):
    return {path.name for path in folder.glob("runs.jsonl*")}


def add(folder):
    """One more trial, by another driver; its line."""
    with store.Driver(folder, {}) as driver:
        (trial,) = MORE
        return driver.record(trial, toy.outcome(trial))


def test_every_command_reads_them(packed, ran, call):
    folder, records, _ = packed
    id = PARSE(records.split(b"\n")[0].decode())["id"]
    assert len(study.load(folder)) == 24
    assert call("status", folder)[1].count(" 0 missing of 24") == 1
    assert json.loads(call("show", id, "--out", ran[1])[1])["id"] == id
    assert call("compare", folder, folder / "runs.jsonl.gz")[0] == 0
    assert "2 of 2 bit-identical" in call("verify", folder, "--workers", "1", "--sample", "2")[1]


def test_they_stay_the_same_bytes_until_there_are_new_ones(packed, ran, call):
    folder, records, before = packed
    assert call("run", ran[0], "--out", ran[1])[0] == 0
    code, out, _ = call("compact", folder)
    assert code == 0 and out == f"{folder / 'runs.jsonl.gz'}: 24 records\n"
    assert (folder / "runs.jsonl.gz").read_bytes() == before and names(folder) == {"runs.jsonl.gz"}
    line = add(folder)
    assert "25 records" in call("compact", folder)[1] and names(folder) == {"runs.jsonl.gz"}
    assert sorted(records.split(b"\n") + [line]) == sorted(gzip.decompress((folder / "runs.jsonl.gz").read_bytes()).split(b"\n"))
    assert not list(folder.glob("segments/*"))


def test_beside_a_file_that_is_not_compressed_they_are_merged_into_it(packed, call):
    folder, records, _ = packed
    first, rest = records.split(b"\n", 1)
    (folder / "runs.jsonl").write_bytes(first + b"\n")
    (folder / "runs.jsonl.gz").write_bytes(gzip.compress(rest))
    assert call("compact", folder)[0] == 0
    assert (folder / "runs.jsonl").read_bytes() == records and names(folder) == {"runs.jsonl"}


@pytest.mark.parametrize("change", [lambda data: data[:-20], lambda data: data[:40] + b"x" + data[41:], lambda data: b"records"])
def test_a_damaged_file_ends_every_command_and_stays(packed, ran, call, change):
    folder, _, data = packed
    path = folder / "runs.jsonl.gz"
    path.write_bytes(change(data))
    for command in (("status", folder), ("compact", folder), ("run", ran[0], "--out", ran[1])):
        code, _, err = call(*command)
        assert code != 0 and f"{path}: " in err and err.endswith("Restore the file\n")
    assert path.read_bytes() == change(data) and names(folder) == {"runs.jsonl.gz"}


def test_they_are_replaced_whole(packed, monkeypatch):
    folder, _, before = packed
    add(folder)

    def refuse(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "replace", refuse)
    known = store.read(folder)
    with pytest.raises(store.Refused, match="No space left"):
        store.compact(folder)
    assert store.read(folder) == known and (folder / "runs.jsonl.gz").read_bytes() == before
