"""Test vectors for other libraries: a small problem of each cell, with outputs and gradients; run as a program it writes them.

    python tests/vectors.py

They are the NumPy twin's numbers, so they do not depend on the kernels. tests/vectors/README.md says what the files hold.
"""
import sys
import zipfile
from pathlib import Path

import numpy as np

if __name__ == "__main__":
    sys.path[:0] = map(str, Path(__file__).parents[:2])

import cases

FOLDER = Path(__file__).with_name("vectors")
SIZE = (6, 3, 4, 5)     # T, B, I, H
WRITTEN = (1980, 1, 1, 0, 0, 0)


def vectors(cell):
    """{name: float64 or integer array} of a cell's problem."""
    given, layer = cases.case(cell, SIZE), cases.twin(cell, *SIZE[2:])
    out = layer.forward(given.theta, given.x, given.lengths, given.state)
    grad = layer.backward(out.tape, given.dy, given.dstate)
    weights = {name.removeprefix("forward/"): part for name, part in layer.view(given.theta).items()}
    grads = {name.removeprefix("forward/"): part for name, part in layer.view(grad.theta).items()}
    found = {"x": given.x, "lengths": given.lengths, "y": out.y, "dy": given.dy, "dx": grad.x}
    found |= {f"weight.{name}": part for name, part in weights.items()} | {f"dweight.{name}": part for name, part in grads.items()}
    for kind, states in (("state", given.state), ("end", out.state), ("dend", given.dstate), ("dstate", grad.state)):
        found |= {f"{kind}.{name}": array[0] for name, array in states.items()}
    return found


def save(path, arrays):
    """An .npz file; numpy.savez would write the time into it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, array in arrays.items():
            with file.open(zipfile.ZipInfo(f"{name}.npy", WRITTEN), "w") as entry:
                np.lib.format.write_array(entry, np.ascontiguousarray(array), allow_pickle=False)


if __name__ == "__main__":
    for cell in cases.CELLS:
        save(FOLDER / f"{cell}.npz", vectors(cell))
