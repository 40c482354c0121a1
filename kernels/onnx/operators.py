"""ONNX's operators RNN, LSTM and GRU: which cells they are, and their weights from ours and back, in one direction.

W is (G H, I), R (G H, H), B (2 G H,), P (3 H,), in the order of the operator's G gates. The operator adds both halves of B; ours
is the first. Where a gate of ours is one minus a gate of ONNX, its weights change sign, for 1 - sigmoid(a) = sigmoid(-a).
"""

from typing import NamedTuple

import numpy as np

import kernels
from kernels import parameters


class Operator(NamedTuple):
    """A cell as an operator.

    Attributes
    ----------
    name : str
    activations : list of str
    switches : dict
        Attributes of 0 or 1.
    gates : tuple of str
        Our block for each of its gates, in its order; after "-" one whose weights change sign. P has the first three.
    recurrent : tuple of str
        The same for R and for the second half of B.
    """

    name: str
    activations: list
    switches: dict
    gates: tuple
    recurrent: tuple


def _row(name, activations, gates, recurrent=None, **switches):
    return Operator(name, activations.split(), switches, tuple(gates.split()), tuple((recurrent or gates).split()))


# The standard does not say whether i or f is one minus the other where input_forget is 1; onnxruntime computes f = 1 - i. With the
# weights of f for f, and with changed sign for i, every reading gives our cell, even one without coupling.
OPERATORS = {
    "rnn": _row("RNN", "Tanh", "a"),
    "rnn_relu": _row("RNN", "Relu", "a"),
    "lstm": _row("LSTM", "Sigmoid Tanh Tanh", "i o f g", input_forget=0),
    "peephole": _row("LSTM", "Sigmoid Tanh Tanh", "i o f g", input_forget=0),
    "coupled": _row("LSTM", "Sigmoid Tanh Tanh", "-f o f g", input_forget=1),
    "coupled_peephole": _row("LSTM", "Sigmoid Tanh Tanh", "-f o f g", input_forget=1),
    "gru": _row("GRU", "Sigmoid Tanh", "-z r n", linear_before_reset=0),
    "gru_after": _row("GRU", "Sigmoid Tanh", "z r n", "z r u", linear_before_reset=1),
}
PEEPHOLES = 3       # gates that P has weights for


def encode(cell, view):
    """{"W": array, "R": ..., "B": ...[, "P": ...]} of a cell's parameters {"W": (n, I, H), "U": ..., "b": ...[, "p": ...]}."""
    operator = OPERATORS[cell]
    rows = {kind: dict(zip(blocks, view[kind])) for kind, blocks in parameters.kinds(kernels.CELLS[cell]).items()}
    gates, zero = {gate.lstrip("-") for gate in operator.gates}, np.zeros_like(view["b"][0])
    second = {block: b for block, b in rows["b"].items() if block not in gates}
    tensors = {"W": _joined(rows["W"], operator.gates), "R": _joined(rows["U"], operator.recurrent)}
    tensors["B"] = np.concatenate([_joined(rows["b"], operator.gates), _joined(second, operator.recurrent, zero)])
    return tensors | ({"P": _joined(rows["p"], operator.gates[:PEEPHOLES])} if "p" in rows else {})


def decode(cell, tensors):
    """The inverse of `encode`; of a gate that an operator has twice, the first. A missing B is 0."""
    operator, form = OPERATORS[cell], kernels.CELLS[cell]
    R = tensors["R"]
    first, second = np.split(tensors.get("B", np.zeros(2 * len(R), R.dtype)), 2)
    bias = [_parted(first, operator.gates), _parted(second, operator.recurrent)]
    rows = {"W": _parted(tensors["W"], operator.gates), "U": _parted(R, operator.recurrent),
            "b": {block: sum(half[block] for half in bias if block in half) for block in form.blocks},
            "p": _parted(tensors["P"], operator.gates[:PEEPHOLES]) if "P" in tensors else {}}
    return {kind: np.stack([rows[kind][block] for block in blocks]) for kind, blocks in parameters.kinds(form).items()}


def _joined(rows, gates, missing=None):
    """Rows {block: (n, H) or (H,)} by the order of gates, transposed, one below the other."""
    return np.concatenate([_signed(gate, rows.get(gate.lstrip("-"), missing)).T for gate in gates])


def _parted(tensor, gates):
    """{block: (n, H) or (H,)}"""
    parts = zip(gates, np.split(tensor, len(gates)))
    return {gate.lstrip("-"): _signed(gate, part.T) for gate, part in reversed([*parts])}


def _signed(gate, row):
    return -row if gate[0] == "-" else row
