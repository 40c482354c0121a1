"""Models of one recurrent operator, for the tests of kernels.onnx."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

T, B, I, H = 7, 5, 3, 6
INPUTS = ("W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")


def operator(kind="LSTM", given=None, inputs=None, **attributes):
    """A model of one node named "node": input x, and tensors {name: array} or names of inputs in place of those that are missing."""
    G, D = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind], 2 if attributes.get("direction") == "bidirectional" else 1
    draw = np.random.default_rng(0).uniform
    tensors = {"W": draw(-1, 1, (D, G * H, I)), "R": draw(-1, 1, (D, G * H, H)), "B": draw(-1, 1, (D, 2 * G * H))} | (given or {})
    tensors = {name: array.astype(np.float32) if array.dtype == float else array for name, array in tensors.items() if array is not None}
    names = ["x", *(name if name in tensors or name in (inputs or ()) else "" for name in
                    INPUTS[: 7 if kind == "LSTM" else 5])]
    node = helper.make_node(kind, names, ["y"], "node", **{"hidden_size": H} | attributes)
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["a", "b", "c"]) for name in ("x", *(inputs or ()))]
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["T", D, "B", H])
    stored = [numpy_helper.from_array(array, name) for name, array in tensors.items()]
    return helper.make_model(helper.make_graph([node], "graph", ports, [out], stored), ir_version=8, opset_imports=[helper.make_opsetid("", 14)])
