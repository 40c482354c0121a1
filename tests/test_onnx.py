"""kernels.onnx: every cell in onnxruntime, round trips, and models of other makers."""

import warnings

import numpy as np
import pytest
from cases import ARMS, CELLS, case, fitting, real, same_bits

import kernels

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'longlag[onnx]'")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'longlag[onnx]'")

from onnx import numpy_helper  # noqa: E402
from onnx.backend.test.case import node as official  # noqa: E402
from onnx.backend.test.case.node import gru, lstm, rnn  # noqa: E402, F401
from onnx.reference import ReferenceEvaluator  # noqa: E402
from onnx_models import B, H, I, T, operator, session  # noqa: E402

from kernels.onnx import load, save  # noqa: E402
from kernels.onnx.model import Model  # noqa: E402
from kernels.onnx.operators import OPERATORS  # noqa: E402
from kernels.training import LOSSES  # noqa: E402

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
BLOCKED = [cell for cell in CELLS if kernels.CELLS[cell].gates]


def run(model, **inputs):
    """{name: array} of all outputs of a file or of its bytes."""
    runtime = session(model)
    return dict(zip([port.name for port in runtime.get_outputs()], runtime.run(None, inputs)))


def feed(given):
    """The inputs of a model with states, of a case."""
    return {"x": given.x, "lengths": given.lengths.astype(np.int32)} | {f"initial_{s}": a for s, a in given.state.items()}


def assert_gives(got, layer, given, tolerance):
    """What a model with states gave is what the layer gives."""
    out = layer.forward(given.theta, given.x, given.lengths, given.state)
    expected = {"y": out.y} | {f"final_{s}": a for s, a in out.state.items()}
    assert got.keys() == expected.keys()
    for name, array in expected.items():
        assert got[name].shape == array.shape and got[name].dtype == array.dtype
        assert np.abs(got[name] - array).max() <= tolerance * max(1, np.abs(array).max()), name


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("cell", CELLS)
def test_a_model_computes_what_the_layer_computes(cell, dtype, tmp_path):
    """Ragged rows, whose x is NaN where they have ended, from states that are not 0; what is read back has the same bits."""
    for direction, merge in ARMS if dtype == "float32" else ARMS[-1:]:
        layer = kernels.RNN(cell, fitting(cell, I, H), H, direction, merge, dtype)
        given = case(cell, (T, B, I, H), direction, merge, dtype=dtype)
        given.x[~real(T, given.lengths)] = np.nan
        save(layer, given.theta, tmp_path / "layer.onnx", state=True)
        assert_gives(run(tmp_path / "layer.onnx", **feed(given)), layer, given, TOLERANCE[dtype])
        back, theta = load(tmp_path / "layer.onnx")
        assert same_bits(theta, given.theta) and back.cell == layer.cell and back.shapes == layer.shapes
        assert (back.direction, back.merge if direction == "both" else merge) == (direction, merge)


@pytest.mark.parametrize("cell", CELLS)
def test_without_states_a_model_starts_from_0(cell, tmp_path):
    layer, given = kernels.RNN(cell, fitting(cell, I, H), H, "both"), case(cell, (T, B, I, H), "both", dtype="float32")
    save(layer, given.theta, tmp_path / "layer.onnx")
    got = run(tmp_path / "layer.onnx", x=given.x, lengths=given.lengths.astype(np.int32))
    assert list(got) == ["y"] and np.abs(got["y"] - layer.forward(given.theta, given.x, given.lengths).y).max() <= 1e-5


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell != "rnn_relu"])
def test_another_runtime_agrees(cell, tmp_path):
    """onnx's own, in NumPy: it has no RNN with ReLU, no reverse Scan and no lengths, and couples no gates."""
    direction = "both" if cell in OPERATORS else "forward"
    layer, given = kernels.RNN(cell, fitting(cell, I, H), H, direction), case(cell, (T, B, I, H), direction, dtype="float32")
    given.lengths[:] = T
    save(layer, given.theta, tmp_path / "layer.onnx", state=True)
    runtime = ReferenceEvaluator(str(tmp_path / "layer.onnx"))
    assert_gives(dict(zip(runtime.output_names, runtime.run(None, feed(given)))), layer, given, 1e-5)


def test_operators_and_scans(tmp_path):
    """A layer is an operator of ONNX where there is one; all else is a Scan for each direction."""
    for cell in CELLS:
        for dtype in TOLERANCE:
            layer = kernels.RNN(cell, H, H, "both", dtype=dtype)
            save(layer, layer.init(), tmp_path / "layer.onnx")
            every = [node.op_type for node in onnx.load(tmp_path / "layer.onnx").graph.node]
            used = [name for name in every if name in ("RNN", "LSTM", "GRU", "Scan")]
            assert used == ([OPERATORS[cell].name] if cell in OPERATORS and dtype == "float32" else ["Scan", "Scan"])


@pytest.mark.parametrize("merge", ["concat", "learned"])
@pytest.mark.parametrize("cell", BLOCKED)
def test_memory_cell_blocks_are_written_out(cell, merge, tmp_path):
    layer, given = kernels.RNN(cell, I, H, "both", merge, block=3), case(cell, (T, B, I, H), "both", dtype="float32")
    given.theta = layer.init(1)
    save(layer, given.theta, tmp_path / "layer.onnx", state=True)
    assert_gives(run(tmp_path / "layer.onnx", **feed(given)), layer, given, 1e-5)
    back, theta = load(tmp_path / "layer.onnx")
    assert back.block == 1 and back.size > layer.size
    assert np.abs(back.forward(theta, given.x).y - layer.forward(given.theta, given.x).y).max() <= 1e-6


@pytest.mark.parametrize("direction", ["forward", "reverse", "both"])
@pytest.mark.parametrize("score", ["additive", "general", "dot"])
def test_attention(score, direction):
    """Also at the ends of rows, where an answer of one direction sees no step."""
    attention, given = kernels.Attention(I, score, direction), case("rnn", (T, B, I, H), dtype="float32")
    theta = attention.init(0) * 3 if attention.size else np.zeros(0, np.float32)
    places = np.flatnonzero(real(T, given.lengths))
    model = Model(I, theta)
    data = model.data({"out": (model.attention(model.x, attention, 0), ["P", 2 * I])})
    inputs = {"x": given.x, "places": places} | ({} if direction == "forward" else {"lengths": given.lengths.astype(np.int32)})
    expected, *_ = attention.forward(theta, given.x, given.lengths, places)
    assert np.abs(run(data, **inputs)["out"] - expected).max() <= 1e-5
    nothing = np.abs(expected[:, :I]).max(axis=1) == 0
    assert nothing.sum() == (0 if direction == "both" else B)


ANSWERS = {
    "cross_entropy": lambda o: kernels.cross_entropy(o, np.zeros(B, int))[1],
    "sigmoid_error": lambda o: kernels.sigmoid_error(o, o)[1],
    "binary_cross_entropy": lambda o: kernels.binary_cross_entropy(o, np.zeros_like(o))[1],
    "squared_error": lambda o: o,
}  # fmt: skip


@pytest.mark.parametrize("loss", LOSSES)
def test_answers_of_each_loss(loss):
    o = case("rnn", (1, B, I, H), dtype="float32").x * 5
    model = Model(I, np.zeros(0, np.float32))
    got = run(model.data({"p": (model.squashed(model.x, loss), ["T", "B", I])}), x=o)["p"][0]
    assert np.abs(got - ANSWERS[loss](o[0])).max() <= 1e-6


# Models of other makers


@pytest.mark.parametrize("kind, attributes, P, cell", [
    ("RNN", {}, False, "rnn"), ("RNN", {"activations": ["Relu"]}, False, "rnn_relu"),
    ("LSTM", {}, False, "lstm"), ("LSTM", {"activations": ["Sigmoid", "Tanh", "Tanh"]}, False, "lstm"), ("LSTM", {}, True, "peephole"),
    ("LSTM", {"input_forget": 1}, False, "coupled"), ("LSTM", {"input_forget": 1}, True, "coupled_peephole"),
    ("GRU", {}, False, "gru"), ("GRU", {"linear_before_reset": 1}, False, "gru_after"),
], ids=str)  # fmt: skip
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
def test_operators_of_others_are_read(kind, attributes, P, cell, direction, tmp_path):
    """Random weights, two biases; where gates are coupled, those of f are not minus those of i."""
    D, draw = 2 if direction == "bidirectional" else 1, np.random.default_rng(1).uniform
    more = {"direction": direction} | attributes
    if "activations" in attributes:
        more["activations"] = attributes["activations"] * D
    model = operator(kind, {"P": draw(-1, 1, (D, 3 * H))} if P else {}, **more)
    onnx.save(model, tmp_path / "model.onnx")
    layer, theta = load(tmp_path / "model.onnx")
    assert layer.cell.name == cell and layer.direction == ("both" if D == 2 else direction)
    x = draw(-1, 1, (T, B, I)).astype(np.float32)
    expected = run(model.SerializeToString(), x=x)["y"].transpose(0, 2, 1, 3).reshape(T, B, -1)
    assert np.abs(layer.forward(theta, x).y - expected).max() <= 1e-5


VECTORS = {test.name: test for test in official._NodeTestCases if test.model.graph.node[0].op_type in ("RNN", "LSTM", "GRU")}


def test_there_are_official_vectors():
    assert len(VECTORS) >= 12


@pytest.mark.parametrize("name", VECTORS)
def test_official_vectors(name, tmp_path):
    """onnx's test of the operator, with its weights stored: load, then the kernels."""
    test = VECTORS[name]
    (node,), ((values, expected),) = test.model.graph.node, test.data_sets
    given = {port.name: np.asarray(value) for port, value in zip(test.model.graph.input, values)}
    test.model.graph.initializer.extend(numpy_helper.from_array(given[key], key) for key in ("W", "R", "B", "P") if key in given)
    onnx.save(test.model, tmp_path / "model.onnx")
    layer, theta = load(tmp_path / "model.onnx")
    batch_first = any(attribute.name == "layout" and attribute.i for attribute in node.attribute)
    x = given["X"].transpose(1, 0, 2) if batch_first else given["X"]
    states = {state: given[key] for state in layer.cell.states if (key := f"initial_{state}") in given}
    out = layer.forward(theta, np.ascontiguousarray(x), given.get("sequence_lens"), states)
    y = out.y.reshape(*x.shape[:2], -1, layer.units)    # (T, B, D, H); the operator's is (T, D, B, H), or (B, T, D, H) batch first
    got = {"Y": y.transpose((1, 0, 2, 3) if batch_first else (0, 2, 1, 3))}
    got |= {f"Y_{state}": array.transpose(1, 0, 2) if batch_first else array for state, array in out.state.items()}
    outputs = [name for name in node.output if name]
    assert len(outputs) == len(expected) >= 1
    for name, array in zip(outputs, expected):
        np.testing.assert_allclose(got[name], array, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("cell, module", [("lstm", "LSTM"), ("gru_after", "GRU"), ("rnn", "RNN")])
@pytest.mark.parametrize("layers", [1, 2])
def test_models_that_torch_exports(cell, module, layers, tmp_path):
    torch = pytest.importorskip("torch", reason="torch is not installed", exc_type=ImportError)
    net, x = getattr(torch.nn, module)(I, H, num_layers=layers, bidirectional=True), torch.randn(T, B, I)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net.eval(), (x,), str(tmp_path / "net.onnx"), dynamo=False)
    y = x.numpy()
    names = [None] if layers == 1 else [f"/{module}", f"/{module}_1"]
    for name in names:
        layer, theta = load(tmp_path / "net.onnx", name)
        assert layer.cell.name == cell
        y = layer.forward(theta, y).y
    with torch.no_grad():
        assert np.abs(y - net(x)[0].numpy()).max() <= 1e-6
    if layers == 2:
        with pytest.raises(ValueError, match=f"expected one recurrent layer .*, got /{module}, /{module}_1"):
            load(tmp_path / "net.onnx")
        with pytest.raises(ValueError, match=f"node: expected one of .*, got '{module}_1'; did you mean '/{module}_1'"):
            load(tmp_path / "net.onnx", f"{module}_1")
