"""What a folder of records holds: the form of a line, its checks, and `read`.

A line is JSON without its newline: {"check":"<16 hexadecimal digits>", ...}, where the digits are a checksum of the other bytes.
"""

import gzip
import hashlib
import json
import warnings
import zlib
from pathlib import Path
from typing import NamedTuple

from study.errors import SpecError
from study.records import files
from study.trial.result import Result

SCHEMA = 1
LARGEST = 65536  # bytes of a record: a net of eight layers, with where it looked
READABLE = ("cell", "task", "direction", "init", "gap", "seed")  # knobs that a record names even at their defaults
RUNS, PACKED, LOG, SEGMENTS, ASIDE = "runs.jsonl", "runs.jsonl.gz", "runs.log", "segments", "damaged-lines.txt"
FINAL = ("done", "diverged")
BRIEF = ("solved", "sequences", "final_loss", "diverged_at", "test")
START, BODY = b'{"check":"', 28  # first bytes of a line; where what follows the checksum starts
PARSE = json.JSONDecoder().decode
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Broken(Exception):
    """Records that cannot be trusted: two results of one trial, or a schema of a newer version."""


class Damaged(UserWarning):
    """Some lines of records are damaged, and were skipped."""


def record(trial, outcome):
    """The record of a finished trial: a function of the trial alone."""
    known = {"schema": SCHEMA, "id": trial.id, "status": outcome["status"], "trial": trial.knobs(always=READABLE)}
    return known | {"result": outcome["result"].as_dict()}


def encode(entry):
    """An entry as its line. Raises ValueError if JSON cannot hold it, or if it is too large a record."""
    body = json.dumps(entry, separators=(",", ":"), allow_nan=False).encode()
    line = b'%s%s",%s' % (START, _check(body), body[1:])
    if "result" in entry and len(line) > LARGEST:
        raise ValueError(f"a record of {len(line):,} bytes; at most {LARGEST:,}")
    return line


def decode(line):
    """The entry of a line. Raises ValueError that says what is wrong with it."""
    body = b"{" + line[BODY:]
    if line[:BODY] != b'%s%s",' % (START, _check(body)):
        raise ValueError("torn, changed or not a record")
    try:
        entry = PARSE(body.decode())
    except RecursionError:
        raise ValueError("nested too deeply") from None
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
    brief : {id: Result} with the fields BRIEF only: enough to count trials and to choose rates without parsing lines
    failures : {id: {"status": "failed" or "crashed", "reason", ...}}, the latest of each trial that has no record
    drivers : {name: facts of its machine}
    origins : {id: {"driver", "host", "seconds"}}, where they are known
    damage : one message for each place that was skipped
    damaged : the lines that were skipped
    """

    lines: dict
    brief: dict
    failures: dict
    drivers: dict
    origins: dict
    damage: list
    damaged: list

    def record(self, id):
        return json.loads(b"{" + self.lines[id][BODY:])  # `read` has checked it

    def add(self, id, line, result):
        """Add the record of a trial with its result as a dict, or keep the first of two that are the same. Raises Broken if they differ."""
        if self.lines.setdefault(id, line) != line:
            raise Broken(f"{id} has two results that differ: the same trial must give the same bits everywhere")
        self.brief[id] = Result.of({key: result[key] for key in BRIEF if key in result})

    @property
    def seconds(self):
        """{id: seconds that the trial took}, where they are known."""
        return {id: origin["seconds"] for id, origin in self.origins.items()}


def read(folder):
    """The Contents of a preset's folder, or of one file of records; empty where there is none.

    Warns with Damaged, once for all that it skips. Raises Broken, SpecError for what is no regular file, Refused where it
    cannot be read.
    """
    contents = Contents({}, {}, {}, {}, {}, [], [])
    with files.refusals(folder):
        for path in _files(folder, contents.damage):
            add = _add_event if path.suffix == ".log" else _add_record
            for number, line in enumerate(lines(path), 1):
                _add(contents, path, number, line, add)
    for id in contents.lines:
        contents.failures.pop(id, None)
    if contents.damage:
        warnings.warn(_warning(contents), Damaged, stacklevel=2)
    return contents


def _warning(contents):
    """One line: the first damaged place, how many more there are, and what to do."""
    first, *more = contents.damage
    remedy = ". Restore the file, or run the study again: it computes what is missing" if contents.damaged else ""
    return f"{first}{f' (and {len(more)} more)' if more else ''}{remedy}"


def _files(folder, damage):
    """Segments before RUNS and LOG: a record leaves its segment only after it has reached those."""
    if Path(folder).is_file():
        yield Path(folder)
        return
    segments = Path(folder, SEGMENTS)
    for path in sorted(segments.iterdir()) if segments.is_dir() else ():
        if path.suffix in (".jsonl", ".log") and path.is_file():
            yield path
        else:
            damage.append(f"{path}: not a file of this program; skipped")
    yield from (Path(folder, name) for name in (RUNS, PACKED, LOG))


def unpacked(path):
    """The bytes of a file, which is compressed if its name ends with .gz. Raises SpecError for one that is not intact."""
    data = files.content(path)
    try:
        return gzip.decompress(data) if Path(path).suffix == ".gz" else data
    except (OSError, EOFError, zlib.error) as error:
        raise SpecError(f"{path}: {error}. Restore the file") from None


def lines(path):
    """The lines of a file, none where it is missing.

    Tolerates what editors and git do to text: \\r\\n, a byte order mark, a missing last newline. Where a newline between two
    records is damaged, the second still starts a line.
    """
    for line in unpacked(path).removeprefix(BYTE_ORDER_MARK).split(b"\n"):
        line = line.removesuffix(b"\r")
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
        reason = error if isinstance(error, ValueError) else "not a record"
        contents.damage.append(f"{path}:{number}: {reason}; skipped")
        contents.damaged.append(line)


def _add_record(contents, entry, line):
    id, status, result = entry["id"], entry["status"], entry["result"]
    _expect(entry, id=str, result=dict, trial=dict)
    if status not in FINAL:
        raise ValueError("not a record")
    contents.add(id, line, result)


def _add_event(contents, entry, line):
    if entry["event"] == "driver":
        _expect(entry, name=str, facts=dict)
        contents.drivers[entry["name"]] = entry["facts"]
    elif entry["event"] == "trial":
        _expect({"driver": None} | entry, id=str, host=str, seconds=(int, float), driver=(str, type(None)))
        contents.origins[entry["id"]] = {"driver": entry.get("driver"), "host": entry["host"], "seconds": entry["seconds"]}
    elif entry["event"] == "trials":
        _expect(entry, driver=(str, type(None)), host=str, seconds=dict)
        _expect(entry["seconds"], **dict.fromkeys(entry["seconds"], (int, float)))
        maker = {"driver": entry["driver"], "host": entry["host"]}
        contents.origins.update({id: maker | {"seconds": seconds} for id, seconds in entry["seconds"].items()})
    else:
        _expect(entry, id=str, at=(int, float), status=str, reason=str)
        last = contents.failures.get(entry["id"])
        if last is None or last["at"] <= entry["at"]:
            contents.failures[entry["id"]] = entry


def _expect(entry, **classes):
    """Raise ValueError or KeyError unless each key has a value of its classes."""
    if not all(isinstance(entry[key], known) for key, known in classes.items()):
        raise ValueError("not a record")
