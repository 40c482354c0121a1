"""Files and folders on disk, written so that after a crash the old content is there or the new one, whole.

A path may come from a user, so it may name anything. Only a regular file, or a new one, is replaced.
"""

import errno
import fcntl
import os
import stat
from contextlib import contextmanager, suppress
from pathlib import Path

from study.errors import SpecError

MISTAKES = {errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG}
KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFCHR: "a device", stat.S_IFBLK: "a block device",
         stat.S_IFSOCK: "a socket"}


class Refused(Exception):
    """The disk refused a read or a write: one line with the path and the reason."""


@contextmanager
def refusals(path, mistakes=()):
    """Raise Refused in place of an OSError of the block; SpecError where its errno is one of `mistakes`."""
    try:
        yield
    except OSError as error:
        kind = SpecError if error.errno in mistakes else Refused
        raise kind(f"{error.filename or path}: {error.strerror or error}") from None


def content(path):
    """The bytes of a regular file; empty where there is none. Raises SpecError for anything else, OSError."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # so that a FIFO without a writer is refused, not waited for
    except FileNotFoundError:
        return b""
    try:
        _expect_regular(path, os.fstat(file))  # first, since open() refuses the descriptor of a folder without naming the path
    except SpecError:
        os.close(file)
        raise
    with open(file, "rb") as file:
        return file.read()


def put(path, data):
    """Replace a regular file, or make a new one with its folders: all of it or nothing.

    A symbolic link stays and its target is replaced. Mode and, where the system allows it, owner stay.

    Parameters
    ----------
    path : path of the file
    data : str (written as UTF-8) or bytes

    Raises
    ------
    SpecError
        The path names something else, or this user may not write it.
    Refused
        The disk refused.
    """
    with refusals(path, MISTAKES):
        target = _target(path)
        with turn(target.parent):
            replace(target, data.encode() if isinstance(data, str) else data)


def send(path, data):
    """Write bytes to what a user names, raising as `put` does.

    A FIFO or a character device is written to as it is; a FIFO waits for its reader. Anything else goes to `put`.
    """
    number = _own_descriptor(path)
    if number is None and not is_stream(path):
        return put(path, data)
    with refusals(path, MISTAKES | {errno.EBADF}):  # opened by its path, a file behind a descriptor would lose what it holds
        with open(path if number is None else os.dup(number), "wb") as file:
            file.write(data)


def is_stream(path):
    """Whether a path names a FIFO or a character device, or an open file of this process, such as /dev/stdout."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    folder = os.path.realpath(os.path.dirname(path))
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or folder == "/dev" or folder.startswith("/proc/")


def _own_descriptor(path):
    """The descriptor of this process that a path such as /dev/stdout or /dev/fd/3 names; None for any other path."""
    while True:
        folder, name = os.path.split(os.path.abspath(path))
        if name.isdecimal() and os.path.realpath(folder) == os.path.realpath("/proc/self/fd"):
            return int(name)
        if not os.path.islink(path):
            return None
        path = os.path.join(folder, os.readlink(path))


def replace(path, data):
    """As `put`, for a caller that holds the lock of the folder (`turn`). Raises SpecError, OSError."""
    target = _target(path)
    if target.exists() and target.read_bytes() == data:
        return
    draft = target.with_name(f".{target.name}.tmp")
    try:
        with open(_new(draft), "wb") as file:
            if target.exists():
                _copy_mode_and_owner(target.stat(), file.fileno())
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def _target(path):
    """The file that a path names, links followed. Raises SpecError or OSError if it may not be replaced."""
    target = Path(os.path.realpath(path))
    try:
        about = os.stat(path)
    except FileNotFoundError:
        return target
    _expect_regular(path, about)
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return target


def _expect_regular(path, about):
    if not stat.S_ISREG(about.st_mode):
        raise SpecError(f"{path}: expected a regular file, got {KINDS[stat.S_IFMT(about.st_mode)]}")


def _new(path):
    """Make a file and return its descriptor. Removes a file or link of that name first, which a crash may have left."""
    how = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        return os.open(path, how, 0o666)
    except FileExistsError:
        path.unlink()
        return os.open(path, how, 0o666)


def _copy_mode_and_owner(about, file):
    own = os.fstat(file)
    if (own.st_uid, own.st_gid) != (about.st_uid, about.st_gid):
        with suppress(PermissionError):
            os.fchown(file, about.st_uid, about.st_gid)
    os.fchmod(file, stat.S_IMODE(about.st_mode))


@contextmanager
def turn(folder):
    """Hold the folder's lock, which whoever changes its files takes, until the block is left or the process dies."""
    make(folder)
    file = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def prepare(folder):
    """Make a preset's folder. Raises SpecError where this user may not write, Refused where the disk refuses."""
    with refusals(folder, MISTAKES | {errno.ENOENT}):
        make(Path(folder))
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SpecError(f"{folder}: not writable")


def make(folder):
    """Make a folder and those above it, durably."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in new:
        sync_folder(path.parent)


def sync_folder(path):
    """Make the names in a folder durable."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
