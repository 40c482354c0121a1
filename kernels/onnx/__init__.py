"""Layers as ONNX files, and back. Needs the package onnx and, to run a file, for example onnxruntime: the extra `onnx`."""

from pathlib import Path

from kernels import checks
from kernels.onnx.model import Model
from kernels.onnx.read import read


def save(layer, theta, file, state=False):
    """Write a layer with its weights as an ONNX model.

    The model takes x (T, B, I) and lengths (B,), int32, and gives y as ``layer.forward`` does. Where ONNX has the cell as an
    operator (rnn, rnn_relu, lstm, peephole, coupled, coupled_peephole, gru, gru_after) it is that. Any other cell is a Scan of its
    equations, and so is a layer in float64, which onnxruntime's operators do not compute. Memory cell blocks are written out: each
    cell has gates of its own.

    Parameters
    ----------
    layer : kernels.RNN
    theta : (size,) array
    file : path
    state : bool
        The model also takes the initial states ``initial_h``, ... (D, B, H), and gives the final ones, ``final_h``, ...

    Raises
    ------
    ValueError, TypeError
        The weights do not fit the layer, are not finite, or are more than the 2 GiB that one file can hold.
    """
    theta = checks.array("theta", theta, (layer.dtype,), (layer.size,))
    model, (D, H) = Model(layer.inputs, theta), (2 if layer.direction == "both" else 1, layer.units)
    before = {s: model.input(f"initial_{s}", layer.dtype, [D, "B", H]) for s in layer.cell.states} if state else {}
    y, after = model.layer(model.x, layer, at=0, state=before)
    outputs = {f"final_{s}": (value, [D, "B", H]) for s, value in after.items()} if state else {}
    width = 2 * H if layer.direction == "both" and layer.merge == "concat" else H
    Path(file).write_bytes(model.data({"y": (y, ["T", "B", width])} | outputs))


def load(file, node=None):
    """Read a recurrent layer from an ONNX model: a node RNN, LSTM or GRU of any maker's, or the Scans that `save` writes.

    Weights are what the model stores. The rest of the model is not read: lengths and initial states are arguments of
    ``layer.forward``, x and y have the layout (T, B, n) whatever the node's is, and both directions are merged by "concat" unless
    `save` wrote something else. Where an LSTM couples its gates by input_forget, f is 1 - i, as in onnxruntime.

    Parameters
    ----------
    file : path
    node : str, optional
        The name of the layer; needed where the model has several.

    Returns
    -------
    layer : kernels.RNN
    theta : (size,) array

    Raises
    ------
    ValueError
        The file is no whole ONNX model, or has external data outside of its folder; the model has no such layer; the node has an
        attribute, an activation or stored initial states that a layer here cannot have; a tensor is missing, does not fit, or
        holds NaN.
    """
    return read(file, node)
