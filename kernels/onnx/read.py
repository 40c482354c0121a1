"""Reads recurrent layers from ONNX files, which may be damaged, hostile, or of other makers."""

from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import checker, external_data_helper, helper, numpy_helper

from kernels import CELLS, RNN, checks, parameters
from kernels.layer import DIRECTIONS
from kernels.onnx import scan
from kernels.onnx.operators import OPERATORS, PEEPHOLES, decode

INPUTS = ("x", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
ATTRIBUTES = {"hidden_size", "direction", "layout", "activations", "input_forget", "linear_before_reset"}  # that are understood
OURS = {"forward": "forward", "reverse": "reverse", "bidirectional": "both"}    # directions
MERGES = {"ReduceSum": "sum", "ReduceMean": "mean", "Where": "learned"}     # by the operator of the node that `save` calls "merge"


def read(file, name):
    """(layer, theta) of the recurrent layer with a name; None: of the only one."""
    source = Source(file)
    layers = source.layers()
    known = ", ".join(layers) or "none"
    if name is None and len(layers) != 1:
        raise ValueError(f"{file}: expected one recurrent layer (RNN, LSTM, GRU), or the argument node, got {known}")
    if name is not None and name not in layers:
        raise ValueError(f"{file}: node: expected one of {known}, got {name!r}{checks.nearest(name, layers)}")
    name = next(iter(layers)) if name is None else name
    of_nodes = _of_scans if layers[name][0].op_type == "Scan" else _of_operator
    try:
        return of_nodes(source, name, layers[name])
    except (ValueError, TypeError) as error:
        raise ValueError(f"{file}: {name}: {' '.join(str(error).split())}") from None


class Source:
    """The nodes and stored tensors of a file. Raises ValueError if it holds no ONNX model."""

    def __init__(self, file):
        self.folder = str(Path(file).parent)
        if not Path(file).is_file():
            raise ValueError(f"{file}: expected a file with an ONNX model, got none")
        try:
            model = onnx.load_model(file, "protobuf", load_external_data=False)
        except DecodeError as error:
            raise ValueError(f"{file}: expected an ONNX model, got a damaged or another file ({error})") from None
        if not model.graph.node:
            raise ValueError(f"{file}: expected an ONNX model, got a file without nodes")
        self.nodes = model.graph.node
        self.tensors = {tensor.name: tensor for tensor in model.graph.initializer}
        constants = (pair for node in self.nodes if node.op_type == "Constant" for pair in zip(node.output, node.attribute))
        self.tensors |= {name: attribute.t for name, attribute in constants if attribute.name == "value"}

    def layers(self):
        """{name: its nodes} of recurrent layers: one RNN, LSTM or GRU, or Scans, whose names end in "/forward" or "/reverse"."""
        found = {}
        for node in self.nodes:
            if node.domain in ("", "ai.onnx") and node.op_type in ("RNN", "LSTM", "GRU", "Scan"):
                name = node.name or "".join(node.output[:1])
                found.setdefault(name.rpartition("/")[0] if node.op_type == "Scan" else name, []).append(node)
        return found

    def stored(self, argument, name):
        """The stored tensor with a name. Raises ValueError, which names the argument, where there is none or it is damaged."""
        if name not in self.tensors:
            raise ValueError(f"{argument}: expected a tensor that is stored in the model, got {name!r}, which is not")
        tensor = self.tensors[name]
        try:
            if external_data_helper.uses_external_data(tensor):
                external_data_helper.load_external_data_for_tensor(tensor, self.folder)
            return numpy_helper.to_array(tensor)
        except Exception as error:      # of many kinds, by what is damaged or where the data are said to be
            raise ValueError(f"{argument}: expected a whole tensor, got one that cannot be read: {error}") from None

    def weights(self, argument, name, shape, dtypes=checks.FLOATS):
        """The same, if it has finite numbers and that shape, in which a letter stands for any size."""
        array = checks.fits(argument, self.stored(argument, name), dtypes, shape)
        if not np.isfinite(array).all():
            raise ValueError(f"{argument}: expected finite numbers, got NaN or infinity")
        return array

    def merge(self, name):
        """How a layer merges its directions."""
        found = [MERGES[node.op_type] for node in self.nodes if node.name == f"{name}/merge" and node.op_type in MERGES]
        return found[0] if found else "concat"

    def filled(self, name, layer, arrays):
        """(layer, theta) from the arrays {name: array} of its directions, and for a learned merge from those that are stored."""
        theta = np.empty(layer.size, layer.dtype)
        for key, view in layer.view(theta).items():
            view[...] = arrays[key] if key in arrays else self.weights(key, f"{name}/{key}", view.shape, (layer.dtype,))
        return layer, theta


def _of_operator(source, name, nodes):
    """(layer, theta) of a node RNN, LSTM or GRU."""
    node, attributes = nodes[0], _attributes(nodes[0])
    if len(nodes) > 1:
        raise ValueError(f"expected one recurrent node of that name, got {len(nodes)}")
    for key in attributes.keys() - ATTRIBUTES:
        raise ValueError(f"{key}: expected no such attribute, which the kernels do not know, got {attributes[key]!r:.80}")
    try:
        checker.check_node(node)
    except checker.ValidationError as error:
        raise ValueError(f"expected a node {node.op_type} of the standard, got another one: {error}") from None
    direction = OURS[checks.choice("direction", attributes.get("direction", b"forward").decode(), OURS)]
    inputs, ways = {key: value for key, value in zip(INPUTS, node.input) if value}, DIRECTIONS[direction]
    cell = _cell(node.op_type, attributes, len(ways), "P" in inputs)
    tensors = _tensors(source, inputs, cell, len(ways))
    H = tensors["R"].shape[2]
    if attributes.get("hidden_size", H) != H:
        raise ValueError(f"hidden_size: expected {H}, the size of R, got {attributes['hidden_size']}")
    for key in ("initial_h", "initial_c"):
        if inputs.get(key) in source.tensors and source.stored(key, inputs[key]).any():
            raise ValueError(f"{key}: expected zeros, or no tensor that is stored: states are no weights of a layer")
    layer = RNN(cell, tensors["W"].shape[2], H, direction, source.merge(name), tensors["R"].dtype.name)
    of_each = [decode(cell, {key: tensor[d] for key, tensor in tensors.items()}) for d in range(len(ways))]
    return source.filled(name, layer, {f"{way}/{kind}": array for way, one in zip(ways, of_each) for kind, array in one.items()})


def _cell(operator, attributes, directions, peepholes):
    """The cell of an operator with these attributes."""
    rows = {cell: row for cell, row in OPERATORS.items()
            if row.name == operator and bool(CELLS[cell].peepholes) == peepholes
            and all(bool(attributes.get(key)) == bool(value) for key, value in row.switches.items())}
    expected = {cell: row.activations * directions for cell, row in rows.items()}
    given = [name.decode() for name in attributes.get("activations", ())] or next(iter(expected.values()))
    for cell, names in expected.items():
        if given == names:
            return cell
    raise ValueError(f"activations: expected {' or '.join(map(', '.join, expected.values()))}, got {', '.join(given)}")


def _tensors(source, inputs, cell, D):
    """{"W": (D, G H, I), "R": (D, G H, H)[, "B": (D, 2 G H)][, "P": (D, 3 H)]} of an operator, all of one dtype."""
    G, R = len(OPERATORS[cell].gates), source.weights("R", inputs.get("R"), (D, "G H", "H"))
    H, tensors = R.shape[2], {"R": source.weights("R", inputs["R"], (D, G * R.shape[2], R.shape[2]))}
    for key, shape in (("W", (D, G * H, "I")), ("B", (D, 2 * G * H)), ("P", (D, PEEPHOLES * H))):
        if key == "W" or key in inputs:
            tensors[key] = source.weights(key, inputs.get(key), shape, (R.dtype,))
    return tensors


def _of_scans(source, name, nodes):
    """(layer, theta) of the Scans of its directions."""
    ways = tuple(node.name.rpartition("/")[2] for node in nodes)
    (direction,) = [key for key, names in DIRECTIONS.items() if names == ways] or [None]
    found = [_scanned(node) for node in nodes]
    if direction is None or len(set(found)) > 1 or None in found:
        raise ValueError("expected Scans as `save` writes them, got others")
    cell, dtype = found[0]
    first = f"{ways[0]}/W/{CELLS[cell].inputs[0]}"
    I, H = source.weights(first, f"{name}/{first}", ("I", "H")).shape
    layer = RNN(cell, I, H, direction, source.merge(name), dtype)
    arrays = {}
    for way in ways:
        for kind, rows in parameters.kinds(CELLS[cell]).items():
            shape = layer.shapes[f"{way}/{kind}"][1:]
            keys = [f"{way}/{kind}/{scan.label(row)}" for row in rows]
            arrays[f"{way}/{kind}"] = [source.weights(key, f"{name}/{key}", shape, (layer.dtype,)) for key in keys]
    return source.filled(name, layer, arrays)


def _scanned(node):
    """(cell, dtype) of a Scan that `save` wrote; None for any other."""
    attributes, direction = _attributes(node), node.name.rpartition("/")[2]
    for dtype in map(str, checks.FLOATS):
        for cell in CELLS:
            if scan.attributes(cell, direction, f"{node.name}/", dtype) == attributes:
                return cell, dtype
    return None


def _attributes(node):
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
