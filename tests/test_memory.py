"""Kernels stay within their buffers whatever a caller does to objects and arrays between calls; a buffer has one owner."""
import copy
import json
import os
import pickle
import signal
import sys
import threading
import warnings
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import pytest
from cases import ARMS, assert_same, case, float32, float64, results, same_bits

import kernels
from kernels import tape as tapes
from kernels.workspace import Workspace

T, B, I, H = 40, 3, 4, 5
DUPLICATES = [copy.copy, copy.deepcopy, lambda a: pickle.loads(pickle.dumps(a))]
each_duplicate = pytest.mark.parametrize("duplicate", DUPLICATES, ids=["copy", "deepcopy", "pickle"])
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


def problem(cell="lstm", direction="both", merge="learned", **sizes):
    sizes = {"T": T, "B": B, "I": I, "H": H} | sizes
    return float32(cell, sizes["I"], sizes["H"], direction, merge), case(cell, sizes.values(), direction, merge, dtype="float32")


def backward(layer, tape, given):
    grad = layer.backward(tape, given.dy, given.dstate, norms=True)
    return {"theta": grad.theta, "x": grad.x} | {f"d{name}": a for name, a in grad.state.items()}


# ---------------------------------------------------------------------------------------------------- one owner a buffer


@each_duplicate
def test_what_owns_buffers_is_not_copied(duplicate):
    layer, given = problem()
    tape = layer.forward(given.theta, given.x).tape
    for owner in (tape, *tape._record.recurrences):
        with pytest.raises(TypeError, match="tape|cannot be converted"):
            duplicate(owner)
    assert layer.backward(tape, given.dy).theta.any()


@each_duplicate
def test_a_copy_of_a_workspace_is_empty(duplicate):
    workspace = Workspace()
    workspace.give(np.zeros(10, np.uint8))
    assert len(duplicate(workspace)._free) == 0 and len(workspace._free) == 1


@each_duplicate
@pytest.mark.parametrize("make", [kernels.Adam, lambda size, lr: kernels.SGD(size, lr, 0.9)], ids=["Adam", "SGD"])
def test_a_copy_of_an_optimizer_has_its_own_moments(make, duplicate):
    optimizer, theta = make(4, 0.1), np.zeros(4, "f4")
    optimizer.step(theta, np.ones(4, "f4"))
    other, moment = duplicate(optimizer), optimizer.v.copy()
    other.step(theta.copy(), np.ones(4, "f4"))
    assert same_bits(optimizer.v, moment) and not same_bits(other.v, moment)


def test_buffers_are_given_back_once():
    layer, given = problem()
    tape = layer.forward(given.theta, given.x).tape
    record = tape._record
    assert not layer._workspace._free
    layer.backward(tape, given.dy)
    back = set(layer._workspace._free)
    assert len(back) == 4       # two directions, the merge, the sums of the weight gradients
    layer._workspace._free.clear()
    record.release()
    assert not layer._workspace._free


def test_buffers_are_given_back_where_memory_runs_out(monkeypatch):
    layer, given = problem()
    tape, expected = layer.forward(given.theta, given.x).tape, results(*problem())
    with monkeypatch.context() as patch:
        patch.setattr(layer._workspace, "take", lambda n: np.empty(2**60, np.uint8), raising=False)
        with pytest.raises(MemoryError):
            layer.backward(tape, given.dy)
    assert len(layer._workspace._free) == 3
    assert_same(results(layer, given), expected)


# ----------------------------------------------------------------------------------------- memory that moves between calls


def reshape(a):
    a.shape = (a.size, 1, 1)


def resize(a):
    a.resize((1,) * a.ndim, refcheck=False)


def restride(a):
    with warnings.catch_warnings(action="ignore"):
        setattr(a, "strides", (0,) * a.ndim)


@pytest.mark.parametrize("checkpoint", [None, 32])
@pytest.mark.parametrize("change", [reshape, resize, restride])
@pytest.mark.parametrize("name", ["theta", "x", "lengths", "h", "y"])
def test_arrays_that_change_after_the_forward_pass(name, change, checkpoint):
    """The tape goes on with what it was given, or NumPy refuses the change."""
    layer, given = problem(T=101)
    expected = backward(layer, layer.forward(given.theta, given.x, given.lengths, given.state, checkpoint=checkpoint).tape, given)
    theirs = {"theta": given.theta.copy(), "x": given.x.copy(), "h": given.state["h"].copy()}
    theirs["lengths"] = given.lengths.astype("i4")
    out = layer.forward(theirs["theta"], theirs["x"], theirs["lengths"], given.state | {"h": theirs["h"]}, checkpoint=checkpoint)
    theirs["y"] = out.y
    try:
        change(theirs[name])
    except ValueError as error:
        assert (name, change) == ("x", resize) and "resize" in str(error), error
    del theirs
    assert_same(backward(layer, out.tape, given), expected)


@pytest.mark.parametrize("direction, merge", ARMS)
def test_steps_that_are_computed_again_do_not_write_to_y(direction, merge):
    layer, given = problem(direction=direction, merge=merge, T=101)
    expected = backward(layer, layer.forward(given.theta, given.x).tape, given)
    out = layer.forward(given.theta, given.x, checkpoint=32)
    out.y[:] = 7
    assert_same(backward(layer, out.tape, given), expected)
    assert (out.y == 7).all()


def test_a_base_of_x_is_not_resized():
    layer, given = problem()
    base = np.concatenate([given.x, given.x])
    tape = layer.forward(given.theta, base[:T].view()).tape
    with pytest.raises(ValueError, match="resize"):
        base.resize((1, 1, 1), refcheck=False)
    layer.backward(tape, given.dy)
    base.resize((1, 1, 1), refcheck=False)      # the tape has let go of it


@pytest.mark.parametrize("name", ["x", "lengths", "theta", "span", "threads", "passes", "segments", "anything"])
def test_a_tape_has_no_attributes(name):
    layer, given = problem()
    tape = layer.forward(given.theta, given.x).tape
    with pytest.raises(AttributeError):
        setattr(tape, name, None)
    with pytest.raises(AttributeError):
        getattr(tape, name)


@pytest.mark.parametrize("name, value", [
    ("cell", kernels.CELLS["gru"]), ("inputs", 900), ("units", 900), ("direction", "forward"), ("merge", "concat"),
    ("dtype", np.dtype("float64")), ("size", 1), ("shapes", {})])
def test_a_layers_sizes_are_fixed(name, value):
    layer, given = problem()
    expected = results(layer, given)
    with pytest.raises(AttributeError, match=rf"RNN\.{name}: expected no change"):
        setattr(layer, name, value)
    with pytest.raises(AttributeError):
        delattr(layer, name)
    assert_same(results(layer, given), expected)


@pytest.mark.parametrize("name, value", [
    ("inputs", 900), ("outputs", 900), ("dtype", np.dtype("float64")), ("size", 1), ("shapes", {})])
def test_a_readouts_sizes_are_fixed(name, value):
    readout = kernels.Readout(3, 2)
    with pytest.raises(AttributeError, match=rf"Readout\.{name}: expected no change"):
        setattr(readout, name, value)


@pytest.mark.parametrize("table", [kernels.CELLS, kernels.RNN("lstm", 1, 1).shapes, kernels.Readout(1, 1).shapes])
def test_tables_of_sizes_are_plain_dicts(table):
    assert type(table) is dict and pickle.loads(pickle.dumps(table)) == copy.deepcopy(table) == table
    assert json.loads(json.dumps(table)).keys() == table.keys()


def test_changed_tables_change_no_layer(monkeypatch):
    layer, given = problem()
    expected = results(layer, given)
    monkeypatch.setitem(kernels.CELLS, "lstm", kernels.CELLS["gru"])
    for changed in (layer, problem()[0]):
        changed.shapes["forward/W"] = (900, 900, 900)
        assert_same(results(changed, given), expected)
    readout = kernels.Readout(3, 2)
    readout.shapes.clear()
    assert readout.shapes == {"V": (3, 2), "v": (2,)}


def shorter(optimizer, name):
    setattr(optimizer, name, np.zeros(3, optimizer.dtype))


def other_dtype(optimizer, name):
    setattr(optimizer, name, np.zeros(optimizer.size, "f2"))


def every_other(optimizer, name):
    setattr(optimizer, name, np.zeros(2 * optimizer.size, optimizer.dtype)[::2])


def no_array(optimizer, name):
    setattr(optimizer, name, [0.0] * optimizer.size)


def read_only(optimizer, name):
    getattr(optimizer, name).flags.writeable = False


def resized(optimizer, name):
    getattr(optimizer, name).resize(3, refcheck=False)


@pytest.mark.parametrize("change", [shorter, other_dtype, every_other, no_array, read_only, resized])
@pytest.mark.parametrize("make, name", [(kernels.SGD, "v"), (kernels.Adam, "m"), (kernels.Adam, "v")])
def test_moments_are_checked_at_every_step(make, name, change):
    optimizer, theta = make(100, 0.1), np.zeros(100, "f4")
    change(optimizer, name)
    with pytest.raises((TypeError, ValueError), match=f"^{name}: expected"):
        optimizer.step(theta, np.ones(100, "f4"))
    assert not theta.any()


@pytest.mark.parametrize("make, name", [
    (kernels.SGD, "lr"), (kernels.SGD, "momentum"), *((kernels.Adam, name) for name in ("lr", "beta1", "beta2", "eps"))])
def test_an_optimizers_numbers_stay_numbers(make, name):
    optimizer = make(4, 0.1)
    before = getattr(optimizer, name)
    for value in (-1, float("nan"), float("inf"), 1e39, "1", None, np.ones(2)):
        with pytest.raises((TypeError, ValueError), match=f"^{name}: expected a"):
            setattr(optimizer, name, value)
    assert getattr(optimizer, name) == before
    for name in ("size", "dtype"):
        with pytest.raises(AttributeError, match=name):
            setattr(optimizer, name, 3)


class Sly(np.ndarray):
    """An array that lies about its size and dtype."""

    shape = property(lambda self: (10**6,) * np.ndarray.ndim.__get__(self))
    dtype = property(lambda self: np.dtype("f4"))

    def __len__(self):
        return 10**6


def test_a_subclass_cannot_lie_about_its_size_and_dtype():
    layer, given = problem(direction="forward", merge="concat")
    expected = results(layer, given)
    for name in ("theta", "x", "lengths", "dy"):
        setattr(given, name, getattr(given, name).view(Sly))
    assert_same(results(layer, given), expected)
    theta, grad = np.zeros(8, "f4").view(Sly), np.ones(8, "f4").view(Sly)
    kernels.Adam(8, 0.1).step(theta, grad)
    assert kernels.total(grad) == 8 and np.asarray(theta).all()
    with pytest.raises(TypeError, match="a: expected an array of float32 or float64, got one of float16"):
        kernels.total(np.ones(8, "f2").view(Sly))
    with pytest.raises(ValueError, match=r"theta: expected shape \(8,\), got \(7,\)"):
        kernels.SGD(8, 0.1).step(theta[:7], grad)
    rows = kernels.Stream("rows").normal(12).reshape(3, 4)
    values = kernels.singular_values(rows)
    assert same_bits(kernels.singular_values(rows.view(Sly)), values)
    assert kernels.orthonormalise(rows.view(Sly)).shape == (3,)
    o = np.ones((3, 4)).view(Sly)
    assert kernels.cross_entropy(o, np.zeros(3, int).view(Sly))[1].shape == (3, 4)
    assert kernels.product(o, np.eye(4).view(Sly)).shape == (3, 4)


def test_gates_are_not_read_while_a_backward_pass_overwrites_them():
    layer, given = problem()
    tape = layer.forward(given.theta, given.x).tape
    recurrence, record = tape._record.recurrences[0], tape._record

    def gates():
        record.spend()      # as another thread's backward pass does
        return recurrence.gates()

    record.recurrences = [SimpleNamespace(gates=gates)] * 2
    with pytest.raises(RuntimeError, match="spent"):
        layer.gates(tape)


@pytest.mark.parametrize("call", ["gates", "backward"])
def test_a_tape_that_another_thread_spends_in_between(call, monkeypatch):
    layer, given = problem()
    tape = layer.forward(given.theta, given.x).tape

    def checked_then_spent(tape):
        record = kernels.RNN._own(layer, tape)
        record.spend()
        record.release()
        return record

    monkeypatch.setitem(vars(layer), "_own", checked_then_spent)
    with pytest.raises(RuntimeError, match="spent"):
        getattr(layer, call)(tape)


# ------------------------------------------------------------------------------------------------------ forks and signals


@needs_fork
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_does_not_wait_for_threads_that_it_does_not_have():
    layer, given = problem(T=3)
    expected, stop = results(layer, given), threading.Event()

    def work():
        while not stop.is_set():
            results(layer, given)

    threads, interval = [threading.Thread(target=work) for _ in range(4)], sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        codes = [in_child(lambda: assert_same(results(layer, given), expected)) for _ in range(30)]
    finally:
        stop.set()
        sys.setswitchinterval(interval)
        for thread in threads:
            thread.join()
    assert codes == [0] * 30


def in_child(call):
    """The exit code of a forked child that makes the call: 0, 1 after an error, or that of an alarm after 20 s."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(20)
    code = 1
    try:
        call()
        code = 0
    finally:
        os._exit(code)


@contextmanager
def interrupted(monkeypatch, layer, name):
    """Sends SIGINT during the second native call of a pass; the block must raise KeyboardInterrupt, with no third call."""
    native, calls, sender = getattr(layer._loop, name), [], threading.Thread(target=signal.raise_signal, args=[signal.SIGINT])

    def call(*arguments):
        calls.append(name)
        if len(calls) == 2:
            sender.start()
        native(*arguments)
        if len(calls) == 2:
            sender.join()

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(layer._loop, name, call)
        yield
    assert len(calls) == 2


def test_a_long_forward_pass_hears_a_signal(monkeypatch):
    layer, given = problem(T=12_000, direction="forward", merge="concat", B=1, H=48)
    expected = results(layer, given)
    monkeypatch.setattr(tapes, "PACE", 1)
    with interrupted(monkeypatch, layer, "forward"):
        layer.forward(given.theta, given.x)
    assert len(layer._workspace._free) == 2
    assert_same(results(layer, given), expected)


def test_a_long_backward_pass_hears_a_signal(monkeypatch):
    layer, given = problem(T=12_000, B=1, H=64)
    expected = backward(layer, layer.forward(given.theta, given.x).tape, given)
    tape = layer.forward(given.theta, given.x).tape
    monkeypatch.setattr(tape._record, "pace", 320)
    with interrupted(monkeypatch, layer, "backward"):
        layer.backward(tape, given.dy)
    assert 3 <= len(layer._workspace._free) <= 4        # one may have been on its way
    assert_same(backward(layer, layer.forward(given.theta, given.x).tape, given), expected)


@pytest.mark.parametrize("make", [float32, float64])
@pytest.mark.parametrize("cell", kernels.CELLS)
def test_a_pass_in_many_calls_has_the_same_bits(cell, make, monkeypatch):
    given = case(cell, (101, B, 19, 18), "both", "learned", dtype=make.__name__)
    layer = make(cell, 19, 18, "both", "learned")
    expected, segments = results(layer, given), kept_in_segments(layer, given)
    monkeypatch.setattr(tapes, "PACE", 1)
    assert_same(results(layer, given), expected)
    assert_same(kept_in_segments(layer, given), segments)


def kept_in_segments(layer, given):
    return backward(layer, layer.forward(given.theta, given.x, given.lengths, given.state, checkpoint=64).tape, given)
