"""The published test vectors: every cell has them, they are the twin's numbers, and the kernels agree."""
import numpy as np
import pytest
import vectors
from cases import CELLS, assert_close, float64

import kernels


def test_every_cell_has_vectors():
    assert {path.stem for path in vectors.FOLDER.glob("*.npz")} == set(CELLS), "python tests/vectors.py writes them"


@pytest.mark.parametrize("cell", CELLS)
def test_the_kernels_agree_with_the_vectors(cell):
    """From the file alone, as another library would read it."""
    with np.load(vectors.FOLDER / f"{cell}.npz", allow_pickle=False) as file:
        given = {name: file[name] for name in file}
    assert_close(given, vectors.vectors(cell), 1e-13)
    layer = float64(cell, given["x"].shape[2], given["y"].shape[2])
    theta = np.concatenate([given[f"weight.{name.removeprefix('forward/')}"].reshape(-1) for name in layer.shapes])

    def states(kind):
        return {name: given[f"{kind}.{name}"][None] for name in kernels.CELLS[cell].states}

    out = layer.forward(theta, given["x"], given["lengths"], states("state"))
    grad = layer.backward(out.tape, given["dy"], states("dend"))
    found = {"y": out.y, "dx": grad.x}
    found |= {f"dweight.{name.removeprefix('forward/')}": part for name, part in layer.view(grad.theta).items()}
    for kind, arrays in (("end", out.state), ("dstate", grad.state)):
        found |= {f"{kind}.{name}": array[0] for name, array in arrays.items()}
    assert_close(found, {name: given[name] for name in found}, 1e-12)
