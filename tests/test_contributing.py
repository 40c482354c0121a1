"""CONTRIBUTING: its map is the tree, and the tests that it names exist."""

import re
import tomllib

import kernels
from study.records.machine import PROJECT

TEXT = (PROJECT / "CONTRIBUTING.md").read_text()
SOURCES = {".py", ".pyx", ".pxd", ".pxi", ".h", ".cff", ""}  # what the map names: no compiled files


def mapped():
    """{folder: [names in it]} of the map, in its order; a folder whose content it does not list is only a name."""
    block = re.search(r"^## Code map$.*?^```$(.*?)^```$", TEXT, re.S | re.M)[1]
    folders, parents = {}, [""]
    for indent, name in re.findall(r"^( *)(\S+)(?:  +\S.*)?$", block, re.M):
        del parents[len(indent) // 2 + 1 :]
        folders.setdefault(parents[-1], []).append(name)
        parents.append(parents[-1] + name)
    return folders


def tree(folder):
    """Names of the files and folders that the map can name, a slash behind each folder."""
    entries = [path for path in folder.iterdir() if path.name not in ("__init__.py", "__pycache__")]
    folders = {f"{path.name}/" for path in entries if path.is_dir() and any(path.rglob("*.*"))}
    return folders | {path.name for path in entries if path.is_file() and path.suffix in SOURCES}


def test_the_map_is_the_tree():
    folders = mapped()
    assert {"kernels/", "study/", "scripts/"} <= set(folders)
    for folder, names in folders.items():
        if folder:
            assert len(names) == len(set(names))
            assert set(names) == tree(PROJECT / folder), folder
    assert all((PROJECT / name).is_dir() for name in folders[""])


def test_the_map_has_the_order_of_the_layers():
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    order = {name: height for height, line in enumerate(layers) for name in line.split(" | ")}
    heights = [order[name.removesuffix(".py").removesuffix("/")] for name in mapped()["study/"] if not name.endswith(".cff")]
    assert heights == sorted(heights)


def test_named_tests_exist():
    files = {path.name: path.read_text() for path in (PROJECT / "tests").glob("*.py")}
    named = set(re.findall(r"`(?:tests/)?(test_\w+(?:\.py)?)`", TEXT))
    assert len(named) > 15
    for name in named:
        assert name in files or any(f"def {name}(" in text for text in files.values()), name


def test_named_files_exist():
    for path in re.findall(r"`((?:kernels|study|tests|scripts)/[\w./-]+)`", TEXT):
        assert (PROJECT / path).exists() or "/x." in path, path


def test_cells_and_the_time_loop_know_nothing_of_each_other():
    cells = {path.stem: path.read_text().split('"""', 2)[2] for path in (PROJECT / "kernels" / "cells").glob("*.pxd")}
    assert set(kernels.CELLS) <= set(cells)
    for name, code in cells.items():
        assert not re.search(r"\b(for|while|range|prange|malloc|load|store|thread\w*|row|batch)\b", re.sub(r"#.*", "", code)), name
    for file in ("timeloop.pyx", "loops.pxi", "gradient.pxi", "tile.pxd"):
        code = re.sub(r'""".*?"""|#[^\n]*', "", (PROJECT / "kernels" / file).read_text(), flags=re.S)
        names = set(kernels.CELLS) - {"peephole"}  # which is also a kind of weight
        assert not re.search(rf"\b({'|'.join(names)})\b", code), file
