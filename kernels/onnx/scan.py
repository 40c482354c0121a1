"""One step of any cell as ONNX nodes, which are traced from the NumPy twin: what it does with symbols is written down.

Design. The twin's cells are functions in NumPy that were written from the papers. Here they run on objects that stand for arrays
(B, H) and add a node for each operation of NumPy, so a new cell is exported without a line here. Rejected: a second table of
equations.
"""

from types import SimpleNamespace

import numpy as np

from kernels import reference
from kernels.onnx.graph import Graph, port
from kernels.reference_step import Weights, sigmoid

OPERATORS = {
    np.add: "Add", np.subtract: "Sub", np.multiply: "Mul", np.divide: "Div", np.negative: "Neg", np.matmul: "MatMul",
    np.maximum: "Max", np.minimum: "Min", np.equal: "Equal", np.exp: "Exp", np.log: "Log", np.tanh: "Tanh", np.cos: "Cos",
    np.sin: "Sin",
}
NEUTRAL = {np.add: 0, np.multiply: 1}


class Symbol(np.lib.mixins.NDArrayOperatorsMixin):
    """A value of a graph, by its name: NumPy's functions of it add nodes to the graph."""

    def __init__(self, graph, name):
        self.graph, self.name = graph, name

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        if ufunc not in OPERATORS or method != "__call__" or options:
            return NotImplemented
        real = [value for value in inputs if not (type(value) is int and value == NEUTRAL.get(ufunc))]
        return self.made(OPERATORS[ufunc], *inputs) if len(real) == len(inputs) else real[0]

    def __array_function__(self, function, _types, inputs, _options):
        return self.made("Where", *inputs) if function is np.where else NotImplemented

    def made(self, operator, *inputs):
        names = [value.name if isinstance(value, Symbol) else value for value in inputs]
        return Symbol(self.graph, self.graph.node(operator, *names))


sigmoid.register(Symbol, lambda a: a.made("Sigmoid", a))


def tensors(layer, view, direction):
    """{"W/i": array, ...}: the parameters of one direction of a layer, each row by its kind and block."""
    kinds = reference.CELLS[layer.cell.name].kinds()
    return {f"{kind}/{label(row)}": view[f"{direction}/{kind}"][k] for kind, rows in kinds.items() for k, row in enumerate(rows)}


def label(row):
    """The name of a row of weights: its block, and for feedback the state that it comes from."""
    return row if isinstance(row, str) else "/".join(row)


def step(graph, cell, weights, x, states):
    """{state: the name of its new value} after one step.

    Parameters
    ----------
    cell : str
    weights : str
        Stands before the names of the parameters (`tensors`).
    x : name of the step's input
    states : {state: name of its value before}
    """
    twin = reference.CELLS[cell]
    value = {kind: {row: Symbol(graph, f"{weights}{kind}/{label(row)}") for row in rows} for kind, rows in twin.kinds().items()}
    before = SimpleNamespace(**{state: Symbol(graph, name) for state, name in states.items()})
    after = twin.forward(Weights(value), Symbol(graph, x), before)
    return {state: getattr(after, state).name for state in states}


def attributes(cell, direction, prefix, dtype):
    """{name: value} of the Scan of one direction, from states, x (T, B, I) and whether each row has the step (T, B, 1)."""
    backwards = int(direction == "reverse")
    return {"body": body(cell, prefix, dtype), "num_scan_inputs": 2, "scan_input_directions": [backwards] * 2,
            "scan_output_directions": [backwards]}


def body(cell, prefix, dtype):
    """The GraphProto of one step in a Scan: from states, x and whether each row has the step, to states and y.

    A row without the step keeps its states, and its y is 0. The parameters are tensors of the graph around, whose names begin with
    `prefix`.
    """
    graph, states = Graph(dtype, f"{prefix}step/"), reference.CELLS[cell].states
    before = {state: f"{graph.prefix}{state}_before" for state in states}
    x, alive = f"{graph.prefix}x", f"{graph.prefix}alive"
    after = step(graph, cell, prefix, x, before)
    kept = [graph.node("Where", alive, after[state], before[state]) for state in states]
    y = graph.node("Where", alive, after["h"], 0)
    inputs = [*(port(name, dtype) for name in before.values()), port(x, dtype), port(alive, bool)]
    return graph.proto("step", inputs, [port(name, dtype) for name in (*kept, y)])
