"""Other faults: damaged files, wrong clocks, two drivers at once, disks that are full, read-only or removed.

Each is a function (folder, file, undisturbed, chance) -> Cost: a new folder, a study file, the files that an undisturbed run
leaves, and a random.Random.
"""

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import kills
import toy
from faults import Cost, Study

from study.records import store

DISK = 74
PAGE = os.sysconf("SC_PAGE_SIZE")
SUMMER_ENDS = 1792890000  # 2026-10-25 01:00 UTC, when clocks in Berlin go from 03:00 to 02:00


def until(study, records, process):
    """Wait for that many records, or for the end."""
    toy.until(lambda: len(store.read(study.place).lines) >= records or process.poll() is not None)


def half(folder, file):
    """A study that was killed half way, and its one segment."""
    study = Study(file, folder)
    process = study.start()
    until(study, 6, process)
    below = kills.children(process.pid)
    process.kill()
    process.communicate()
    kills.outlive(below, 5)
    return study, *study.place.glob("segments/*.jsonl")


def torn(data, chance):
    return data[: -chance.randrange(2, 200)], 1


def flipped(data, chance):
    where = chance.randrange(len(data))
    return data[:where] + bytes([data[where] ^ 1 << chance.randrange(8)]) + data[where + 1 :], 1


def zeros(data, chance):
    """A block of a disk."""
    where, size = chance.randrange(len(data)), 512
    return data[:where] + bytes(size) + data[where + size :], data[where : where + size].count(b"\n") + 1


def empty(data, chance):
    return b"", data.count(b"\n")


def damaged(damage):
    """A segment is damaged: the damaged records are reported and computed again, and no others."""

    def mishap(folder, file, undisturbed, chance):
        study, segment = half(folder, file)
        before = store.read(study.place).lines
        data, hit = damage(segment.read_bytes(), chance)
        segment.write_bytes(data)
        after = store.read(study.place)
        gone = len(before) - len(after.lines)
        named = bool(after.damage) == bool(data) and all(str(segment) in line for line in after.damage)
        wrong = gone > hit or not named or any(before[id] != line for id, line in after.lines.items())
        return study.cost(1, undisturbed, wrong=wrong, allowed=gone)

    return mishap


def every_byte(folder, file, undisturbed, chance):
    """One bit is flipped in each byte of a segment in turn: the damage is reported, and costs one record."""
    study, segment = half(folder, file)
    before, data, cost = store.read(study.place).lines, segment.read_bytes(), Cost()
    for where in range(len(data)):
        segment.write_bytes(data[:where] + bytes([data[where] ^ 1 << chance.randrange(8)]) + data[where + 1 :])
        after = store.read(study.place)
        missing = len(before) - len(after.lines)
        changed = any(before.get(id) != line for id, line in after.lines.items())
        cost += Cost(rounds=1, lost=max(0, missing - 1), wrong=int(changed or not after.damage))
    segment.write_bytes(data)
    return cost + study.cost(0, undisturbed)


def foreign(folder, file, undisturbed, chance):
    """A user's own files lie among the segments."""
    study, segment = half(folder, file)
    notes = segment.with_name("notes.txt")
    notes.write_text("mine")
    segment.with_name("rubbish.jsonl").write_bytes(chance.randbytes(5000))
    damage = "\n".join(store.read(study.place).damage)
    cost = study.cost(1, undisturbed, wrong="notes.txt" not in damage or "rubbish.jsonl" not in damage)
    return cost + Cost(wrong=notes.read_text() != "mine")


def clock(start, *more):
    paths = [str(Path(__file__).with_name("clock")), *sys.path]
    return {"PYTHONPATH": os.pathsep.join(paths), "CLOCK": ",".join(map(str, (start, *more)))}


def two_drivers(folder, file, undisturbed, chance):
    """At once on one folder, on clocks that are two days apart."""
    study = Study(file, folder)
    now = time.time()
    first = study.start(**clock(now + 86400))
    until(study, 1, first)
    second = study.start(**clock(now - 86400))
    said = ["".join(process.communicate(timeout=120)) for process in (first, second)]
    warned = "another run is writing here" in said[1] or "Nothing was left to run" in said[1]
    wrong = first.returncode or second.returncode or not warned
    twice = sum(count > 1 for count in study.lines().values())
    taken = set(study.noted("acknowledged"))
    return Cost(1, len(taken), len(taken - set(store.read(study.place).lines)), twice,
                left=len(list(study.place.glob("segments/*.jsonl"))), wrong=bool(wrong) + (study.kept() != undisturbed))


def set_back(folder, file, undisturbed, chance):
    """The clock goes back by a day during the run; the study is killed and run again on the earlier day."""
    study = Study(file, folder)
    process = study.start(**clock(time.time(), chance.uniform(0.5, 1.5), 86400))
    until(study, 4, process)
    process.kill()
    process.communicate()
    return study.cost(1, undisturbed)


def summer_ends(folder, file, undisturbed, chance):
    """Clocks go from 03:00 to 02:00 while the study runs."""
    study = Study(file, folder)
    code, said = study.run(TZ="Europe/Berlin", **clock(SUMMER_ENDS - chance.uniform(0, 2)))
    return study.cost(1, undisturbed, wrong=code != 0)


def deleted(folder, file, undisturbed, chance):
    """The study's folder is deleted during the run: the run says so, and the next one starts anew."""
    study = Study(file, folder)
    process = study.start()
    until(study, chance.randrange(1, 8), process)
    shutil.rmtree(study.out / "toy")
    _, err = process.communicate(timeout=60)
    (study.out / "acknowledged").unlink()
    (study.out / "computed").unlink()
    return study.cost(1, undisturbed, wrong=not refused(process.returncode, err))


def refused(code, said):
    """Whether a run ended with the code and the one line for a disk that refuses; prints the output if not."""
    right = code == DISK and said.count("error: ") == 1 and "Traceback" not in said
    if not right:
        print(f"exit code {code}:", said)
    return right


@contextmanager
def mounted(folder, size):
    """A real file system of `size` kilobytes. Raises PermissionError if this process may not mount one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "longlag-test", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        raise PermissionError("mounting a file system takes more rights") from None
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder, *options):
    subprocess.run(["mount", "-o", ",".join(["remount", *options]), str(folder)], check=True)


def full(folder, file, undisturbed, chance):
    """A real file system fills up under the study; with more room it goes on."""
    Path(folder).mkdir()
    disk = Path(folder, "disk")
    pages = sum(-(-len(data) // PAGE) for data in (undisturbed[0], *undisturbed))  # records are there twice when they are merged
    with mounted(disk, chance.randrange(16, (pages + 1) * PAGE // 1024, 4)):  # less than that and a log
        ledger = Path(folder, "ledger")
        ledger.mkdir()
        study = Study(file, disk, LEDGER=str(ledger))
        code, said = study.run()
        remount(disk, "size=10m")
        study.noted = lambda name: (ledger / name).read_text().split() if (ledger / name).exists() else []
        return study.cost(1, undisturbed, wrong=not refused(code, said))


def read_only(folder, file, undisturbed, chance):
    """The file system becomes read-only between two runs."""
    Path(folder).mkdir()
    disk = Path(folder, "disk")
    with mounted(disk, 10_000):
        study, _ = half(disk, file)
        remount(disk, "ro")
        study.environment["LEDGER"] = str(folder)
        code, said = study.run()
        remount(disk, "rw")
        study.environment["LEDGER"] = str(disk)
        return study.cost(1, undisturbed, wrong=code not in (2, DISK) or said.count("error: ") != 1 or "Traceback" in said)


MISHAPS = {
    "torn last line": damaged(torn),
    "a flipped bit": damaged(flipped),
    "a flipped bit, in each byte in turn": every_byte,
    "a block of zeros": damaged(zeros),
    "an empty file": damaged(empty),
    "foreign files": foreign,
    "two drivers, clocks two days apart": two_drivers,
    "the clock set back": set_back,
    "the end of summer time": summer_ends,
    "the folder deleted": deleted,
    "a full file system": full,
    "a read-only file system": read_only,
}
