"""A digest of the sources that the kernels are compiled from: the build keeps it, and an import compares it."""

import hashlib
from pathlib import Path

WRITERS = ("cell.py", "table.py", "wrappers.py")  # of source


def digest(folder):
    """The digest of the sources in a folder `kernels`; None in an installed copy, which has no sources."""
    folder = Path(folder)
    if not (folder / "timeloop.pyx").exists():
        return None
    paths = [path for pattern in ("*.pyx", "*.pxd", "*.pxi", "*.h", "cells/*.pxd") for path in folder.glob(pattern)]
    paths += [folder / name for name in WRITERS]
    content = hashlib.sha256()
    for path in sorted(paths):
        content.update(path.name.encode() + b"\0" + path.read_bytes())
    return content.hexdigest()[:32]
