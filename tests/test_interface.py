"""What the kernels refuse: a message that names the argument, what was expected and what came; and never a crash."""
import copy
import os
import pickle
import re
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from cases import ARMS, CELLS, assert_same, case, float32, float64, pairwise, results

import kernels

T, B, I, H = 6, 3, 2, 5
LAYER = {"cell": "lstm", "inputs": I, "units": H}
GIVEN = case("lstm", (T, B, I, H), dtype="float32")
FORWARD = {"theta": GIVEN.theta, "x": GIVEN.x, "lengths": GIVEN.lengths, "state": GIVEN.state}
ODD = np.zeros((B, T + 1), "float32")


def refuses(error, words, call, *arguments, **named):
    """The call raises the error, with each of the words in its message, and one line of it."""
    with pytest.raises(error) as caught:
        call(*arguments, **named)
    message = str(caught.value)
    missing = [word for word in words if not re.search(rf"(?<!\w){re.escape(word)}(?!\w)", message)]
    assert type(caught.value) is error and not missing and "\n" not in message, (message, missing)


@pytest.mark.parametrize("named, error, words", [
    ({"cell": "lstn"}, ValueError, ["cell", "lstn", "lstm"]),
    ({"cell": "GRU"}, ValueError, ["cell", "GRU", *CELLS]),
    ({"cell": None}, ValueError, ["cell", "None"]),
    ({"cell": ["lstm"]}, ValueError, ["cell", "lstm"]),
    ({"inputs": 0}, ValueError, ["inputs", "1", "0"]),
    ({"inputs": 2.0}, TypeError, ["inputs", "integer", "2.0"]),
    ({"inputs": True}, TypeError, ["inputs", "integer", "True"]),
    ({"units": -3}, ValueError, ["units", "1", "-3"]),
    ({"units": "5"}, TypeError, ["units", "integer", "'5'"]),
    ({"units": None}, TypeError, ["units", "integer", "None"]),
    ({"units": 10**12}, ValueError, ["units", "1000000000000"]),
    ({"direction": "backward"}, ValueError, ["direction", "forward", "reverse", "both", "backward"]),
    ({"direction": ["both"]}, ValueError, ["direction", "both"]),
    ({"direction": "both", "merge": "max"}, ValueError, ["merge", "concat", "sum", "mean", "learned", "max"]),
    ({"merge": "max"}, ValueError, ["merge", "max"]),
    ({"dtype": "float16"}, ValueError, ["dtype", "float32", "float64", "float16"]),
    ({"dtype": "floaty"}, ValueError, ["dtype", "float32", "float64", "floaty"]),
    ({"dtype": None}, ValueError, ["dtype", "float32", "float64", "None"]),
])
def test_layer(named, error, words):
    refuses(error, words, kernels.RNN, **(LAYER | named))


@pytest.mark.parametrize("cell", [cell for cell in CELLS if kernels.CELLS[cell].direct])
def test_x_itself_needs_as_many_inputs_as_units(cell):
    refuses(ValueError, ["inputs", cell, "5", "2"], kernels.RNN, cell, I, H)
    kernels.RNN(cell, H, H)


@pytest.mark.parametrize("named, error, words", [
    ({"theta": GIVEN.theta[1:]}, ValueError, ["theta", str(GIVEN.theta.shape), str(GIVEN.theta[1:].shape)]),
    ({"theta": GIVEN.theta.astype("float64")}, TypeError, ["theta", "float32", "float64"]),
    ({"theta": GIVEN.theta.tolist()}, TypeError, ["theta", "array", "list"]),
    ({"theta": None}, TypeError, ["theta", "array", "None"]),
    ({"x": GIVEN.x[0]}, ValueError, ["x", "T", "B", "2", str(GIVEN.x[0].shape)]),
    ({"x": np.zeros((T, B, I + 1), "float32")}, ValueError, ["x", "T", "B", "2", "(6, 3, 3)"]),
    ({"x": GIVEN.x[:0]}, ValueError, ["x", "(0, 3, 2)"]),
    ({"x": GIVEN.x[:, :0]}, ValueError, ["x", "(6, 0, 2)"]),
    ({"x": GIVEN.x.astype("float64")}, TypeError, ["x", "float32", "float64"]),
    ({"x": GIVEN.x.astype(">f4")}, TypeError, ["x", "float32", ">f4"]),
    ({"x": GIVEN.x.astype(complex)}, TypeError, ["x", "float32", "complex128"]),
    ({"x": GIVEN.x.astype(object)}, TypeError, ["x", "float32", "object"]),
    ({"x": "x"}, TypeError, ["x", "array", "str"]),
    ({"x": np.ma.masked_array(GIVEN.x)}, TypeError, ["x", "masked", "filled"]),
    ({"x": np.broadcast_to(np.float32(0), (2**31, B, I))}, ValueError, ["x", "T", str(2**31 - 1), str(2**31)]),
    ({"theta": np.ma.masked_array(GIVEN.theta, GIVEN.theta > 0)}, TypeError, ["theta", "masked"]),
    ({"theta": GIVEN.theta.view(np.matrix)}, ValueError, ["theta", str((1, *GIVEN.theta.shape))]),
    ({"state": {"h": np.ma.masked_array(GIVEN.state["h"])}}, TypeError, ["state['h']", "masked"]),
    ({"lengths": np.ma.masked_array([1, 2, 6], [0, 1, 0])}, TypeError, ["lengths", "masked"]),
    ({"lengths": np.array([1, 2, 6], object)}, TypeError, ["lengths", "object"]),
    ({"lengths": np.array([1, 2, 6], ">i2")}, TypeError, ["lengths", "int16", ">i2"]),
    ({"lengths": []}, TypeError, ["lengths", "float64"]),
    ({"lengths": [1, 0, 6]}, ValueError, ["lengths", "1", "6", "0"]),
    ({"lengths": [1, -2, 6]}, ValueError, ["lengths", "1", "6", "-2"]),
    ({"lengths": [1, 7, 6]}, ValueError, ["lengths", "1", "6", "7"]),
    ({"lengths": [1, 2**40, 6]}, ValueError, ["lengths", "6", str(2**40)]),
    ({"lengths": np.array([1, 2**64 - 1, 6], "uint64")}, ValueError, ["lengths", "6", str(2**64 - 1)]),
    ({"lengths": [1, 6]}, ValueError, ["lengths", "(3,)", "(2,)"]),
    ({"lengths": [[1], [6], [6]]}, ValueError, ["lengths", "(3,)", "(3, 1)"]),
    ({"lengths": [[1], [6, 6]]}, ValueError, ["lengths", "shape", "list"]),
    ({"lengths": 6}, ValueError, ["lengths", "(3,)", "()"]),
    ({"lengths": [1.0, 2.0, 6.0]}, TypeError, ["lengths", "float64"]),
    ({"lengths": [True, True, True]}, TypeError, ["lengths", "bool"]),
    ({"lengths": "all"}, TypeError, ["lengths", "<U3"]),
    ({"state": {"z": GIVEN.state["h"]}}, ValueError, ["state", "h", "c", "z"]),
    ({"state": {"h": GIVEN.state["h"][0]}}, ValueError, ["state['h']", "(1, 3, 5)", "(3, 5)"]),
    ({"state": {"c": GIVEN.state["c"][:, 1:]}}, ValueError, ["state['c']", "(1, 3, 5)", "(1, 2, 5)"]),
    ({"state": {"c": GIVEN.state["c"].astype("float64")}}, TypeError, ["state['c']", "float32", "float64"]),
    ({"state": {"c": None}}, TypeError, ["state['c']", "array", "None"]),
    ({"state": GIVEN.state["h"]}, TypeError, ["state", "dict", "ndarray"]),
    ({"threads": 0}, ValueError, ["threads", "1", "0"]),
    ({"threads": 2**40}, ValueError, ["threads", "1024", str(2**40)]),
    ({"threads": 100_000}, ValueError, ["threads", "1024", "100000"]),
    ({"threads": 1.5}, TypeError, ["threads", "integer", "1.5"]),
    ({"threads": True}, TypeError, ["threads", "integer", "True"]),
    ({"checkpoint": 0}, ValueError, ["checkpoint", "1", "0"]),
    ({"checkpoint": 2.0}, TypeError, ["checkpoint", "integer", "2.0"]),
])
def test_forward(named, error, words):
    refuses(error, words, kernels.RNN(**LAYER).forward, **(FORWARD | named))


@pytest.mark.parametrize("named, error, words", [
    ({"tape": None}, TypeError, ["tape", "NoneType"]),
    ({"tape": "tape"}, TypeError, ["tape", "str"]),
    ({"dy": GIVEN.dy[1:]}, ValueError, ["dy", "(6, 3, 5)", "(5, 3, 5)"]),
    ({"dy": ODD}, ValueError, ["dy", "(6, 3, 5)", "(3, 7)"]),
    ({"dy": GIVEN.dy.astype("float64")}, TypeError, ["dy", "float32", "float64"]),
    ({"dy": 1.0}, TypeError, ["dy", "array", "1.0"]),
    ({"dy": np.ma.masked_array(GIVEN.dy)}, TypeError, ["dy", "masked"]),
    ({"dstate": {"c": np.ma.masked_array(GIVEN.state["c"])}}, TypeError, ["dstate['c']", "masked"]),
    ({"dstate": {"n": GIVEN.state["h"]}}, ValueError, ["dstate", "h", "c", "n"]),
    ({"dstate": {"h": ODD}}, ValueError, ["dstate['h']", "(1, 3, 5)", "(3, 7)"]),
    ({"dstate": {"h": 0}}, TypeError, ["dstate['h']", "array", "0"]),
    ({"dstate": [ODD]}, TypeError, ["dstate", "dict", "list"]),
])
def test_backward(named, error, words):
    """A refused backward leaves the tape unspent."""
    layer = kernels.RNN(**LAYER)
    tape = layer.forward(**FORWARD).tape
    refuses(error, words, layer.backward, **({"tape": tape, "dy": GIVEN.dy, "dstate": GIVEN.dstate} | named))
    assert layer.backward(tape, GIVEN.dy, GIVEN.dstate).theta.any()


def test_truncated_without_a_cell_state():
    for cell in ("rnn", "gru"):
        layer = kernels.RNN(cell, I, H)
        tape = layer.forward(layer.init(), GIVEN.x).tape
        refuses(ValueError, ["truncated", cell], layer.backward, tape, GIVEN.dy, truncated=True)
        assert layer.backward(tape, GIVEN.dy).theta.any()


def test_gates_of_a_tape_with_checkpoints():
    layer, long = kernels.RNN(**LAYER), case("lstm", (70, B, I, H), dtype="float32")
    refuses(ValueError, ["tape", "checkpoint"], layer.gates, layer.forward(long.theta, long.x, checkpoint=32).tape)


def test_a_tape_of_another_layer():
    tape = kernels.RNN(**LAYER).forward(**FORWARD).tape
    for call in ("backward", "gates"):
        refuses(ValueError, ["tape"], getattr(kernels.RNN("lstm", I, H, "both"), call), tape)


@pytest.mark.parametrize("theta, error, words", [
    (GIVEN.theta[1:], ValueError, ["theta", str(GIVEN.theta.shape), str(GIVEN.theta[1:].shape)]),
    (GIVEN.theta[None], ValueError, ["theta", str(GIVEN.theta.shape), str(GIVEN.theta[None].shape)]),
    (list(GIVEN.theta), TypeError, ["theta", "array", "list"]),
])
def test_view(theta, error, words):
    refuses(error, words, kernels.RNN(**LAYER).view, theta)


def test_other_layouts_and_classes_have_the_same_results():
    """Unaligned, read-only, Fortran, reversed arrays, and subclasses."""
    layer, expected = kernels.RNN(**LAYER), kernels.RNN(**LAYER).forward(**FORWARD).y
    unaligned = np.frombuffer(b"0" + GIVEN.x.tobytes(), np.uint8)[1:].view("f4").reshape(GIVEN.x.shape)
    fixed = GIVEN.x.copy()
    fixed.flags.writeable = False
    for x in (unaligned, fixed, np.asfortranarray(GIVEN.x), GIVEN.x[::-1][::-1], GIVEN.x.view(np.recarray)):
        assert np.array_equal(layer.forward(**(FORWARD | {"x": x})).y, expected)
    for lengths in (GIVEN.lengths.astype("u1"), list(GIVEN.lengths), tuple(GIVEN.lengths.tolist())):
        assert np.array_equal(layer.forward(**(FORWARD | {"lengths": lengths})).y, expected)
    h = np.ones((3, 4), "f4")
    readout = kernels.Readout(4, 2)
    o = readout.forward(readout.init(0), h.view(np.matrix))
    assert type(o) is np.ndarray and np.array_equal(o, readout.forward(readout.init(0), h))


def test_one_row_may_have_any_stride():
    """NumPy calls an array contiguous whatever the stride of an axis of length 1, here that of the batch."""
    for cell, direction, merge in (("lstm", "forward", "concat"), ("gru", "both", "concat"), ("gru", "both", "learned")):
        layer, given = kernels.RNN(cell, 4, 6, direction, merge), case(cell, (5, 3, 4, 6), direction, merge, dtype="float32")
        x, dy = given.x[:, [0]], given.dy[:, [0]]
        assert dy.flags.c_contiguous and dy.strides[1] != dy.copy().strides[1]
        one, other = (layer.backward(layer.forward(given.theta, a).tape, b) for a, b in ((x, dy), (x.copy(), dy.copy())))
        assert np.array_equal(one.theta, other.theta) and np.array_equal(one.x, other.x)


def test_a_seed_of_more_than_64_bits():
    layer = kernels.RNN(**LAYER)
    draws = [layer.init(seed).tobytes() for seed in (0, 2**64, 2**70, np.uint64(2**64 - 1))]
    assert len(set(draws)) == 4 and draws[2] == layer.init(2**70).tobytes()


def test_a_bias_within_float64_only():
    assert kernels.RNN("lstm", I, H, dtype="float64").init(forget_bias=1e39).max() == 1e39


def test_memory_that_cannot_be_had():
    layer = kernels.RNN("lstm", 1, 2**16)
    with pytest.raises(MemoryError):
        layer.init()
    layer = kernels.RNN("lstm", 1, 1)
    x = np.broadcast_to(np.float32(0), (2**31 - 1, 2**20, 1))
    with pytest.raises(MemoryError):
        layer.forward(layer.init(), x)


@pytest.mark.parametrize("value", ["auto", "0", "-1", "1.5", "1025", "9" * 30, "four,2"])
def test_a_number_of_threads_in_the_environment(value, monkeypatch):
    """It is refused where a pass needs it, not at import."""
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    layer = kernels.RNN(**LAYER)
    refuses(ValueError, ["OMP_NUM_THREADS", "1024", value.split(",")[0]], layer.forward, **FORWARD)
    assert layer.forward(**FORWARD, threads=1).y.any()


def test_views_of_any_stride_are_views():
    layer = kernels.RNN(**LAYER)
    theta = np.zeros(2 * layer.size, "float32")
    for strided in (theta[::2], theta[::-2]):
        for part in layer.view(strided).values():
            assert np.shares_memory(part, theta)
            part += 1
    assert (theta == 1).all()


def test_sizes_of_narrow_integers():
    shapes = kernels.RNN("rnn", np.uint8(200), np.uint8(200), "both", "learned").shapes
    assert shapes["merge/M"] == (400, 200)


class Sham(int):
    """An integer that is never out of range."""

    def __lt__(self, other):
        return False

    __gt__ = __lt__

    def __le__(self, other):
        return True

    __ge__ = __le__


def test_an_integer_cannot_lie_about_its_size():
    layer, stream = kernels.RNN("lstm", 1, 1), kernels.Stream("sham")
    x = np.ones((1, 1, 1), "f4")
    for call in (lambda n: layer.forward(layer.init(), x, threads=n), lambda n: layer.forward(layer.init(), x, checkpoint=n),
                 lambda n: stream.integers(1, n), stream.words, lambda n: kernels.RNN("lstm", 1, n), lambda n: kernels.Adam(n, 0.1)):
        with pytest.raises(ValueError, match="expected an integer"):
            call(Sham(-2**40))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda a: pickle.loads(pickle.dumps(a))])
def test_copies_of_a_layer(duplicate):
    given = case("gru", (T, B, I, H), "both", "learned")
    layer = float64("gru", I, H, "both", "learned")
    assert_same(results(duplicate(layer), given), results(layer, given))
    readout = kernels.Readout(3, 2)
    theta, h = readout.init(seed=0), np.ones((1, 3), "float32")
    assert (duplicate(readout).forward(theta, h) == readout.forward(theta, h)).all()


def test_one_of_several_threads_spends_a_tape():
    layer, long = kernels.RNN(**LAYER), case("lstm", (400, B, I, H), dtype="float32")
    tape = layer.forward(long.theta, long.x).tape
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(layer.backward, tape, long.dy) for _ in range(4)]
    errors = [type(job.exception()) for job in jobs if job.exception()]
    assert errors == [RuntimeError] * 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_tape_made_before_a_fork():
    """The child has none of the threads that made it."""
    layer = kernels.RNN(**LAYER)
    tape = layer.forward(**FORWARD, threads=2).tape
    child = os.fork()
    if not child:
        signal.alarm(20)
        try:
            os._exit(0 if layer.backward(tape, GIVEN.dy).theta.any() else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("cell, named, error, words", [
    ("lstm", {"scheme": "unifrom"}, ValueError, ["scheme", "uniform", "glorot", "orthogonal", "identity", "unifrom"]),
    ("lstm", {"forget_bias": float("nan")}, ValueError, ["forget_bias", "nan"]),
    ("lstm", {"seed": None}, TypeError, ["seed", "integer", "None"]),
    ("lstm", {"seed": 1.0}, TypeError, ["seed", "integer", "1.0"]),
    ("lstm", {"seed": -1}, ValueError, ["seed", "0", "-1"]),
    ("lstm", {"forget_bias": 10**400}, ValueError, ["forget_bias", "finite"]),
    ("lstm", {"forget_bias": -1e39}, ValueError, ["forget_bias", "float32", "-1e+39"]),
    ("lstm", {"forget_bias": "1"}, TypeError, ["forget_bias", "'1'"]),
    ("lstm", {"chrono": 1}, ValueError, ["chrono", "2", "1.0"]),
    ("lstm", {"chrono": float("inf")}, ValueError, ["chrono", "inf"]),
    ("lstm", {"chrono": "long"}, TypeError, ["chrono", "'long'"]),
    ("rnn", {"chrono": 100}, ValueError, ["chrono", "rnn"]),
])
def test_init(cell, named, error, words):
    refuses(error, words, kernels.RNN(cell, I, H).init, **named)


@pytest.mark.parametrize("cell, arm, make, junk", pairwise(CELLS, ARMS, [float32, float64], [np.nan, np.inf, -np.inf, 3e38]))
def test_no_value_crashes(cell, arm, make, junk):
    """NaN, infinity or the largest numbers in any argument: the shapes stay, and NaN comes out of the rows where it went in."""
    direction, merge = arm
    layer, given = make(cell, I, H, direction, merge), case(cell, (T, B, I, H), direction, merge, dtype=make.__name__)
    shapes = {name: array.shape for name, array in results(layer, given).items()}
    spoilt = [{"theta": np.full_like(given.theta, junk)}, {"x": np.full_like(given.x, junk)}, {"dy": np.full_like(given.dy, junk)},
              {"state": {k: np.full_like(a, junk) for k, a in given.state.items()}},
              {"dstate": {k: np.full_like(a, junk) for k, a in given.dstate.items()}}]
    for change in spoilt:
        other = case(cell, (T, B, I, H), direction, merge, dtype=make.__name__)
        vars(other).update(change)
        got = results(layer, other)
        assert {name: array.shape for name, array in got.items()} == shapes
        if np.isnan(junk):
            assert set(change) <= {"dy", "dstate"} or np.isnan(got["y"]).any(), change.keys()
            # What goes back through a linear cell does not depend on its states; the gradient of its weights does.
            assert any(np.isnan(part).any() for name, part in got.items() if name.startswith("grad.")), change.keys()


def test_forward_leaves_no_trace_of_an_error():
    """A refused call changes nothing for the next one."""
    layer = kernels.RNN(**LAYER)
    expected = layer.forward(**FORWARD).y
    with pytest.raises(ValueError):
        layer.forward(**(FORWARD | {"lengths": [1, 0, 6]}))
    assert np.array_equal(layer.forward(**FORWARD).y, expected)


def test_equations_are_those_of_the_cells_file():
    assert kernels.equations("coupled") == {
        "f": "f, o = s(a_f), s(a_o)", "o": "f, o = s(a_f), s(a_o)", "g": "g = tanh(a_g)", "c": "c = f c' + (1 - f) g",
        "h": "h = o tanh(c)"}
    assert kernels.equations("gru_after")["n"] == "n = tanh(a_n + r a_u)"
    for name, cell in kernels.CELLS.items():
        assert set(cell.states) <= set(kernels.equations(name)) and list(kernels.equations(name))[-1] == "h"
