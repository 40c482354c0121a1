"""Records on disk: the only file that writes them, and nothing in it trains.

Design. A record is one line of JSON that starts with a checksum of the rest, and the same record is the same bytes wherever
it lies. Each driver appends to a segment of its own, made with O_EXCL, by one write and one fsync a record; a torn line can
only be the last of a dead driver's segment, and nobody ever writes behind it. Readers check every line and skip and name
what is damaged. `compact` merges the segments into a sorted `runs.jsonl` and deletes those whose driver is gone: a driver
holds a lock on its segment for as long as it lives, and the kernel lets go of it however the driver dies, so there is nothing
to clean up. Two compactions at once take turns by a lock on the folder itself (on NFS: on one host only). Readers take no
lock: they read the segments before `runs.jsonl`, and a record leaves the former only after it has reached the latter.

Rejected: one database file (not a plain file that git can hold, and a torn page loses more than a line), one file for all
drivers (appends of two drivers mix on network file systems), a lock file (someone must clean it up).

`runs.jsonl` holds what is a function of the trials alone. What is not (failures, wall times, hosts, versions) lies in the
drivers' `*.log` beside their segments, in lines of the same form. `compact` keeps of them, in `runs.log`, who made each record
and how, and the makers once more in `manifest.json` for people; both stay as they are where the records are the same bytes.
A log of a dead driver that says nothing beyond `runs.log` is deleted; one that tells of failures stays.
"""

import errno
import fcntl
import hashlib
import json
import os
import socket
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from study.errors import SpecError

SCHEMA = 1
LARGEST = 8192  # bytes of a record
READABLE = ("cell", "task", "direction", "init", "gap", "seed")  # knobs that a record always spells out
RUNS, LOG, SEGMENTS = "runs.jsonl", "runs.log", "segments"
FINAL = ("done", "diverged")
BRIEF = ("solved", "sequences", "test")
START = b'{"check":"'
PARSE = json.JSONDecoder().decode


class Refused(Exception):
    """The disk refused: one line that says where, and why."""


class Broken(Exception):
    """Records that cannot be trusted as they are: two results of one trial, or a format of the future."""


@contextmanager
def _disk(path):
    try:
        yield
    except OSError as error:
        raise Refused(f"{error.filename or path}: {error.strerror or error}") from None


def record(trial, outcome):
    """What is kept of a finished trial: a function of the trial and of nothing else."""
    known = {"schema": SCHEMA, "id": trial.id, "status": outcome["status"], "trial": trial.knobs(always=READABLE)}
    return known | {"result": outcome["result"]}


def encode(entry):
    """An entry as its line, without the newline. Raises ValueError where JSON cannot hold it, or a record is too large."""
    body = json.dumps(entry, separators=(",", ":"), allow_nan=False).encode()
    line = b'%s%s",%s' % (START, _check(body), body[1:])
    if "result" in entry and len(line) > LARGEST:
        raise ValueError(f"a record of {len(line):,} bytes; at most {LARGEST:,}")
    return line


def decode(line):
    """The entry of a line. Raises ValueError that says what is wrong with it."""
    body = b"{" + line[28:]
    if line[:28] != b'%s%s",' % (START, _check(body)):
        raise ValueError("torn, changed or not a record")
    entry = PARSE(body.decode())
    if entry["schema"] > SCHEMA:
        raise Broken(f"a record of schema {entry['schema']}: written by a newer version of this program")
    return entry


def _check(body):
    return hashlib.sha256(body).hexdigest()[:16].encode()


class Contents(NamedTuple):
    """What a folder holds.

    Attributes
    ----------
    lines : {id: line} of the trials that are done or diverged
    brief : {id: its record, with no more of its result than BRIEF}, what counting looks at
    failures : {id: {"status": "failed" or "crashed", "reason", ...}}, the latest of each, of those not recorded since
    drivers : {name: facts}
    origins : {id: {"driver", "host", "seconds"}}, who made a record and how long it took, where it is known
    damage : what was skipped, one line each
    """

    lines: dict
    brief: dict
    failures: dict
    drivers: dict
    origins: dict
    damage: list

    def record(self, id):
        return json.loads(b"{" + self.lines[id][28:])  # checked when it was read

    @property
    def seconds(self):
        """{id: seconds the trial took}, where it is known."""
        return {id: origin["seconds"] for id, origin in self.origins.items()}


def read(folder):
    """The Contents of a preset's folder, or of one file of records; empty where there is none.

    Raises Broken, and Refused where it cannot be read.
    """
    contents = Contents({}, {}, {}, {}, {}, [])
    with _disk(folder):
        for path in _files(folder, contents.damage):
            add = _add_record if path.suffix == ".jsonl" else _add_event
            for number, line in enumerate(_lines(path), 1):
                _add(contents, path, number, line, add)
    for id in contents.lines:
        contents.failures.pop(id, None)
    return contents


def _files(folder, damage):
    """Segments first, then what they are compacted into."""
    if Path(folder).is_file():
        yield Path(folder)
        return
    segments = Path(folder, SEGMENTS)
    for path in sorted(segments.iterdir()) if segments.is_dir() else ():
        if path.suffix in (".jsonl", ".log") and path.is_file():
            yield path
        else:
            damage.append(f"{path}: not a file of this program; skipped")
    yield Path(folder, RUNS)
    yield Path(folder, LOG)


def _lines(path):
    """The lines of a file; where a newline is damaged, the record behind it still starts a line."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:  # compacted meanwhile, or nothing is recorded yet
        return
    for line in data.split(b"\n"):
        if line.startswith(START) and line.find(START, 1) < 0:
            yield line
            continue
        before, *records = line.split(START)
        yield from filter(None, [before, *(START + rest for rest in records)])


def _add(contents, path, number, line, add):
    try:
        add(contents, decode(line), line)
    except Broken as error:
        raise Broken(f"{path}:{number}: {error}") from None
    except (ValueError, KeyError, TypeError) as error:
        contents.damage.append(f"{path}:{number}: {error or type(error).__name__}; skipped")


def _add_record(contents, entry, line):
    id, status, result = entry["id"], entry["status"], entry["result"]
    if status not in FINAL or not isinstance(result, dict) or not isinstance(entry["trial"], dict):
        raise ValueError("not a record")
    if contents.lines.setdefault(id, line) != line:
        raise Broken(f"{id} has two results that differ: the same trial must give the same bits everywhere")
    contents.brief[id] = {"status": status, "result": {key: result[key] for key in BRIEF if key in result}}


def _add_event(contents, entry, line):
    if entry["event"] == "driver":
        contents.drivers[entry["name"]] = entry["facts"]
    elif entry["event"] == "trial":
        contents.origins[entry["id"]] = {"driver": entry.get("driver"), "host": entry["host"], "seconds": entry["seconds"]}
    else:
        last = contents.failures.get(entry["id"])
        if last is None or last["at"] <= entry["at"]:
            contents.failures[entry["id"]] = entry


class Driver:
    """One driver's segment and log; the files are made by `begin`, or with the first thing that is written."""

    def __init__(self, folder, facts):
        self.facts = facts
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        self.name = f"{now}-{socket.gethostname()}-{os.getpid()}-{os.urandom(3).hex()}"
        self.path, self.files = Path(folder, SEGMENTS, self.name), {}

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for file in self.files.values():
            os.close(file)

    def begin(self):
        """Be among those that are alive, before anything is recorded."""
        if not self.files:
            self._append(".log", self._about())
            self._open(".jsonl")

    def record(self, trial, outcome):
        """Keep a trial that is done or diverged, and return its line. It is safe by then; raises ValueError or Refused."""
        line = encode(record(trial, outcome))
        self._append(".jsonl", line)
        self._event("trial", id=trial.id, driver=self.name, host=outcome["host"], seconds=outcome["seconds"])
        return line

    def failure(self, trial, outcome):
        """Note a trial that failed or crashed."""
        reason = {key: outcome[key] for key in ("status", "reason", "seconds", "host")}
        self._event("failure", id=trial.id, at=time.time(), **reason)

    def describe(self, facts):
        """What is made from now on is made on this, too."""
        new, self.facts = facts != self.facts, facts
        if new and ".log" in self.files:
            self._append(".log", self._about())

    def _about(self):
        return encode({"schema": SCHEMA, "event": "driver", "name": self.name, "facts": self.facts})

    def _event(self, event, **facts):
        if ".log" not in self.files:
            self._append(".log", self._about())
        self._append(".log", encode({"schema": SCHEMA, "event": event, **facts}), durable=event == "failure")

    def _append(self, suffix, line, durable=True):
        file = self._open(suffix)
        with _disk(f"{self.path}{suffix}"):
            if os.write(file, line + b"\n") <= len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if durable:
                os.fsync(file)
            if os.fstat(file).st_nlink == 0:
                raise OSError(errno.ENOENT, "deleted while the study ran")

    def _open(self, suffix):
        if suffix not in self.files:
            with _disk(path := Path(f"{self.path}{suffix}")):
                self.files[suffix] = _own(path)
        return self.files[suffix]


def _own(path):
    """A new file, locked. One that a compaction took for a dead driver's before it was locked is made again."""
    _make(path.parent)
    while True:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file).st_nlink:
            break
        os.close(file)
    _sync_folder(path.parent)
    return file


def _make(folder):
    """Make a folder and those above it, so that they are there after a power cut."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for path in new:
        _sync_folder(path.parent)


def _sync_folder(path):
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def prepare(folder):
    """Make a preset's folder; raises SpecError where nobody could write there, Refused where the disk does not let us."""
    with _disk(folder):
        try:
            _make(Path(folder))
        except (FileExistsError, FileNotFoundError, NotADirectoryError, PermissionError) as error:
            raise SpecError(f"{error.filename}: {error.strerror}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SpecError(f"{folder}: not writable")


def alive(folder):
    """The segments in this folder that a living driver holds."""
    with _disk(folder), _gone(folder, ".jsonl") as gone:
        return [path for path in _written(folder, ".jsonl") if path not in gone]


def _written(folder, suffix):
    """Segments, or logs."""
    return sorted(path for path in Path(folder, SEGMENTS).glob(f"*{suffix}") if path.is_file())


@contextmanager
def _gone(folder, suffix):
    """Of the drivers that are no more, the segments or the logs, locked until the block is left."""
    with ExitStack() as files:
        gone = []
        for path in _written(folder, suffix):
            with suppress(FileNotFoundError, BlockingIOError):  # compacted meanwhile, or alive
                file = os.open(path, os.O_RDWR if os.access(path, os.W_OK) else os.O_RDONLY)  # NFS locks only what can be written
                files.callback(os.close, file)
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                gone.append(path)
        yield gone


@contextmanager
def _turn(folder):
    """Alone among those who change this folder's files, until the block is left or the process dies."""
    _make(folder)
    file = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def put(path, content):
    """Replace a file by text or bytes, all of it or nothing. Raises Refused."""
    with _disk(path), _turn(Path(path).parent):
        _put(Path(path), content.encode() if isinstance(content, str) else content)


def _put(path, data):
    if path.exists() and path.read_bytes() == data:
        return
    draft = path.with_name(f".{path.name}.tmp")
    with open(draft, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    _sync_folder(path.parent)


def compact(folder):
    """Merge the segments into `runs.jsonl` and delete what it has of drivers that are gone. Returns the Contents."""
    folder = Path(folder)
    with _disk(folder), _turn(folder):
        with _gone(folder, ".jsonl") as gone:
            contents = read(folder)
            _put(folder / RUNS, b"".join(contents.lines[id] + b"\n" for id in sorted(contents.lines)))
            _sync_folder(folder)  # who put it there may have been killed before that
            for path in gone:
                path.unlink()
        _describe(folder, contents)
        told = set(_lines(folder / LOG))
        with _gone(folder, ".log") as gone:
            for path in gone:
                if told.issuperset(_lines(path)):
                    path.unlink()
    return contents


def _describe(folder, contents):
    """`runs.log` and `manifest.json`: whose records these are. Left alone where they describe these very bytes already."""
    digest = hashlib.sha256((folder / RUNS).read_bytes()).hexdigest()
    known = manifest(folder)
    if known.get("runs") == digest:
        return
    _put(folder / LOG, _log(contents))
    drivers = known.get("drivers", {}) | contents.drivers
    about = {"schema": SCHEMA, "records": len(contents.lines), "runs": digest, "drivers": drivers}
    _put(folder / "manifest.json", json.dumps(about, indent=1, sort_keys=True).encode() + b"\n")


def _log(contents):
    """A driver's log of all records whose maker is known, as if one driver had written it."""
    origins = {id: contents.origins[id] for id in sorted(contents.lines) if id in contents.origins}
    makers = sorted({origin["driver"] for origin in origins.values()} & set(contents.drivers))
    drivers = [{"event": "driver", "name": name, "facts": contents.drivers[name]} for name in makers]
    trials = [{"event": "trial", "id": id, **origin} for id, origin in origins.items()]
    return b"".join(encode({"schema": SCHEMA, **event}) + b"\n" for event in [*drivers, *trials])


def manifest(folder):
    """The manifest of a folder; empty where there is none, or none that can be read."""
    try:
        known = json.loads(Path(folder, "manifest.json").read_bytes())
        return known if isinstance(known["drivers"], dict) else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
