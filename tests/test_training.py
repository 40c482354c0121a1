"""Many training steps in one native call: the bits of steps taken one by one, whatever the net, and what ends a call."""

import itertools
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from single_steps import one_by_one

import kernels
from kernels import SGD, Adam, Clip, Sequences, Training
from kernels.attention import SCORES
from study.nets.architecture import Architecture
from study.nets.net import Net
from study.tasks import TASKS, Batch
from study.tasks._draws import OneHot
from study.trial import run
from study.trial.knobs import Trial
from study.trial.streams import batches_drawn

CLASSES, NUMBERS = TASKS["temporal_order/6a"], TASKS["adding/hs97"]
DIRECTIONS = [("forward", "concat"), ("reverse", "concat"), *(("both", merge) for merge in ("concat", "sum", "mean", "learned"))]
CLIPS = [Clip(), Clip(norm=0.05), Clip(value=0.002)]
OPTIMIZERS = [lambda n, dtype: SGD(n, 0.1, 0.9, dtype), lambda n, dtype: Adam(n, 0.01, dtype=dtype)]


def check(task, block, rows, optimizer=0, clip=Clip(), truncated=False, **knobs):
    dtype = knobs.pop("dtype", "float32")
    net = Net(task, Architecture(**{"cell": "lstm", "units": 9} | knobs), dtype)
    one, many = net.init(3), net.init(3)
    by_one, by_many = (OPTIMIZERS[optimizer](net.size, net.dtype) for _ in range(2))
    expected = one_by_one(net, one, by_one, block, rows, clip, truncated)
    training = net.compile((int(block.lengths.max()) + 3, rows + 1, block.most_answers(rows) + 2), truncated)
    half = len(block.lengths) // 2 // rows * rows
    found = [training.run(many, by_many, part, rows, clip) for part in (block.rows(0, half), block.rows(half, None))]
    assert [part.fault for part in found] == [None, None]
    assert np.concatenate([part.loss for part in found]).tobytes() == expected[0].tobytes()
    assert np.concatenate([part.output for part in found]).tobytes() == expected[1].tobytes()
    assert one.tobytes() == many.tobytes() and not np.array_equal(one, net.init(3))
    for name in ("v", "m", "_power1", "_power2"):
        assert np.array_equal(getattr(by_one, name, 0), getattr(by_many, name, 0))


def drawn(task, n, gap=40):
    return task.draw(kernels.Stream("training", n), n, gap)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("number, cell", list(enumerate(kernels.CELLS)))
def test_every_cell_trains_to_the_bits_of_single_steps(number, cell, dtype):
    """Each cell in each direction, with rows of unequal lengths; optimizers, clipping and batch sizes in turn."""
    for n, (direction, merge) in enumerate(DIRECTIONS, number):
        task, rows = (CLASSES, NUMBERS)[n % 2], (1, 3, 5)[n % 3]
        net = {"cell": cell, "units": 5 + n % 20, "direction": direction, "merge": merge, "dtype": dtype}
        check(task, drawn(task, 11, 40 + n), rows, n // 2 % 2, CLIPS[n // 3 % 3], **net)


@pytest.mark.parametrize("optimizer, clip", list(itertools.product(range(2), CLIPS)))
@pytest.mark.parametrize("dense", [True, False])
def test_every_way_to_change_weights(optimizer, clip, dense):
    block = drawn(CLASSES, 13)
    check(CLASSES, replace(block, x=np.asarray(block.x)) if dense else block, 4, optimizer=optimizer, clip=clip)


@pytest.mark.parametrize("units", [1, 7, 16, 17, 33, 64, 70])
@pytest.mark.parametrize("rows", [1, 2, 4, 12, 32])
def test_every_size(units, rows):
    check(CLASSES, drawn(CLASSES, 3 * rows + 1), rows, cell="gru", units=units)


def one_hot(inputs, T=70, N=23):
    """Rows of unequal lengths and random symbols; a seventh of the steps has none."""
    rng = np.random.default_rng(inputs)
    lengths = rng.integers(T // 2, T + 1, N)
    alive = np.arange(T)[:, None] < lengths
    symbols = np.where(alive & (rng.random((T, N)) < 6 / 7), rng.integers(0, inputs, (T, N)), inputs)
    return Batch(OneHot(symbols, inputs), lengths, lengths - 1, rng.integers(0, 4, N))


@pytest.mark.parametrize("cell", kernels.CELLS)
def test_one_hot_rows_have_the_bits_of_products(cell):
    """Some steps have no symbol; inputs are fewer and more than units, and than a line."""
    for n, (inputs, rows) in enumerate(itertools.product((3, 16, 45), (1, 4, 11))):
        direction, merge = DIRECTIONS[n % len(DIRECTIONS)]
        net = {"cell": cell, "units": (13, 36)[n % 2], "direction": direction, "merge": merge, "layers": 1 + n % 2, "dtype": ("float32", "float64")[n // 5 % 2]}
        check(replace(CLASSES, inputs=inputs), one_hot(inputs), rows, n % 2, **net)


def test_a_step_without_a_symbol_has_the_sign_of_zero_of_the_product():
    """A bias of -0 becomes +0 when products of 0 are added; so does h, and the answer."""
    layer, readout = kernels.RNN("rnn", 3, 8), kernels.Readout(8, 1)
    theta = np.zeros(layer.size + readout.size, np.float32)
    layer.view(theta[: layer.size])["forward/U"][...] = layer.view(theta[: layer.size])["forward/b"][...] = -0.0
    theta[-1] = -0.0
    found = []
    for x in (OneHot(np.full((1, 2), 3), 3), np.zeros((1, 2, 3), np.float32)):
        training = Training(3, len(theta), "squared_error", (1, 2, 2))
        training.affine(training.answers(training.recurrent(0, layer, 0)), readout, layer.size)
        block = Sequences(x, np.ones(2, int), np.zeros(2, int), np.ones((2, 1), np.float32))
        found.append(training.run(theta.copy(), SGD(len(theta), 0.1), block, 2).output)
    assert np.array_equal(found[0], [[0], [0]]) and found[0].tobytes() == found[1].tobytes()


@pytest.mark.parametrize("cell, more", [("lstm", {}), ("lstm", {"block": 2}), ("lstm_1997", {"truncated": True}), ("mut1", {}), ("gru", {})])
def test_one_net_learns_from_symbols_and_from_numbers_in_turn(cell, more):
    """Also a cell whose equations contain x, memory cell blocks and truncated errors, in both directions."""
    truncated, n, inputs = more.pop("truncated", False), 23, 14
    layer = kernels.RNN(cell, inputs, 14, direction="both", **more)
    readout = kernels.Readout(28, 4)
    rng = np.random.default_rng(1)
    theta = rng.uniform(-0.3, 0.3, layer.size + readout.size).astype(np.float32)
    symbols, numbers = one_hot(inputs), one_hot(inputs)
    numbers = replace(numbers, x=rng.standard_normal((70, n, inputs)).astype(np.float32) * (np.arange(70)[:, None] < numbers.lengths)[..., None])
    trained = []
    for make in (lambda block: block, lambda block: replace(block, x=np.asarray(block.x))):
        training, weights = Training(inputs, len(theta), "cross_entropy", (70, 4, 4)), theta.copy()
        training.affine(training.answers(training.recurrent(0, layer, 0, truncated)), readout, layer.size)
        optimizer = SGD(len(theta), 0.1)
        found = [training.run(weights, optimizer, make(block), 4) for block in (symbols, numbers, symbols)]
        trained.append([weights, *(part for run in found for part in (run.loss, run.output))])
    assert all(one.tobytes() == other.tobytes() for one, other in zip(*trained, strict=True))


def test_truncated_errors():
    check(NUMBERS, drawn(NUMBERS, 7), 2, cell="lstm_1997", truncated=True)


def many_answers(T=30, N=10):
    """Rows of unequal lengths, each with an answer at its first step and at about a third of the others."""
    rng = np.random.default_rng(5)
    lengths = rng.integers(T // 2, T + 1, N)
    alive = np.arange(T)[:, None] < lengths
    mask = alive & (rng.random((T, N)) < 0.3)
    mask[0] = True
    x, target = (rng.random((T, N, 8)) * alive[..., None]).astype(np.float32), rng.integers(0, 4, (T, N))
    return Batch.masked(x, lengths, target, mask)


@pytest.mark.parametrize("direction", ["forward", "both"])
def test_many_answers_a_row(direction):
    check(CLASSES, many_answers(), 3, direction=direction)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("score", SCORES)
def test_attention(score, dtype):
    for n, (direction, merge) in enumerate(DIRECTIONS):
        net = {"head": "attention", "attention": score, "units": 5 + 3 * n, "direction": direction, "merge": merge, "dtype": dtype}
        check(CLASSES, many_answers(), 3, **net)
        check(NUMBERS, drawn(NUMBERS, 7), 2, **net | {"cell": "gru"})


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_sigmoid_learns_classes_and_numbers(dtype):
    for task, block in ((CLASSES, many_answers()), (CLASSES, drawn(CLASSES, 7)), (NUMBERS, drawn(NUMBERS, 7))):
        check(task, block, 2, output="sigmoid", dtype=dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sigmoids_learn_binary_numbers(dtype):
    block = many_answers()
    binary = replace(CLASSES, kind="binary", loss="binary_cross_entropy")
    check(binary, replace(block, target=np.eye(4, dtype=np.float32)[block.target]), 3, dtype=dtype)


def test_a_long_batch_is_cut_between_steps(monkeypatch):
    """The layer's steps are cut where it listens for signals; cuts change no bit."""
    monkeypatch.setattr("kernels.tape.PACE", 1)
    check(CLASSES, drawn(CLASSES, 5, 150), 2, direction="both")


# ---------------------------------------------------------------------------------------------------- what ends a run

@pytest.mark.parametrize("k", [0, 2, 3])
def test_a_loss_that_is_not_finite_ends_the_run_before_its_batch(k):
    block, rows = drawn(NUMBERS, 8), 2
    block.x[1, k * rows + 1, 0] = np.nan
    net = Net(NUMBERS, Architecture("lstm", 8))
    theta, expected = net.init(0), net.init(0)
    found = net.compile((60, rows, rows)).run(theta, SGD(net.size, 0.1), block, rows)
    assert found.fault == "loss" and len(found.loss) == len(found.output) == k * rows
    if k:
        one_by_one(net, expected, SGD(net.size, 0.1), block.rows(0, k * rows), rows, Clip())
    assert theta.tobytes() == expected.tobytes()


def test_a_gradient_that_is_not_finite_ends_the_run_with_its_answers():
    """All logits are 0, so the loss is log 4; dh is 1/4 of three large weights, plus 3/4 of one: more than a float32 holds."""
    net, block = Net(CLASSES, Architecture("rnn", 4)), drawn(CLASSES, 6)
    block = replace(block, target=np.array([0, 1, 2, 3, 0, 1]))
    theta = np.zeros(net.size, np.float32)
    head = net.modules["head"].affine.view(theta[net.slices["head"]])
    head["V"][:] = [3e38, 3e38, 3e38, -3e38]
    theta_then = theta.copy()
    found = net.compile((60, 1, 1)).run(theta, SGD(net.size, 0.0), block, 1)
    assert found.fault == "gradient" and len(found.loss) == len(found.output) == 4
    assert np.allclose(found.loss, np.log(4)) and theta.tobytes() == theta_then.tobytes()


def test_a_signal_is_heard_within_a_fifth_of_a_second():
    class Heard(Exception):
        pass

    def handler(*_):
        raise Heard(time.perf_counter())

    net = Net(CLASSES, Architecture("lstm", 64))
    block = drawn(CLASSES, 4000, 100)
    training, theta, optimizer = net.compile((110, 32, 32)), net.init(0), Adam(net.size, 0.001)
    before = signal.signal(signal.SIGALRM, handler)
    try:
        due = time.perf_counter() + 0.3
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(Heard) as heard:
            for _ in range(100):
                training.run(theta, optimizer, block, 32)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert heard.value.args[0] - due < 0.2
    assert np.isfinite(theta).all() and 0 < optimizer._power1 < 1       # the optimizer knows the steps that it took


# -------------------------------------------------------------------------------------------- the learning loop's judge

def test_where_the_rule_is_met_within_a_call_the_net_is_as_after_single_steps(monkeypatch):
    """Whatever the number of batches in a call: the same record."""
    knobs = Trial(cell="gru", units=16, gap=5, init="long", horizon=10, lr=0.01, budget=12_800, window=300)
    records = []
    for drawn_steps in (1, 2_000, 2**17):
        monkeypatch.setattr("study.trial.streams.DRAWN", drawn_steps)
        records.append(run.run(knobs))
    monkeypatch.setattr("study.trial.streams.ANSWERED", 8 * 32 * 3)
    records.append(run.run(knobs))
    assert records[0].solved and all(record == records[0] for record in records)
    assert batches_drawn(32, 100, 8) == 3 and batches_drawn(32, 2**11, 1) == 2 and batches_drawn(32, 2**20, 1) == 1


def test_a_trial_that_diverges_gives_one_record_whatever_is_drawn_at_a_time(monkeypatch):
    knobs = Trial(cell="lstm", units=8, gap=3, init="long", horizon=10, lr=1e38, optimizer="sgd", clip=1e30, budget=320)
    records = []
    for drawn_steps in (1, 2**17):
        monkeypatch.setattr("study.trial.streams.DRAWN", drawn_steps)
        records.append(run.run(knobs))
    assert records[0].diverged_at and records[0] == records[1]


# ------------------------------------------------------------------------------------------------------------ mistakes

def sequences(**changes):
    given = {"x": np.zeros((5, 4, 3), np.float32), "lengths": np.full(4, 5), "read": np.full(4, 4), "target": np.zeros(4, int)}
    return Sequences(**given | changes)


MISTAKES = [
    ({"x": np.zeros((5, 4, 2), np.float32)}, "x: expected shape"),
    ({"x": np.zeros((4, 4, 3), np.float32)}, "x: expected 5 steps"),
    ({"x": np.zeros((5, 4, 3), int)}, "x: expected an array of float32"),
    ({"x": OneHot(np.full((5, 4), 4), 3)}, "x.symbols: expected integers in 0..3, got 4"),
    ({"x": OneHot(np.full((5, 4), -1), 3)}, "x.symbols: expected integers in 0..3, got -1"),
    ({"lengths": np.array([5, 5, 5, 0])}, "lengths: expected integers in 1..6, got 0"),
    ({"lengths": np.array([5, 5, 5, 7])}, "lengths: expected integers in 1..6, got 5..7"),
    ({"lengths": np.array([5, 5, 5, 2**32 + 5])}, "lengths: expected integers in 1..6, got 5..4294967301"),
    ({"read": np.array([4, 4, 4, 5])}, "read: expected a step within"),
    ({"read": np.array([4, 4, 4, -1])}, "read: expected a step within"),
    ({"read": np.array([4, 4, 4])}, "offsets: expected 0 first"),
    ({"target": np.array([0, 0, 0, 2])}, "target: expected integers of 0 to 1"),
    ({"target": np.zeros(3, int)}, "target: expected shape"),
    ({"offsets": np.array([0, 1, 2, 2, 4])}, "offsets: expected"),
    ({"offsets": np.array([1, 2, 3, 4, 4])}, "offsets: expected"),
    ({"offsets": np.array([0, 3, 2, 3, 4])}, "offsets: expected"),
    ({"offsets": np.array([0, 1, 2, 3, 8]), "read": np.full(8, 4), "target": np.zeros(8, int)}, "rows: expected batches of at most"),
]


@pytest.mark.parametrize("changes, message", MISTAKES)
def test_sequences_that_do_not_fit_are_refused_before_anything_is_learned(changes, message):
    layer, head = kernels.RNN("rnn", 3, 4), kernels.Readout(4, 2)
    training = Training(3, layer.size + head.size, "cross_entropy", (6, 3, 4))
    training.affine(training.answers(training.recurrent(0, layer, 0)), head, layer.size)
    theta = np.zeros(layer.size + head.size, np.float32)
    with pytest.raises((ValueError, TypeError), match=message.replace(".", r"\.")):
        training.run(theta, SGD(len(theta), 0.1), sequences(**changes), 2)
    assert not theta.any()
    assert training.run(theta, SGD(len(theta), 0.1), sequences(), 2).fault is None and theta.any()
    with pytest.raises(ValueError, match="rows: expected batches"):
        training.run(theta, SGD(len(theta), 0.1), sequences(), 4)
    with pytest.raises(ValueError, match="theta: expected shape"):
        training.run(theta[1:], SGD(len(theta) - 1, 0.1), sequences(), 2)
    with pytest.raises(ValueError, match="optimizer"):
        training.run(theta, SGD(len(theta) - 1, 0.1), sequences(), 2)
    with pytest.raises(TypeError, match="optimizer, clip: expected"):
        training.run(theta, None, sequences(), 2)
    with pytest.raises(TypeError, match="optimizer, clip: expected"):
        training.run(theta, SGD(len(theta), 0.1), sequences(), 2, 1.0)


def test_binary_targets_are_numbers_from_0_to_1():
    head = kernels.Readout(3, 2)
    training = Training(3, head.size, "binary_cross_entropy", (6, 3, 4))
    training.affine(training.answers(0), head, 0)
    theta = head.init(0)
    with pytest.raises(ValueError, match="target: expected numbers from 0 to 1, got 2.0"):
        training.run(theta, SGD(len(theta), 0.1), sequences(target=np.full((4, 2), 2.0)), 2)


def test_parts_that_do_not_fit_are_refused():
    layer = kernels.RNN("rnn", 3, 4)
    training = Training(3, layer.size, "cross_entropy", (6, 3, 4))
    for mistake in (lambda: training.recurrent(1, layer, 0), lambda: training.recurrent(0, layer, 1),
                    lambda: training.recurrent(0, kernels.RNN("rnn", 2, 4), 0),
                    lambda: training.recurrent(0, kernels.RNN("rnn", 3, 4, dtype="float64"), 0),
                    lambda: training.recurrent(0, layer, 0, truncated=True)):
        with pytest.raises(ValueError):
            mistake()
    y = training.recurrent(0, layer, 0)
    with pytest.raises(ValueError, match="parts: expected the last one"):
        training.run(np.zeros(layer.size, np.float32), SGD(layer.size, 0.1), sequences(), 2)
    with pytest.raises(ValueError, match="x: expected a part with a row for each step"):
        training.answers(training.answers(y))
    for mistake in (lambda: training.tanh(y), lambda: training.attention(y, kernels.Attention(5, "dot"), 0),
                    lambda: training.attention(y, kernels.Attention(4, "general"), 30),
                    lambda: training.attention(y, kernels.Attention(4, "dot", dtype="float64"), 0)):
        with pytest.raises(ValueError):
            mistake()


def test_a_training_runs_in_one_thread_at_a_time():
    net, block = Net(CLASSES, Architecture("lstm", 32)), drawn(CLASSES, 2000, 100)
    training = net.compile((110, 32, 32))

    def run(_):
        try:
            return training.run(net.init(0), SGD(net.size, 0.1), block, 32).fault
        except RuntimeError as error:
            return str(error)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(map(str, pool.map(run, range(2)))) == ["None", "training: it runs in another thread; make one for each thread"]
