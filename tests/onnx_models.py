"""Models of one recurrent operator, for the tests of kernels.onnx."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

T, B, I, H = 7, 5, 3, 6
INPUTS = ("W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")


def session(model):
    """onnxruntime's session of a file, or of the bytes of one, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    file = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def operator(kind="LSTM", given=None, inputs=None, **attributes):
    """A model of one node, "node": the tensors `given` {name: array} in place of random ones, None for none, and more `inputs`."""
    G, D = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind], 2 if attributes.get("direction") == "bidirectional" else 1
    draw = np.random.default_rng(0).uniform
    tensors = {"W": draw(-1, 1, (D, G * H, I)), "R": draw(-1, 1, (D, G * H, H)), "B": draw(-1, 1, (D, 2 * G * H))} | (given or {})
    tensors = {name: a.astype(np.float32) if a.dtype == float else a for name, a in tensors.items() if a is not None}
    known = {*tensors, *(inputs or ())}
    names = ["x", *(name if name in known else "" for name in INPUTS[: 7 if kind == "LSTM" else 5])]
    node = helper.make_node(kind, names, ["y"], "node", **{"hidden_size": H} | attributes)
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["a", "b", "c"]) for name in ("x", *(inputs or ()))]
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["T", D, "B", H])
    stored = [numpy_helper.from_array(array, name) for name, array in tensors.items()]
    graph = helper.make_graph([node], "graph", ports, [out], stored)
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 14)])
