"""onnxruntime: its LSTM, GRU and RNN, forward passes in float32 only. Its second bias is 0, except in gru_after's block u."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from study.bench.peers import repeated

TITLE = "onnxruntime"

# operator, our blocks in its order (-: negated, because its gate is one minus ours; .: unused), attributes
CELLS = {
    "rnn": ("RNN", "a", {}),
    "lstm": ("LSTM", "i o f g", {}),
    "peephole": ("LSTM", "i o f g", {}),
    "coupled": ("LSTM", "-f o . g", {"input_forget": 1}),
    "gru": ("GRU", "-z r n", {"linear_before_reset": 0}),
    "gru_after": ("GRU", "z r n", {"linear_before_reset": 1}),
}
BLOCKS = {"rnn": ("a", "a"), "lstm": ("ifgo", "ifgo"), "peephole": ("ifgo", "ifgo"), "coupled": ("fgo", "fgo"),
          "gru": ("zrn", "zrn"), "gru_after": ("nzr", "zru")}  # the blocks that W feeds and that U feeds, in our order
IR, OPSET = 8, 14


def can(case):
    return case.cell in CELLS and case.dtype == "float32"


def forward(case, given):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = case.threads, 1
    session = onnxruntime.InferenceSession(_model(case, given["weights"]), options, providers=["CPUExecutionProvider"])

    def step():
        return session.run(["y"], {"x": given["x"]})[0]

    return repeated(step), lambda: {"y": step()[:, 0]}


def _model(case, weights):
    """The bytes of a model of one operator: W (1, G H, I), R (1, G H, H), B (1, 2 G H)[, P (1, 3 H)], x to y (T, 1, B, H)."""
    operator, order, attributes = CELLS[case.cell]
    W, U = (dict(zip(blocks, weights[name])) for name, blocks in zip("WU", BLOCKS[case.cell]))
    b = dict(zip(dict.fromkeys("".join(BLOCKS[case.cell])), weights["b"]))
    second = {"n": b["u"]} if case.cell == "gru_after" else {}
    U |= {"n": U["u"]} if case.cell == "gru_after" else {}
    bias = np.concatenate([_stack(b, order), _stack(second, order, case.H)])
    tensors = {"W": _stack(W, order), "R": _stack(U, order), "B": bias}
    names = ["x", "W", "R", "B"]
    if case.cell == "peephole":
        i, f, o = weights["p"]
        tensors["P"] = np.concatenate([i, o, f])
        names += ["", "", "", "P"]
    node = helper.make_node(operator, names, ["y"], hidden_size=case.H, **attributes)
    ports = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [case.T, case.B, case.I]),
             helper.make_tensor_value_info("y", TensorProto.FLOAT, [case.T, 1, case.B, case.H])]
    stored = [numpy_helper.from_array(np.ascontiguousarray(array[None], np.float32), name) for name, array in tensors.items()]
    graph = helper.make_graph([node], "layer", ports[:1], ports[1:], stored)
    return helper.make_model(graph, ir_version=IR, opset_imports=[helper.make_opsetid("", OPSET)]).SerializeToString()


def _stack(blocks, order, length=None):
    """Blocks (..., H) in the given order, transposed and stacked; zeros for missing blocks."""
    zero = np.zeros_like(next(iter(blocks.values()))) if blocks else np.zeros(length, np.float32)
    signed = [(-1 if name[0] == "-" else 1, blocks.get(name[-1], zero)) for name in order.split()]
    return np.concatenate([sign * block.T for sign, block in signed])
