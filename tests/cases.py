"""What the kernel tests share: the arms of the registry, random problems with ragged lengths, and all their results by name.

Draws use raw words and exact operations only, so that a problem has the same bits on every machine.
"""
from itertools import combinations, product
from types import SimpleNamespace

import numpy as np

import kernels
from kernels import reference

CELLS = tuple(kernels.CELLS)
ARMS = [("forward", "concat"), ("reverse", "concat")] + [("both", merge) for merge in ("concat", "sum", "mean", "learned")]


def pairwise(*axes):
    """Few combinations of the axes' values, in which every two values of two axes occur together."""
    indices = product(*(range(len(axis)) for axis in axes))
    pairs = {combination: {*combinations(enumerate(combination), 2)} for combination in indices}
    missing, chosen = set().union(*pairs.values()), []
    while missing:
        chosen.append(max(pairs, key=lambda combination: len(pairs[combination] & missing)))
        missing -= pairs.pop(chosen[-1])
    return [tuple(axis[i] for axis, i in zip(axes, combination)) for combination in sorted(chosen)]


def one_of_each_form():
    """The first cell of each form; the time loop knows a cell's form, but not its equations."""
    forms = {}
    for cell, row in kernels.CELLS.items():
        form = [len(part) for part in (row.blocks, row.inputs, row.recurrent, row.biases, row.states, row.peepholes, row.feedback)]
        forms.setdefault((*form, row.direct), cell)
    return list(forms.values())


def fitting(cell, inputs, units):
    """As many inputs as units for a cell that has x itself in its equations."""
    return units if kernels.CELLS[cell].direct else inputs


def twin(cell, inputs, units, direction="forward", merge="concat"):
    """The NumPy twin's layer."""
    return reference.RNN(cell, fitting(cell, inputs, units), units, direction, merge)


def float64(cell, inputs, units, direction="forward", merge="concat"):
    """The kernels' layer in float64."""
    return kernels.RNN(cell, fitting(cell, inputs, units), units, direction, merge, dtype="float64")


def float32(cell, inputs, units, direction="forward", merge="concat"):
    """The kernels' layer in float32."""
    return kernels.RNN(cell, fitting(cell, inputs, units), units, direction, merge, dtype="float32")


def case(cell, size, direction="forward", merge="concat", seed=0, dtype="float64"):
    """Random theta, x, lengths (the first row's is T), state, dy, dstate of size (T, B, I, H), in (-1, 1); U, R, M times 1.5 / sqrt(H).

    The state n, a sum of exponentials by which slstm divides, is 1.5 more.
    """
    T, B, I, H = size
    I = fitting(cell, I, H)
    words = np.random.Philox(key=np.array([seed, ((T * 1000 + B) * 1000 + I) * 1000 + H], np.uint64)).random_raw

    def draw(*shape):
        return ((words(int(np.prod(shape))) >> np.uint64(11)) * 2.0**-52 - 1).reshape(shape).astype(dtype)

    layer = twin(cell, I, H, direction, merge)
    D, width = len(layer.directions), 2 * H if (direction, merge) == ("both", "concat") else H
    theta = draw(layer.size)
    for name, part in layer.view(theta).items():
        if name[-1] in "URM":
            part *= np.asarray(1.5 / np.sqrt(H), dtype)
    lengths = 1 + (words(B) % np.uint64(T)).astype(int)
    lengths[0] = T
    return SimpleNamespace(
        theta=theta,
        x=draw(T, B, I),
        lengths=lengths,
        state={k: draw(D, B, H) + (1.5 if k == "n" else 0) for k in layer.cell.states},
        dy=draw(T, B, width),
        dstate={k: draw(D, B, H) for k in layer.cell.states},
    )


def real(T, lengths):
    """(T, B) booleans: the steps that are within their row's length."""
    return np.arange(T)[:, None] < lengths


def run(layer, case, **options):
    """Forward and backward of a case: y, state, the gates (taken before backward) and grad with its norms."""
    threads = {"threads": options.pop("threads")} if "threads" in options else {}
    out = layer.forward(case.theta, case.x, case.lengths, case.state, **threads)
    gates = layer.gates(out.tape)
    grad = layer.backward(out.tape, case.dy, case.dstate, norms=True, **options)
    return SimpleNamespace(y=out.y, state=out.state, gates=gates, grad=grad)


def results(layer, case, **options):
    """{name: array} of all that a case gives, weight gradients by block."""
    got = run(layer, case, **options)
    named = {"y": got.y, "grad.x": got.grad.x}
    for kind, arrays in (("state", got.state), ("gates", got.gates), ("grad.state", got.grad.state), ("norms", got.grad.norms)):
        named |= {f"{kind}.{name}": array for name, array in arrays.items()}
    return named | {f"grad.{name}": block for name, block in by_block(layer, got.grad.theta).items()}


def by_block(layer, theta):
    """{"forward/W[0]": view, ...}: the views of theta, cut by their leading axis (the merge's stay whole)."""
    blocks = {}
    for name, part in layer.view(theta).items():
        blocks |= {name: part} if name.startswith("merge") else {f"{name}[{k}]": row for k, row in enumerate(part)}
    return blocks


def same_bits(a, b):
    """Equal shapes, dtypes and bits."""
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def assert_same(a, b, names=None):
    """The named results (all of them, without names) have the same bits."""
    differing = [name for name in names or a if not same_bits(a[name], b[name])]
    assert not differing and (names or a.keys() == b.keys()), differing


def assert_close(a, b, tolerance, names=None):
    """max|a - b| <= tolerance max|b| in each named result."""
    off = {name: np.abs(a[name] - b[name]).max() / np.abs(b[name]).max() for name in names or b if np.any(a[name] != b[name])}
    assert all(error <= tolerance for error in off.values()), {name: error for name, error in off.items() if not error <= tolerance}
