"""kernels.onnx: files that are refused."""

import os
import warnings

import numpy as np
import pytest
from cases import same_bits

import kernels

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'longlag[onnx]'")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'longlag[onnx]'")

from onnx import external_data_helper, helper, numpy_helper  # noqa: E402
from onnx_models import B, H, I, operator  # noqa: E402

from kernels.onnx import load, save  # noqa: E402


def tampered(model, change):
    change(model)
    return model


def set_tensor(name, **changes):
    """A change of a model: of the array of a stored tensor, or of its fields."""
    def change(model):
        (tensor,) = (tensor for tensor in model.graph.initializer if tensor.name == name)
        for key, value in changes.items():
            if key == "array":
                tensor.CopyFrom(numpy_helper.from_array(value(numpy_helper.to_array(tensor).copy()), name))
            else:
                getattr(tensor, key)[:] = value
    return change


def with_nan(array):
    array[..., 1] = np.nan
    return array


REFUSED = [
    (operator(clip=3.0), "clip: expected no such attribute.*got 3.0"),
    (operator(activation_alpha=[0.5]), "activation_alpha: expected no such attribute"),
    (operator(activations=["Sigmoid", "Tanh", "Relu"]), "activations: expected Sigmoid, Tanh, Tanh, got Sigmoid, Tanh, Relu"),
    (operator("RNN", activations=["Affine"]), "activations: expected Tanh or Relu, got Affine"),
    (operator("GRU", activations=["HardSigmoid", "Tanh"]), "activations: expected Sigmoid, Tanh, got HardSigmoid, Tanh"),
    (operator(direction="sideways"), "direction: expected one of forward, reverse, bidirectional, got 'sideways'"),
    (operator(direction=1), "expected a node LSTM of the standard"),
    (operator(activations=3.0), "expected a node LSTM of the standard"),
    (tampered(operator(), lambda model: model.graph.node[0].input.extend(["x"] * 9)), "expected a node LSTM of the standard"),
    (tampered(operator(), lambda model: setattr(model.graph.initializer[0], "data_type", 99)), "W: expected a whole tensor"),
    (tampered(operator(), lambda model: setattr(model.graph.initializer[0], "data_type", onnx.TensorProto.STRING)), "W: "),
    (tampered(operator(), lambda model: model.graph.node.append(model.graph.node[0])), "expected one recurrent node of that name"),
    (operator(hidden_size=H + 1), rf"hidden_size: expected {H}, the size of R, got {H + 1}"),
    (operator(given={"W": None}, inputs=["W"]), "W: expected a tensor that is stored in the model, got 'W', which is not"),
    (tampered(operator(), lambda model: model.graph.initializer.pop(1)), "R: expected a tensor that is stored in the model"),
    (operator(given={"W": np.zeros((1, 4 * H + 1, I))}), rf"W: expected shape \(1, {4 * H}, I\), got \(1, {4 * H + 1}, {I}\)"),
    (operator(given={"R": np.zeros((1, 4 * H, H + 1))}), rf"R: expected shape \(1, {4 * H + 4}, {H + 1}\), got"),
    (operator(given={"R": np.zeros((4 * H, H))}), r"R: expected shape \(1, G H, H\)"),
    (operator(given={"B": np.zeros((1, 4 * H))}), rf"B: expected shape \(1, {8 * H}\), got \(1, {4 * H}\)"),
    (operator(given={"P": np.zeros((1, 4 * H))}), rf"P: expected shape \(1, {3 * H}\)"),
    (operator(direction="bidirectional", given={"W": np.zeros((1, 4 * H, I))}), rf"W: expected shape \(2, {4 * H}, I\)"),
    (operator(given={"W": np.zeros((1, 4 * H, 0))}), r"W: expected shape"),
    (operator(given={"W": np.zeros((1, 4 * H, I), np.float16)}), "W: expected an array of float32, got one of float16"),
    (operator(given={"R": np.zeros((1, 4 * H, H), np.int64)}), "R: expected an array of float32 or float64, got one of int64"),
    (operator(given={"initial_h": np.ones((1, B, H))}), "initial_h: expected zeros"),
    (operator(given={"initial_c": np.full((1, B, H), np.nan)}), "initial_c: expected zeros"),
    (tampered(operator(), set_tensor("W", array=with_nan)), "W: expected finite numbers, got NaN or infinity"),
    (tampered(operator(), set_tensor("B", array=lambda array: array + np.inf)), "B: expected finite numbers"),
    (tampered(operator(), set_tensor("W", dims=[1, 4 * H, 10**9])), "W: .*"),
    (tampered(operator(), set_tensor("R", dims=[1, -1, 2**40])), "R: .*"),
]  # fmt: skip


@pytest.mark.parametrize("model, says", REFUSED, ids=[says[:40] for _, says in REFUSED])
def test_what_a_layer_cannot_be_is_refused_by_name(model, says, tmp_path):
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ValueError, match=f"^{tmp_path}/model.onnx: node: {says}") as error:
        load(tmp_path / "model.onnx")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content, says", [
    (None, "expected a file with an ONNX model, got none"),
    (b"", "expected an ONNX model"), (b"no model at all", "expected an ONNX model"),
    (operator().SerializeToString()[:-60], "expected an ONNX model, got a damaged or another file"),
    (helper.make_model(helper.make_graph([], "empty", [], [])).SerializeToString(), "expected an ONNX model, got a file without no"),
    (helper.make_model(helper.make_graph([helper.make_node("Tanh", ["x"], ["y"])], "other", [], [])).SerializeToString(),
     "expected one recurrent layer .*, got none"),
])  # fmt: skip
def test_what_is_no_model_with_a_layer_is_refused(content, says, tmp_path):
    if content is not None:
        (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(ValueError, match=f"model.onnx: {says}"):
        load(tmp_path / "model.onnx")
    for other in (tmp_path, os.devnull):
        with pytest.raises(ValueError, match="expected a file with an ONNX model, got none"):
            load(other)


@pytest.mark.parametrize("location, offset, length, says", [
    ("../R.bin", None, None, "R: .*outside"), ("{}/R.bin", None, None, "R: .*absolute path"),
    ("link.bin", None, None, "R: .*symbolic link"),
    ("none.bin", None, None, "R: .*not regular file"), ("folder", None, None, "R: .*not regular file"),
    ("in.bin", 10**12, None, "R: .*exceeds file size"), ("in.bin", 0, 10**12, "R: .*exceeds available data"),
    ("in.bin", 4, None, "R: "),
])  # fmt: skip
def test_data_outside_of_the_file(location, offset, length, says, tmp_path):
    """Data beside the model are read; what lies elsewhere or does not fit is refused."""
    model, folder = operator(), tmp_path / "model"
    (tensor,) = (tensor for tensor in model.graph.initializer if tensor.name == "R")
    (folder / "folder").mkdir(parents=True)
    for file in (tmp_path / "R.bin", folder / "in.bin"):
        file.write_bytes(tensor.raw_data)
    (folder / "link.bin").symlink_to(tmp_path / "R.bin")
    onnx.save(model, folder / "whole.onnx")
    _, expected = load(folder / "whole.onnx")
    for place, name in ((("in.bin",), "good.onnx"), ((location.format(tmp_path), offset, length), "bad.onnx")):
        external_data_helper.set_external_data(tensor, *place)
        data = tensor.raw_data
        tensor.ClearField("raw_data")
        (folder / name).write_bytes(model.SerializeToString())
        tensor.raw_data = data
    assert same_bits(load(folder / "good.onnx")[1], expected)
    with pytest.raises(ValueError, match=f"bad.onnx: node: {says}"):
        load(folder / "bad.onnx")


def test_a_scan_of_others_is_refused(tmp_path):
    layer = kernels.RNN("janet", I, H)
    save(layer, layer.init(), tmp_path / "layer.onnx")
    good = onnx.load(tmp_path / "layer.onnx")
    (at,) = (k for k, node in enumerate(good.graph.node) if node.op_type == "Scan")
    changes = {
        "another operator": lambda node: setattr(node.attribute[0].g.node[3], "op_type", "Tanh"),
        "another direction": lambda node: node.attribute[3].ints.__setitem__(0, 1),
        "another name": lambda node: setattr(node, "name", "recurrent/sideways"),
    }
    assert [attribute.name for attribute in good.graph.node[at].attribute][::3] == ["body", "scan_output_directions"]
    for change in changes.values():
        model = onnx.ModelProto.FromString(good.SerializeToString())
        change(model.graph.node[at])
        onnx.save(model, tmp_path / "other.onnx")
        with pytest.raises(ValueError, match="other.onnx: recurrent: expected Scans as `save` writes them, got others"):
            load(tmp_path / "other.onnx")


def test_weights_that_cannot_be_saved(tmp_path):
    layer = kernels.RNN("lstm", I, H)
    theta, file = layer.init(), tmp_path / "layer.onnx"
    with pytest.raises(ValueError, match=r"theta: expected shape"):
        save(layer, theta[1:], file)
    with pytest.raises(TypeError, match="theta: expected an array of float32"):
        save(layer, theta.astype(float), file)
    theta[3] = np.nan
    with pytest.raises(ValueError, match="theta: expected finite numbers"):
        save(layer, theta, file)
    wide = kernels.RNN("lstm", 2**14, 2**14)
    with pytest.raises(ValueError, match=r"theta: expected at most 2,146,435,072 bytes.*got 8,590"):
        save(wide, np.zeros(wide.size, np.float32), file)
    assert not file.exists()


def test_a_damaged_file_is_refused_or_read(tmp_path):
    """Whatever byte is another one, load gives a layer or one message."""
    layer = kernels.RNN("coupled", I, H, "both", "learned")
    save(layer, layer.init(), tmp_path / "layer.onnx")
    data, refused = (tmp_path / "layer.onnx").read_bytes(), 0
    for at in range(0, len(data), 11):
        (tmp_path / "layer.onnx").write_bytes(data[:at] + bytes([data[at] ^ (1 + at % 255)]) + data[at + 1 :])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                load(tmp_path / "layer.onnx")
        except ValueError as error:
            refused += 1
            assert str(error).startswith(f"{tmp_path}/layer.onnx: ")
    assert refused > 20
