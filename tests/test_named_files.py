"""A path that a user gives may name anything: only regular files are replaced, and nothing else is harmed."""

import os
import socket
import stat
import threading

import pytest

from study.errors import SpecError
from study.records import files, store

KINDS = ["a folder", "a FIFO", "a device", "a block device", "a socket"]
NODES = {"a device": (0o600 | stat.S_IFCHR, os.makedev(1, 3)), "a block device": (0o600 | stat.S_IFBLK, os.makedev(7, 99))}


def make(kind, path):
    try:
        if kind == "a folder":
            path.mkdir()
        elif kind == "a FIFO":
            os.mkfifo(path)
        elif kind == "a socket":
            socket.socket(socket.AF_UNIX).bind(str(path))
        else:
            os.mknod(path, *NODES[kind])
    except PermissionError:
        pytest.skip(f"{kind} takes more rights")
    return path


def identity(path):
    """What tells that a file was left as it is. Not its time of access: to follow a link changes that."""
    status = os.lstat(path)
    return status.st_ino, status.st_mode, status.st_uid, status.st_size, status.st_mtime_ns


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_regular_file_is_refused(tmp_path, kind, linked):
    path = target = make(kind, tmp_path / "n")
    if linked:
        path = tmp_path / "link"
        path.symlink_to(target)
    before = identity(path), identity(target)
    with pytest.raises(SpecError, match=f"{path}: expected a regular file, got {kind}"):
        store.put(path, "new")
    assert (identity(path), identity(target)) == before


def test_export_fills_a_fifo_and_a_device_and_leaves_them_there(ran, call, tmp_path):
    fifo, got = make("a FIFO", tmp_path / "fifo"), []
    reader = threading.Thread(target=lambda: got.append(fifo.read_bytes()))
    reader.start()
    code, _, err = call("export", ran[2], "--to", fifo)
    reader.join()
    assert code == 0 and "waits for its reader" in err and got[0].decode() == call("export", ran[2])[1]
    assert call("export", ran[2], "--to", "/dev/stdout")[1] == got[0].decode()
    device = make("a device", tmp_path / "null")
    assert call("export", ran[2], "--to", device)[0] == 0 and device.is_char_device() and fifo.is_fifo()


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="a system where a descriptor's path is a device")
@pytest.mark.parametrize("path", ["/dev/fd/{}", "/proc/self/fd/{}", "{folder}/link"])
def test_a_file_behind_a_descriptor_keeps_what_it_holds(tmp_path, path):
    with open(tmp_path / "x", "wb") as file:
        file.write(b"before ")
        file.flush()
        (tmp_path / "link").symlink_to(f"/dev/fd/{file.fileno()}")
        files.send(path.format(file.fileno(), folder=tmp_path), b"sent ")
        file.write(b"after")
    assert (tmp_path / "x").read_text() == "before sent after"
    with pytest.raises(SpecError, match="Bad file descriptor"):
        files.send("/dev/fd/987", b"sent")


@pytest.mark.parametrize("kind", ["a folder", "a block device", "a socket"])
def test_export_refuses_the_rest(ran, call, tmp_path, kind):
    code, _, err = call("export", ran[2], "--to", make(kind, tmp_path / "n"))
    assert code == 2 and kind in err and err.count("\n") == 1


def test_a_link_stays_and_its_target_keeps_its_mode_and_owner(tmp_path):
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "x", tmp_path / "link"
    target.write_text("old")
    target.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(target, 12, 34)
    before = target.stat()
    link.symlink_to(target)
    store.put(link, "new")
    after = target.stat()
    assert link.is_symlink() and target.read_text() == "new" and after.st_ino != before.st_ino
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


def test_links_that_dangle_make_their_target_and_links_in_a_circle_are_refused(tmp_path):
    (tmp_path / "dangling").symlink_to("new")
    store.put(tmp_path / "dangling", "text")
    assert (tmp_path / "new").read_text() == "text" and (tmp_path / "dangling").is_symlink()
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(SpecError, match="symbolic links"):
        store.put(tmp_path / "circle", "text")


def test_names_that_no_file_can_have_are_mistakes(tmp_path):
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "x", tmp_path / ("n" * 300)):
        with pytest.raises(SpecError):
            store.put(path, "text")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_what_may_not_be_written_is_a_mistake(tmp_path):
    path = tmp_path / "x"
    path.write_text("old")
    path.chmod(0o400)
    with pytest.raises(SpecError, match="Permission denied"):
        store.put(path, "new")


def test_a_draft_that_lies_there_already_is_replaced_and_what_it_links_to_is_not(tmp_path):
    victim, draft = tmp_path / "victim", tmp_path / ".x.tmp"
    victim.write_text("mine")
    for make_draft in (lambda: draft.symlink_to(victim), lambda: os.mkfifo(draft), lambda: draft.write_text("half")):
        make_draft()
        store.put(tmp_path / "x", f"{make_draft}")
        assert (tmp_path / "x").read_text() == f"{make_draft}" and not os.path.lexists(draft)
    assert victim.read_text() == "mine"


def test_no_draft_is_left_where_the_disk_refuses(tmp_path, monkeypatch):
    def refuse(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "replace", refuse)
    with pytest.raises(store.Refused):
        store.put(tmp_path / "x", "text")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["runs.jsonl", "runs.log", "manifest.json"])
def test_files_of_records_may_be_links_but_no_fifos_or_folders(ran, call, name):
    path = ran[2] / name
    path.rename(path.with_suffix(".elsewhere"))
    path.symlink_to(path.with_suffix(".elsewhere"))
    (ran[2] / "runs.jsonl").write_bytes((ran[2] / "runs.jsonl").read_bytes()[:-100])  # so that all three are written again
    assert call("compact", ran[2])[0] == 0 and path.is_symlink() and "23 records" in call("compact", ran[2])[1]
    path.unlink()
    os.mkfifo(path)
    code, _, err = call("compact", ran[2])
    assert code == 2 and f"{path}: expected a regular file, got a FIFO" in err
    path.unlink()
    path.mkdir()
    code, _, err = call("compact", ran[2])
    assert code == 2 and f"{path}: expected a regular file, got a folder" in err
