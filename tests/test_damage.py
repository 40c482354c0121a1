"""Damaged lines are named by every reader and never thrown away; what editors and git do to text is no damage."""

import json
import re
import resource
import shutil
import subprocess

import pytest
import toy

import study
from study.records import contents, machine, store


def no_last_newline(data):
    return data.removesuffix(b"\n")


def carriage_returns(data):
    return data.replace(b"\n", b"\r\n")


def byte_order_mark(data):
    return b"\xef\xbb\xbf" + data


@pytest.fixture
def damaged(ran):
    """(the folder of a study that was run, with two damaged lines in runs.jsonl; these lines)"""
    path = ran[2] / "runs.jsonl"
    lines = path.read_bytes().split(b"\n")
    lines[3], lines[7] = lines[3].replace(b"done", b"gone"), lines[7][:-9]
    path.write_bytes(b"\n".join(lines))
    return ran[2], [lines[3], lines[7]]


@pytest.mark.parametrize("change", [no_last_newline, carriage_returns, byte_order_mark,
                                    lambda data: byte_order_mark(carriage_returns(data))])
def test_what_editors_and_git_do_to_text_is_no_damage(ran, call, change):
    folder = ran[2]
    before, records = store.read(folder), (folder / "runs.jsonl").read_bytes()
    files = [folder / name for name in ("runs.jsonl", "runs.log", "manifest.json", "plan.toml", "selection.json")]
    for path in files:
        path.write_bytes(change(path.read_bytes()))
    assert store.read(folder) == before
    code, out, err = call("compact", folder)
    assert code == 0 and "24 records" in out and err == "" and (folder / "runs.jsonl").read_bytes() == records
    assert call("status", folder)[1].count(" 0 missing of 24") == 1


def test_git_changes_no_line_ending_of_records(tmp_path):
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@x", "-C", origin]
    records = origin / "results" / "x" / "runs.jsonl"
    records.parent.mkdir(parents=True)
    records.write_bytes(b"{}\n")
    (origin / "notes.txt").write_bytes(b"text\n")
    shutil.copy(machine.PROJECT / ".gitattributes", origin)
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "records"]):
        subprocess.run([*git, *command], check=True)
    subprocess.run(["git", "-c", "core.autocrlf=true", "clone", "-q", origin, clone], check=True)
    assert (clone / "notes.txt").read_bytes() == b"text\r\n"
    assert (clone / records.relative_to(origin)).read_bytes() == b"{}\n"


def test_every_command_that_reads_records_names_damage(damaged, call):
    folder, _ = damaged
    says = f"warning: {folder / 'runs.jsonl'}:4: torn, changed or not a record; skipped (and 1 more)"
    for command in (["export", folder], ["status", folder], ["compare", folder, folder], ["show", "recall", "--out", folder],
                    ["verify", folder, "--workers", "1", "--sample", "2"],
                    ["run", folder / "plan.toml", "--out", folder.parents[1]]):
        code, out, err = call(*command)
        assert err.count(says) == 1, command
        if command[0] == "verify":
            assert "2 of 2 bit-identical" in out and out.endswith("damaged lines that were skipped: 2\n")
    assert store.read(folder).damage == [] and len(store.read(folder).lines) == 24


def checked(body):
    """A line with the right checksum."""
    return contents.encode({}).replace(contents._check(b"{}"), contents._check(body))[:-1] + body[1:]


EVENT, TRIAL = b'{"schema":1,"event":', b'{"schema":1,"status":"done","result":{},"trial":{},"id":'


@pytest.mark.parametrize("name, body", [
    ("runs.jsonl", TRIAL + b"5}"), ("runs.jsonl", TRIAL + b"[]}"), ("runs.jsonl", TRIAL.replace(b"{}", b"5") + b'"z"}'),
    ("runs.jsonl", b'{"schema":1,"x":' + b"[" * 10**5 + b"]" * 10**5 + b"}"),
    ("runs.log", EVENT + b'"later","id":"z","at":1}'), ("runs.log", EVENT + b'"driver","name":"n","facts":5}'),
    ("runs.log", EVENT + b'"trial","id":"z","host":"h","seconds":"1"}'),
    ("runs.log", EVENT + b'"trial","id":"z","host":"h","seconds":1,"driver":[]}'),
    ("runs.log", EVENT + b'"trials","driver":"d","host":"h","seconds":5}'),
    ("runs.log", EVENT + b'"trials","driver":"d","host":"h","seconds":{"z":"1"}}'),
    ("runs.log", EVENT + b'"failure","id":"z","at":"now","status":"failed","reason":"r"}')])
def test_a_line_of_another_form_is_damage_though_its_checksum_is_right(tmp_path, name, body):
    (tmp_path / name).write_bytes(checked(body) + b"\n")
    with pytest.warns(store.Damaged) as warned:
        store.compact(tmp_path)
    assert re.search(f"{name}:1: (not a record|nested too deeply); skipped", str(warned[0].message))
    assert (tmp_path / store.ASIDE).read_bytes() == checked(body) + b"\n" and store.read(tmp_path).damage == []


def test_a_record_of_a_newer_version_ends_every_command(ran, call):
    with open(ran[2] / "runs.jsonl", "ab") as file:
        file.write(checked(b'{"schema":2}') + b"\n")
    before = (ran[2] / "runs.jsonl").read_bytes()
    for command in ("status", "export", "compact"):
        code, _, err = call(command, ran[2])
        assert code == 1 and "runs.jsonl:25: a record of schema 2: written by a newer version" in err
    assert (ran[2] / "runs.jsonl").read_bytes() == before


def test_the_library_warns_of_damage(damaged):
    with pytest.warns(store.Damaged, match=re.escape(f"{damaged[0] / 'runs.jsonl'}:4: ")):
        assert len(study.load(damaged[0])) == 22


def test_compact_moves_damaged_lines_to_a_file_of_their_own(damaged, call):
    folder, lines = damaged
    code, out, err = call("compact", folder)
    aside = folder / "damaged-lines.txt"
    assert code == 0 and "22 records" in out and f"{aside}: damaged lines were moved here: 2" in err
    assert aside.read_bytes().split(b"\n") == [*lines, b""]
    assert call("compact", folder)[2] == ""
    with open(folder / "runs.jsonl", "ab") as file:
        file.write(lines[0] + b"\nmore\n")
    assert "were moved here: 1" in call("compact", folder)[2] and aside.read_bytes().split(b"\n") == [*lines, b"more", b""]


@pytest.mark.parametrize("suffix", ["jsonl", "log"])
def test_damaged_lines_of_dead_drivers_are_kept_when_their_files_go(tmp_path, suffix):
    (trial,) = toy.trials(1)
    with store.Driver(tmp_path, {}) as driver:
        driver.record(trial, toy.outcome(trial))
    (segment,) = tmp_path.glob(f"segments/*.{suffix}")
    with open(segment, "ab") as file:
        file.write(b"half a record")
    with pytest.warns(store.Damaged):
        store.compact(tmp_path)
    assert not list((tmp_path / "segments").iterdir()) and (tmp_path / "damaged-lines.txt").read_bytes() == b"half a record\n"


def test_more_segments_than_descriptors(ran, call):
    """Two hundred segments and logs, and a process that may open sixty-four files."""
    folder = ran[2]
    for name in ("runs.jsonl", "runs.log"):
        path = folder / name
        for k in range(200):
            shutil.copy(path, folder / "segments" / f"{k}{path.suffix}")
        path.unlink()
    (folder / "manifest.json").unlink()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        code, out, _ = call("status", folder, "--json")
        assert code == 0 and json.loads(out)["running_drivers"] == 0
        assert call("compact", folder)[0] == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(store.read(folder).lines) == 24 and not list(folder.glob("segments/*"))
