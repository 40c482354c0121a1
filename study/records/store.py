"""Records on disk: the only file that writes them, and nothing in it trains.

Design. A record is one line of JSON that starts with a checksum of the rest, and a record is the same bytes in any file. Each
driver appends to a segment of its own, made with O_EXCL, with one write and one fsync a record. So only the last line of a dead
driver's segment can be torn, and nobody writes behind it. Readers check every line; they skip and name what is damaged.
`compact` merges the segments into a sorted `runs.jsonl`, or into `runs.jsonl.gz` where somebody has compressed it, and deletes
those whose driver is dead; damaged lines go into `damaged-lines.txt` first. A driver holds a lock on its segment while it lives,
and the operating system releases it however the driver dies, so there is nothing to clean up. Two compactions at once take turns
by a lock on the folder itself (on NFS: on one host only). Readers take no lock: they read the segments before `runs.jsonl`, and a
record is deleted from a segment only after `runs.jsonl` has it.

Rejected: one database file (git cannot merge it, and a torn page loses more than a line), one file for all drivers (appends
of two drivers mix on network file systems), a lock file (someone must clean it up).

`runs.jsonl` depends on the trials alone. What does not (failures, wall times, hosts, versions) lies in the drivers' `*.log`
beside their segments, in lines of the same form. `compact` copies from them into `runs.log` who made each record, many records a
line, and the drivers once more into `manifest.json` for people; both stay as they are while the records are the same bytes. A dead
driver's log that holds no more than `runs.log` is deleted; one with failures stays.

Weights that are kept lie in `weights/`, one file a trial (weights.py), written before the trial's record: a driver that dies in
between leaves a trial that runs again and writes the same bytes.
"""

import errno
import fcntl
import gzip
import hashlib
import json
import os
import socket
import time
import warnings
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from study.errors import SpecError
from study.plan.plan import CHOICES, PLAN
from study.records import weights
from study.records.contents import (
    ASIDE, FINAL, LARGEST, LOG, PACKED, RUNS, SCHEMA, SEGMENTS, Broken, Contents, Damaged, decode, encode, lines, read, record, unpacked)
from study.records.files import Refused, content, make, prepare, put, refusals, replace, sync_folder, turn

__all__ = ["ASIDE", "FINAL", "LARGEST", "LOG", "PACKED", "RUNS", "SCHEMA", "SEGMENTS", "Broken", "Contents", "Damaged", "Driver", "Refused",
           "alive", "compact", "encode", "keeps", "manifest", "merged", "prepare", "put", "read", "record", "weights_of"]

MANIFEST, WEIGHTS = "manifest.json", "weights"
TOGETHER = 100  # records whose maker one line of LOG names


class Driver:
    """One driver's segment and log. The files are made by `begin`, or when the first record or failure is written."""

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
        """Register as a live driver before writing the first record."""
        if not self.files:
            self._append(".log", self._about())
            self._open(".jsonl")

    def record(self, trial, outcome):
        """Write a trial that is done or diverged, durably, and return its line. Raises ValueError or Refused.

        Where its result has weights, they are written first.
        """
        line, result = encode(record(trial, outcome)), outcome["result"]
        if result.weights is not None:
            put(weights_of(self.path.parents[1], trial.id), weights.encode(trial, result.weights, result.digest))
        self._append(".jsonl", line)
        self._event("trial", id=trial.id, driver=self.name, host=outcome["host"], seconds=outcome["seconds"])
        return line

    def failure(self, trial, outcome):
        """Write that a trial failed or crashed."""
        reason = {key: outcome[key] for key in ("status", "reason", "seconds", "host")}
        self._event("failure", id=trial.id, at=time.time(), **reason)

    def describe(self, facts):
        """Replace the facts: later records may also come from other machines."""
        new, self.facts = facts != self.facts, facts
        if new and ".log" in self.files:
            self._append(".log", self._about())

    def _about(self):
        return _line({"event": "driver", "name": self.name, "facts": self.facts})

    def _event(self, event, **facts):
        if ".log" not in self.files:
            self._append(".log", self._about())
        self._append(".log", _line({"event": event, **facts}), durable=event == "failure")

    def _append(self, suffix, line, durable=True):
        file = self._open(suffix)
        with refusals(f"{self.path}{suffix}"):
            if os.write(file, line + b"\n") <= len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            if durable:
                os.fsync(file)
            if os.fstat(file).st_nlink == 0:
                raise OSError(errno.ENOENT, "deleted while the study ran")

    def _open(self, suffix):
        if suffix not in self.files:
            with refusals(path := Path(f"{self.path}{suffix}")):
                self.files[suffix] = _new_and_locked(path)
        return self.files[suffix]


def _new_and_locked(path):
    """Make a file and lock it; again if a compaction deleted it in between, since it had no lock yet."""
    make(path.parent)
    while True:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file).st_nlink:
            break
        os.close(file)
    sync_folder(path.parent)
    return file


def weights_of(folder, id):
    """The path of the weights of a trial in a preset's folder."""
    return Path(folder, WEIGHTS, f"{id}.npz")


def merged(folder):
    """The path of a folder's merged records: PACKED where it is there alone."""
    runs, packed = Path(folder, RUNS), Path(folder, PACKED)
    return packed if packed.exists() and not runs.exists() else runs


def keeps(path):
    """Whether a file is one in which a preset's folder keeps its records, weights or plan."""
    path = Path(os.path.realpath(path))
    folder = path.parent.parent if path.parent.name in (SEGMENTS, WEIGHTS) else path.parent
    return Path(folder, PLAN).exists() and (folder != path.parent or path.name in (PLAN, *CHOICES, RUNS, PACKED, LOG, MANIFEST))


def alive(folder):
    """The segments in a folder whose drivers live."""
    living = []
    with refusals(folder):
        for path in _written(folder, ".jsonl"):
            with _lock_if_dead(path) as dead:
                if not dead and path.exists():
                    living.append(path)
    return living


def _written(folder, suffix):
    """The segments (".jsonl") or logs (".log") of a folder's drivers."""
    return sorted(path for path in Path(folder, SEGMENTS).glob(f"*{suffix}") if path.is_file())


@contextmanager
def _lock_if_dead(path):
    """Lock a driver's file for the block. Yields whether it got the lock, which it gets only if the driver is dead."""
    try:
        file = os.open(path, os.O_RDWR if os.access(path, os.W_OK) else os.O_RDONLY)  # NFS locks only what is open for writing
    except FileNotFoundError:  # another process compacted it
        yield False
        return
    try:
        dead = False
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            dead = True
        yield dead
    finally:
        os.close(file)


def compact(folder):
    """Merge the segments into `runs.jsonl` and delete the files of dead drivers that hold no more. Returns the Contents.

    Raises as `read` does. Opens one segment at a time, however many there are.
    """
    folder = Path(folder)
    with refusals(folder), turn(folder):
        contents = read(folder)
        aside = _set_aside(folder, contents.damaged)
        data = b"".join(contents.lines[id] + b"\n" for id in sorted(contents.lines))
        _write_runs(folder, data)
        sync_folder(folder)  # the process that wrote RUNS may have been killed before it did this
        _delete_dead(folder, ".jsonl", aside.union(contents.lines.values()), lines)
        _describe(folder, contents, hashlib.sha256(data).hexdigest())
        events = partial(_events, aside=aside)
        _delete_dead(folder, ".log", aside.union(events(folder / LOG)), events)
    return contents


def _set_aside(folder, damaged):
    """Add damaged lines to ASIDE, each once. Returns all lines of it."""
    earlier = dict.fromkeys(filter(None, content(folder / ASIDE).split(b"\n")))
    every = earlier | dict.fromkeys(damaged)
    if len(every) > len(earlier):
        replace(folder / ASIDE, b"".join(line + b"\n" for line in every))
        warnings.warn(f"{folder / ASIDE}: damaged lines were moved here: {len(every) - len(earlier)}", Damaged, stacklevel=3)
    return set(every)


def _delete_dead(folder, suffix, kept, parts):
    """Delete the files of dead drivers all of whose `parts` are in `kept`: a driver may have written more before it died."""
    for path in _written(folder, suffix):
        with _lock_if_dead(path) as dead:
            if dead and kept.issuperset(parts(path)):
                path.unlink()


def _write_runs(folder, data):
    """Write the merged lines, unless a compressed file holds them: what compresses them elsewhere may give other bytes."""
    path = merged(folder)
    if path.name == RUNS:
        replace(path, data)
        Path(folder, PACKED).unlink(missing_ok=True)
    elif unpacked(path) != data:
        replace(path, gzip.compress(data, mtime=0))


def _describe(folder, contents, digest):
    """Write LOG and manifest.json, which say whose records these are. Leave them if they are intact and describe the same bytes."""
    earlier = manifest(folder)
    if earlier.get("runs") == digest and not contents.damaged:
        return
    replace(folder / LOG, _log(contents))
    drivers = earlier.get("drivers", {}) | contents.drivers
    about = {"schema": SCHEMA, "records": len(contents.lines), "runs": digest, "drivers": drivers}
    replace(folder / MANIFEST, json.dumps(about, indent=1, sort_keys=True).encode() + b"\n")


def _log(contents):
    """A driver's log of all records whose maker is known, as if one driver had written it, but with many records a line."""
    origins = {id: contents.origins[id] for id in sorted(contents.lines) if id in contents.origins}
    makers = sorted({origin["driver"] for origin in origins.values()} & set(contents.drivers))
    drivers = [{"event": "driver", "name": name, "facts": contents.drivers[name]} for name in makers]
    return b"".join(_line(event) + b"\n" for event in [*drivers, *_made(origins)])


def _made(origins):
    """Events that each name up to TOGETHER records which one driver made on one host."""
    groups = {}
    for id, origin in origins.items():
        groups.setdefault((origin["driver"], origin["host"]), []).append((id, origin["seconds"]))
    for (driver, host), seconds in groups.items():
        for first in range(0, len(seconds), TOGETHER):
            yield {"event": "trials", "driver": driver, "host": host, "seconds": dict(seconds[first : first + TOGETHER])}


def _events(path, aside):
    """The lines of a log that are not in `aside`, with a line for each record."""
    for line in lines(path):
        if line in aside:
            continue
        event = decode(line)
        if event["event"] == "trials":
            maker = {"driver": event["driver"], "host": event["host"]}
            yield from (_line({"event": "trial", "id": id, **maker, "seconds": seconds}) for id, seconds in event["seconds"].items())
        else:
            yield line


def _line(event):
    return encode({"schema": SCHEMA, **event})


def manifest(folder):
    """The manifest of a folder; empty where there is none, or where it cannot be read."""
    try:
        data = json.loads(content(Path(folder, MANIFEST)))
        return data if isinstance(data["drivers"], dict) else {}
    except (OSError, SpecError, ValueError, KeyError, TypeError, RecursionError):
        return {}
