"""Initial parameters. Each is drawn from a stream of its own, whose key is the seed and the parameter's name."""

import numpy as np

from kernels import parameters
from kernels.processor import build
from kernels.starts import STARTS

_draws = build("draws", "float64")


def draw(layer, views, seed, scheme, forget_bias, chrono):
    """Fill `views` ({[prefix/]direction/key: array}) of a kernels.RNN by `scheme`; see RNN.init."""
    cell, units, rows = layer.cell, layer.units, parameters.kinds(layer.cell, layer.block)
    for name, view in views.items():
        path, _, key = name.rpartition("/")
        direction = path.rpartition("/")[2]
        stream = _draws.Stream("weights", seed, name)
        fan_in, fan_out = (view.shape[-2] if view.ndim > 1 else view.shape[-1]), view.shape[-1]
        if scheme == "glorot":
            bound = np.sqrt(6.0 / (fan_in + fan_out)) if key[0] in "WURM" else 0.0
        else:
            bound = 1.0 / np.sqrt(float(2 * units if direction == "merge" else units))
        if key == "p" and cell.name in STARTS:
            view[:] = STARTS[cell.name](stream, units)
        elif scheme == "identity" and key == "U":
            view[:] = np.eye(units)
        elif not bound or (scheme == "identity" and key == "b"):
            view[:] = 0
        elif scheme == "orthogonal" and key[0] == "U":
            for block in view:
                block[:] = stream.orthogonal(units)[:, :fan_out]
        else:
            view[:] = stream.uniform(view.size, -bound, bound).reshape(view.shape)
        if key[0] == "b" and direction != "merge":
            biases = dict(zip(rows[key], view))
            _retain(cell, biases, _draws.Stream("weights", seed, f"{path}/chrono"), forget_bias, chrono)


def _retain(cell, biases, stream, forget_bias, chrono):
    """Set the biases of the gates that set how long the cell remembers, of {block: its bias}."""
    retains = [(biases[gate], sign) for gate, sign in cell.retains if gate in biases]
    if retains and chrono is not None:
        v = _draws.log(stream.uniform(len(retains[0][0]), 1.0, chrono - 1.0))
        for bias, sign in retains:
            bias[:] = sign * v
    elif retains:
        bias, sign = retains[0]
        bias[:] = sign * forget_bias


def uniform(views, seed, name, bound):
    """Fill `views` ({key: array}) uniformly in +-bound; each has its stream ("weights", seed, name/key)."""
    for key, view in views.items():
        view[...] = _draws.Stream("weights", seed, f"{name}/{key}").uniform(view.size, -bound, bound).reshape(view.shape)
