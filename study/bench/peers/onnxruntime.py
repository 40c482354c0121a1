"""onnxruntime: its LSTM, GRU and RNN, forward passes in float32 only."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from kernels.onnx.operators import OPERATORS, encode
from study.bench.peers import repeated

TITLE = "onnxruntime"
IR, OPSET = 8, 14


def can(case):
    return case.cell in OPERATORS and case.dtype == "float32"


def forward(case, given):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = case.threads, 1
    session = onnxruntime.InferenceSession(_model(case, given["weights"]), options, providers=["CPUExecutionProvider"])

    def step():
        return session.run(["y"], {"x": given["x"]})[0]

    return repeated(step), lambda: {"y": step()[:, 0]}


def _model(case, weights):
    """The bytes of a model of one operator, x (T, B, I) to y (T, 1, B, H)."""
    operator, tensors = OPERATORS[case.cell], encode(case.cell, weights)
    names = ["x", "W", "R", "B", *(["", "", "", "P"] if "P" in tensors else [])]
    node = helper.make_node(operator.name, names, ["y"], hidden_size=case.H, activations=operator.activations, **operator.switches)
    ports = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [case.T, case.B, case.I]),
             helper.make_tensor_value_info("y", TensorProto.FLOAT, [case.T, 1, case.B, case.H])]
    stored = [numpy_helper.from_array(np.ascontiguousarray(array[None], np.float32), name) for name, array in tensors.items()]
    graph = helper.make_graph([node], "layer", ports[:1], ports[1:], stored)
    return helper.make_model(graph, ir_version=IR, opset_imports=[helper.make_opsetid("", OPSET)]).SerializeToString()
