"""What the kernel tests share: the arms of the registry and random problems with ragged lengths."""
from types import SimpleNamespace

import numpy as np

import kernels
from kernels import reference

CELLS = tuple(kernels.CELLS)
ARMS = [("forward", "concat"), ("reverse", "concat")] + [("both", merge) for merge in ("concat", "sum", "mean", "learned")]


def twin(cell, inputs, units, direction="forward", merge="concat"):
    """The NumPy twin's layer."""
    return reference.RNN(cell, inputs, units, direction, merge)


def float64(cell, inputs, units, direction="forward", merge="concat"):
    """The kernels' layer in float64."""
    return kernels.RNN(cell, inputs, units, direction, merge, dtype="float64")


def float32(cell, inputs, units, direction="forward", merge="concat"):
    """The kernels' layer in float32."""
    return kernels.RNN(cell, inputs, units, direction, merge, dtype="float32")


def ragged(T, B, rng):
    """Lengths 1..T, B of them; the first row is full."""
    lengths = rng.integers(1, T + 1, B)
    lengths[0] = T
    return lengths


def case(cell, T, B, I, H, direction="forward", merge="concat", seed=0, dtype="float64"):
    """Random theta, x, lengths, state, dy, dstate for a layer; weights of a trained net's size, states in (-1, 1)."""
    rng = np.random.default_rng([seed, T, B, I, H])
    layer = twin(cell, I, H, direction, merge)
    D, width = len(layer.directions), 2 * H if (direction, merge) == ("both", "concat") else H
    theta = rng.uniform(-1, 1, layer.size)
    for name, part in layer.view(theta).items():
        if name[-1] in "UM":
            part *= 1.5 / np.sqrt(H)
    states = kernels.CELLS[cell].states
    return SimpleNamespace(
        theta=theta.astype(dtype),
        x=rng.standard_normal((T, B, I)).astype(dtype),
        lengths=ragged(T, B, rng),
        state={k: rng.uniform(-1, 1, (D, B, H)).astype(dtype) for k in states},
        dy=rng.standard_normal((T, B, width)).astype(dtype),
        dstate={k: rng.standard_normal((D, B, H)).astype(dtype) for k in states},
    )


def run(layer, case, **options):
    """Forward and backward of a case: out and grad, with the gates (of before backward) in `out.gates`."""
    out = layer.forward(case.theta, case.x, case.lengths, case.state)
    gates = layer.gates(out.tape)
    grad = layer.backward(out.tape, case.dy, case.dstate, **{"norms": True, **options})
    return SimpleNamespace(y=out.y, state=out.state, gates=gates, grad=grad)


def results(layer, case, **options):
    """{name: array} of all that a case gives, weight gradients by block."""
    got = run(layer, case, **options)
    named = {"y": got.y, "grad.x": got.grad.x}
    for kind, arrays in (("state", got.state), ("gates", got.gates), ("grad.state", got.grad.state), ("norms", got.grad.norms)):
        named |= {f"{kind}.{name}": array for name, array in arrays.items()}
    for name, array in layer.view(got.grad.theta).items():
        named |= {f"grad.{name}[{k}]": part for k, part in enumerate(array)} if array.ndim == 3 else {f"grad.{name}": array}
    return named
