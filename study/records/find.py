"""Looks up everything that is recorded of one trial, by a part of its id."""

from pathlib import Path

from study.errors import SpecError
from study.records import store
from study.records.provenance import Provenance
from study.trial.knobs import Trial

MOST = 10  # ids that are listed where several match


def find(out, start):
    """The record or failure of the one trial below the folder `out` whose id, or its last part, begins with `start`.

    Returns a dict of the record, its folder and its provenance. Raises SpecError if no trial matches, or several do, or
    `out` is no folder.
    """
    if not Path(out).is_dir():
        raise SpecError(f"{out}: expected a folder of results, got {'a file' if Path(out).exists() else 'a path where nothing is'}")
    matches = {}
    files = (store.RUNS, store.PACKED, store.SEGMENTS)
    for folder in {path.parent for name in files for path in Path(out).glob(f"**/{name}")}:
        contents = store.read(folder)
        for id in (*contents.failures, *contents.lines):
            if id.startswith(start) or id.rpartition("-")[2].startswith(start):
                matches[folder, id] = {"folder": str(folder), **_entry(folder, contents, id)}
    if len(matches) != 1:
        several = [f"  {folder}: {id}" for folder, id in sorted(matches)[:MOST]]
        more = [f"  and {len(matches) - MOST} more"] if len(matches) > MOST else []
        raise SpecError("\n".join([f"{len(matches)} trials in {out} have an id that begins with {start!r}", *several, *more]))
    (entry,) = matches.values()
    return entry


def _entry(folder, contents, id):
    if id not in contents.lines:
        return contents.failures[id]
    record = contents.record(id)
    trial = Trial.model_validate(record["trial"]).model_dump()
    return record | {"trial": trial, "made": Provenance(folder, contents).row(id)}
