"""Data that lie in other packages: their files are read without importing the package, and checked by SHA-256.

`data.sha256` lists the files, as the program sha256sum writes them. The `data` of a task are those whose path begins with it.
"""

from functools import cache
from hashlib import sha256
from importlib import resources, util
from pathlib import Path

INSTALL = 'pip install "longlag[data]" (in a clone of the project: scripts/set-up data)'


def package(data):
    """The package that has these data."""
    return data.partition("/")[0]


def installed(data):
    return util.find_spec(package(data)) is not None


def missing(task):
    """What to do where the package of a task's data is not installed."""
    return f"{task.name} needs data of the package {package(task.data)}, which is not installed: {INSTALL}"


def read(data):
    """The contents of the files of these data, in the order of the list.

    Raises
    ------
    ValueError
        Names a file that is missing, or is not the listed one.
    """
    (folder,) = util.find_spec(package(data)).submodule_search_locations
    contents = []
    for digest, path in listed(data):
        file = Path(folder).parent / path
        contents.append(file.read_bytes() if file.is_file() else b"")
        found = sha256(contents[-1]).hexdigest()
        if found != digest:
            raise ValueError(f"{file}: expected the file with the SHA-256 {digest}, got {found if contents[-1] else 'none'}: "
                             f"install the version of {package(data)} that constraints.txt names")
    return contents


@cache
def listed(data):
    """[(SHA-256, path)] of the files of these data."""
    lines = resources.files("study.tasks").joinpath("data.sha256").read_text("ascii").splitlines()
    return [tuple(line.split("  ")) for line in lines if f"  {data}" in line]


@cache
def check(data):
    """Raise ValueError unless all files of these data are the listed ones."""
    read(data)
