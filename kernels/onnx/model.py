"""Class Model: a net as an ONNX model, made from its parts by the methods that kernels.Training has for them."""

import numpy as np
from onnx import TensorProto, checker, helper

from kernels import parameters
from kernels.layer import DIRECTIONS, RNN
from kernels.onnx import scan
from kernels.onnx.graph import Graph, port
from kernels.onnx.operators import OPERATORS, encode

OPSET, IR = 18, 8               # of 2022, so that older runtimes read them, too
MOST_BYTES = 2**31 - 2**20      # that one file can hold
NEVER = -1e30                   # the score of a step that an answer does not see
SQUASHING = {                   # what a net answers, by its loss
    "cross_entropy": "Softmax", "sigmoid_error": "Sigmoid", "binary_cross_entropy": "Sigmoid", "squared_error": "Identity",
}


class Model:
    """A net as a graph between the input x (T, B, I) and outputs.

    Each method that adds a part takes and gives names of values, where that of kernels.Training takes and gives numbers of parts.
    The model has the inputs lengths (B,), int32, if it has recurrent layers, and places (P,), int64, t B + b of each answer, if it
    has answers. Letters: T steps, B rows, P answers, I inputs.

    Parameters
    ----------
    inputs : int
    theta : (weights,) array
        In which each part has its weights from an offset on. Its dtype is that of the model.

    Raises
    ------
    ValueError
        The weights are not finite, or too many for one file.
    """

    def __init__(self, inputs, theta):
        if theta.nbytes > MOST_BYTES:
            raise ValueError(f"theta: expected at most {MOST_BYTES:,} bytes, which one file can hold, got {theta.nbytes:,}")
        if not np.isfinite(theta).all():
            raise ValueError("theta: expected finite numbers, got NaN or infinity")
        self.theta, self.graph, self._ports, self._counts = theta, Graph(theta.dtype), {}, {}
        self.x = self.input("x", theta.dtype, ["T", "B", inputs])

    def input(self, name, dtype, shape):
        """The name of an input. A letter in its shape stands for any size."""
        self._ports[name] = port(name, dtype, shape)
        return name

    def affine(self, x, readout, at):
        name, weights = self._weights("affine", readout, at)
        V, v = self._store(f"{name}/", weights)
        return self.graph.node("Add", self.graph.node("MatMul", x, V), v)

    def answers(self, x):
        return self.graph.node("Gather", self.graph.node("Flatten", x, axis=2), self._places())

    def tanh(self, x):
        return self.graph.node("Tanh", x)

    def sum(self, x, y):
        return self.graph.node("Add", x, y)

    def fork(self, x):
        return x

    def shared(self, at, size):
        """Weights do not change here, so tied layers need nothing."""

    def attention(self, x, attention, at):
        node, (name, weights) = self.graph.node, self._weights("attention", attention, at)
        P = dict(zip(weights, self._store(f"{name}/", weights)))
        B, places, state = self._size(x, 1), self._places(), self.answers(x)
        t, b = node("Div", places, B), node("Mod", places, B)
        rows = node("Transpose", x, perm=[1, 0, 2])
        seen = node("Gather", rows, b)
        if attention.score == "additive":
            keys = node("Gather", node("MatMul", rows, P["Q"]), b)
            query = node("Unsqueeze", node("MatMul", state, P["P"]), _integers(1))
            scores = node("MatMul", node("Tanh", node("Add", query, keys)), P["v"])
        else:
            query = node("MatMul", state, P["Q"]) if P else state
            scores = node("Squeeze", node("MatMul", seen, node("Unsqueeze", query, _integers(2))), _integers(2))
        alpha = self._softmax(scores, self._seen(x, attention.direction, t, b))
        context = node("Squeeze", node("MatMul", node("Unsqueeze", alpha, _integers(1)), seen), _integers(1))
        return node("Concat", context, state, axis=1)

    def recurrent(self, x, layer, at, truncated=False):
        return self.layer(x, layer, at)[0]

    def layer(self, x, layer, at, state=None):
        """(y, {name: (D, B, H)}): outputs and final states of an RNN, from `state` {name: (D, B, H)}, 0 where missing."""
        name, weights = self._weights("recurrent", layer, at)
        layer, weights = _without_blocks(layer, weights)
        through = self._operator if layer.cell.name in OPERATORS and layer.dtype == np.float32 else self._scans
        y, states = through(name, x, layer, weights, state or {})
        return self._merged(name, y, layer, weights), states

    def deep(self, x, h, c, layer, at):
        name, weights = self._weights("recurrent", layer, at)
        self._store(f"{name}/forward/", scan.tensors(layer, weights, "forward"))
        before = {"h": h, "c": self.graph.constant(0) if c is None else c}
        after = scan.step(self.graph, layer.cell.name, f"{name}/forward/", x, before)
        return after["h"], after["c"]

    def squashed(self, x, loss):
        """What a net answers that learned by a loss of kernels.Training."""
        return self.graph.node(SQUASHING[loss], x)

    def data(self, outputs, about=()):
        """The bytes of a file with the model, which onnx has checked.

        Parameters
        ----------
        outputs : {name: (value, shape)}
        about : {key: text}
            The metadata.
        """
        for name, (value, _) in outputs.items():
            self.graph.node("Identity", value, name=name)
        ports = [port(name, self.theta.dtype, shape) for name, (_, shape) in outputs.items()]
        graph = self.graph.proto("net", [*self._ports.values()], ports)
        model = helper.make_model(graph, producer_name="longlag", ir_version=IR, opset_imports=[helper.make_opsetid("", OPSET)])
        helper.set_model_props(model, dict(about))
        checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)

    def _weights(self, kind, part, at):
        """(a name for the part, {name: array} of its weights)"""
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        return kind if count == 1 else f"{kind}{count}", part.view(self.theta[at : at + part.size])

    def _store(self, prefix, arrays):
        """The names of arrays {name: array}, with the prefix before them."""
        return [self.graph.tensor(f"{prefix}{name}", array) for name, array in arrays.items()]

    def _operator(self, name, x, layer, weights, state):
        """(y (T, D, B, H), final states) of a layer, by one operator of ONNX for both directions."""
        cell, operator, directions = layer.cell, OPERATORS[layer.cell.name], DIRECTIONS[layer.direction]
        of_each = [encode(cell.name, _of(weights, direction)) for direction in directions]
        tensors = {key: np.stack([each[key] for each in of_each]) for key in of_each[0]}
        W, R, B, *P = self._store(f"{name}/", tensors)
        attributes = operator.switches | {
            "activations": operator.activations * len(directions), "hidden_size": layer.units,
            "direction": "bidirectional" if layer.direction == "both" else layer.direction}
        inputs = x, W, R, B, self._lengths(), *(state.get(s, "") for s in cell.states), *P
        y, *states = self.graph.node(operator.name, *inputs, outputs=["y", *cell.states], name=name, **attributes)
        return y, dict(zip(cell.states, states))

    def _scans(self, name, x, layer, weights, state):
        """As `_operator`, by a Scan for each direction."""
        node, cell, of_each = self.graph.node, layer.cell, []
        for d, direction in enumerate(DIRECTIONS[layer.direction]):
            prefix = f"{name}/{direction}/"
            self._store(prefix, scan.tensors(layer, weights, direction))
            before = [node("Gather", state[s], np.int64(d)) if s in state else self._zeros(x, layer.units) for s in cell.states]
            of_each.append(node("Scan", *before, x, self._alive(x), outputs=[*cell.states, "y"], name=f"{name}/{direction}",
                                **scan.attributes(cell.name, direction, prefix, layer.dtype)))
        *states, y = zip(*of_each)
        return self._stacked(y, 1), {s: self._stacked(values, 0) for s, values in zip(cell.states, states)}

    def _stacked(self, values, axis):
        return self.graph.node("Concat", *(self.graph.node("Unsqueeze", value, _integers(axis)) for value in values), axis=axis)

    def _merged(self, name, y, layer, weights):
        """y of the layer from that of its directions, (T, D, B, H)."""
        node, merge, called = self.graph.node, layer.merge if layer.direction == "both" else "concat", f"{name}/merge"
        if merge in ("sum", "mean"):
            return node(f"Reduce{merge.title()}", y, _integers(1), keepdims=0, name=called)
        joined = node("Reshape", node("Transpose", y, perm=[0, 2, 1, 3]), _integers(0, 0, -1))
        if merge == "concat":
            return joined
        M, m = self._store(f"{name}/", {key: weights[key] for key in ("merge/M", "merge/b")})
        return node("Where", self._alive(y), node("Add", node("MatMul", joined, M), m), 0, name=called)

    def _seen(self, x, direction, t, b):
        """(P, T) bool: which steps an answer at step t of row b sees."""
        node, j, t = self.graph.node, self._steps(x), self.graph.node("Unsqueeze", t, _integers(1))
        if direction == "forward":
            return node("Less", j, t)
        within = node("Less", j, node("Unsqueeze", node("Gather", self._long_lengths(), b), _integers(1)))
        return node("And", node("Less", t, j), within) if direction == "reverse" else within

    def _softmax(self, scores, seen):
        """Over the steps that are seen; 0 where there are none."""
        node = self.graph.node
        return node("Where", seen, node("Softmax", node("Where", seen, scores, NEVER), axis=1), 0)

    def _alive(self, x):
        """(T, B, 1) bool: the steps that are within their row's length."""
        node = self.graph.node
        t, lengths = node("Reshape", self._steps(x), _integers(-1, 1, 1)), node("Unsqueeze", self._long_lengths(), _integers(1))
        return node("Less", t, lengths)

    def _zeros(self, x, units):
        """(B, units)"""
        return self.graph.node("Expand", 0, self.graph.node("Concat", self._size(x, 1), _integers(units), axis=0))

    def _steps(self, x):
        """0 to T - 1."""
        return self.graph.node("Range", np.int64(0), self.graph.node("Squeeze", self._size(x, 0)), np.int64(1))

    def _size(self, x, axis):
        return self.graph.node("Shape", x, start=axis, end=axis + 1)

    def _lengths(self):
        return self.input("lengths", np.int32, ["B"])

    def _long_lengths(self):
        return self.graph.node("Cast", self._lengths(), to=TensorProto.INT64)

    def _places(self):
        return self.input("places", np.int64, ["P"])


def _integers(*values):
    return np.array(values, np.int64)


def _of(weights, direction):
    """{kind: array} of one direction."""
    return {name.partition("/")[2]: array for name, array in weights.items() if name.startswith(f"{direction}/")}


def _without_blocks(layer, weights):
    """The layer and its weights {name: array} without memory cell blocks: each cell gets a copy of the gates that it shares."""
    if layer.block == 1:
        return layer, weights
    number = parameters.spread(layer.cell, layer.inputs, layer.units, layer.block)
    parts = []
    for direction in DIRECTIONS[layer.direction]:
        shared = np.concatenate([array.ravel() for array in _of(weights, direction).values()])
        parts.append(np.where(number < 0, 0, shared[number]))
    parts += [array.ravel() for array in _of(weights, "merge").values()]
    alone = RNN(layer.cell.name, layer.inputs, layer.units, layer.direction, layer.merge, layer.dtype.name)
    return alone, alone.view(np.concatenate(parts).astype(layer.dtype))
