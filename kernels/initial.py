"""Initial parameters. Each is drawn from a stream of its own, whose key is the seed and the parameter's name."""

import numpy as np

from kernels.processor import build
from kernels.starts import STARTS

_draws = build("draws", "float64")


def draw(cell, views, seed, scheme, forget_bias, chrono):
    """Fill `views` ({[prefix/]direction/key: array}) by `scheme`; see RNN.init."""
    for name, view in views.items():
        path, _, key = name.rpartition("/")
        direction = path.rpartition("/")[2]
        stream = _draws.Stream("weights", seed, name)
        fan_in, fan_out = (view.shape[-2] if view.ndim > 1 else view.shape[-1]), view.shape[-1]
        if scheme == "glorot":
            bound = np.sqrt(6.0 / (fan_in + fan_out)) if key in "WURM" else 0.0
        else:
            bound = 1.0 / np.sqrt(float(2 * fan_out if direction == "merge" else fan_out))
        if key == "p" and cell.name in STARTS:
            view[:] = STARTS[cell.name](stream, fan_out)
        elif scheme == "identity" and key == "U":
            view[:] = np.eye(fan_out)
        elif not bound or (scheme == "identity" and key == "b"):
            view[:] = 0
        elif scheme == "orthogonal" and key == "U":
            for block in view:
                block[:] = stream.orthogonal(fan_out)
        else:
            view[:] = stream.uniform(view.size, -bound, bound).reshape(view.shape)
        if key == "b" and direction != "merge":
            _retain(cell, view, _draws.Stream("weights", seed, f"{path}/chrono"), forget_bias, chrono)


def uniform(views, seed, name, bound):
    """Fill `views` ({key: array}) uniformly in +-bound; each has its stream ("weights", seed, name/key)."""
    for key, view in views.items():
        view[...] = _draws.Stream("weights", seed, f"{name}/{key}").uniform(view.size, -bound, bound).reshape(view.shape)


def _retain(cell, b, stream, forget_bias, chrono):
    """Set the biases b (blocks, H) of the gates that set how long the cell remembers."""
    if chrono is not None:
        v = _draws.log(stream.uniform(b.shape[1], 1.0, chrono - 1.0))
        for gate, sign in cell.retains:
            b[cell.biases.index(gate)] = sign * v
    elif cell.retains:
        gate, sign = cell.retains[0]
        b[cell.biases.index(gate)] = sign * forget_bias
