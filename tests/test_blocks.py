"""Memory cell blocks: neighbouring cells share their gates. Against the twin, central differences, and the full layer."""
import central
import numpy as np
import pytest
from cases import ARMS, assert_close, assert_same, case, real, results, run, same_bits

import kernels
from kernels import parameters, reference
from single_steps import one_by_one
from study.nets.architecture import Architecture
from study.nets.net import Net
from study.tasks import TASKS

CELLS = [name for name, cell in kernels.CELLS.items() if cell.gates]


def problem(cell, size, arm, block, dtype="float64"):
    """A layer with blocks, its twin, and a case whose theta fits them."""
    T, B, I, H = size
    ours, theirs = kernels.RNN(cell, I, H, *arm, dtype, block), reference.RNN(cell, I, H, *arm, block)
    given = case(cell, size, *arm, dtype=dtype)
    given.theta = kernels.Stream("blocks", cell, block).uniform(ours.size, -0.7, 0.7).astype(dtype)
    return ours, theirs, given


def test_shapes_of_1997_have_the_published_numbers_of_weights():
    """Experiment 3 has 102 weights (three cells, no bias at the output), experiment 6a has 156 (two blocks of two)."""
    assert kernels.RNN("lstm_hs97", 1, 3).size + 3 == 102
    assert kernels.RNN("lstm_hs97", 8, 4, block=2).size + 4 * (4 + 1) == 156


@pytest.mark.parametrize("cell", CELLS)
def test_shapes(cell):
    ours, theirs, _ = problem(cell, (1, 1, 3, 6), ("both", "learned"), 3)
    assert list(ours.shapes.items()) == list(theirs.shapes.items()) and ours.size == theirs.size
    assert ours.shapes["forward/W_gates"] == (len(kernels.CELLS[cell].gates), 3, 2)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("size, arm, block", [((37, 5, 3, 18), ("both", "learned"), 2), ((9, 2, 20, 6), ("reverse", "concat"), 6),
                                              ((40, 1, 4, 8), ("forward", "concat"), 4)])
def test_the_twin(cell, size, arm, block):
    for truncated in (False, True):
        ours, theirs, given = problem(cell, size, arm, block)
        assert_close(results(ours, given, truncated=truncated), results(theirs, given, truncated=truncated), 1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_central_differences(cell):
    ours, _, given = problem(cell, (5, 3, 2, 6), ("both", "learned"), 3)
    grad, inside = run(ours, given).grad, real(5, given.lengths)[..., None]

    def loss():
        out = ours.forward(given.theta, given.x, given.lengths, given.state)
        return (given.dy * out.y * inside).sum() + sum((given.dstate[k] * out.state[k]).sum() for k in out.state)

    for name, part in ours.view(given.theta).items():
        central.check_entries(loss, part, ours.view(grad.theta)[name], name)


@pytest.mark.parametrize("arm", ARMS)
def test_cells_of_a_block_have_one_gate(arm):
    ours, _, given = problem("lstm_hs97", (7, 4, 3, 6), arm, 2, "float32")
    gates = run(ours, given).gates
    assert all(np.array_equal(gates[k][..., ::2], gates[k][..., 1::2]) for k in "io")
    assert not np.array_equal(gates["g"][..., ::2], gates["g"][..., 1::2])


@pytest.mark.parametrize("cell", CELLS)
def test_threads_checkpoints_and_steps_change_no_bit(cell):
    ours, _, given = problem(cell, (70, 6, 3, 20), ("forward", "concat"), 2, "float32")
    expected = results(ours, given)
    assert_same(results(ours, given, threads=3), expected)
    out = ours.forward(given.theta, given.x, given.lengths, given.state, checkpoint=32)
    assert same_bits(ours.backward(out.tape, given.dy, given.dstate).theta, run(ours, given).grad.theta)
    step = ours.stepper(given.theta, rows=6, state=given.state)
    assert all(same_bits(step(given.x[t]), expected["y"][t]) for t in range(given.lengths.min()))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("rows", [1, 5])
def test_native_training_has_the_bits_of_single_steps(cell, rows):
    task = TASKS["temporal_order/6a"]
    net = Net(task, Architecture(cell, 6, direction="both", block=2))
    one, many = net.init(3), net.init(3)
    block = task.draw(kernels.Stream("blocks"), 11, 40)
    loss, _ = one_by_one(net, one, kernels.Adam(net.size, 0.01), block, rows, kernels.Clip())
    training = net.compile((int(block.lengths.max()), rows, block.most_answers(rows)))
    found = training.run(many, kernels.Adam(net.size, 0.01), block, rows)
    assert same_bits(found.loss, loss) and same_bits(one, many) and not same_bits(one, net.init(3))


def test_initial_weights():
    """Bounds of the full layer, biases of shared gates, orthonormal columns."""
    layer = kernels.RNN("lstm", 3, 64, block=2, dtype="float64")
    views, rows = layer.view(layer.init()), parameters.kinds(layer.cell, 2)
    assert rows["b_gates"] == ("i", "f", "o") and rows["b"] == ("g",)
    assert (views["forward/b_gates"][1] == 1).all() and 0.9 / 8 < np.abs(views["forward/W_gates"]).max() <= 1 / 8
    i, f, _ = layer.view(layer.init(chrono=100))["forward/b_gates"]
    assert np.array_equal(i, -f) and 0 < f.min() and f.max() < np.log(100)
    for U in layer.view(layer.init(scheme="orthogonal"))["forward/U_gates"]:
        assert np.abs(U.T @ U - np.eye(32)).max() < 1e-12


@pytest.mark.parametrize("cell, block, says", [
    ("gru", 2, "block: expected 1, for gru has no gates"), ("peephole", 2, "block: expected 1, for peephole has no gates"),
    ("lstm", 5, r"block: expected a divisor of 6 \(units\), got 5"), ("lstm", 0, "block"),
])
def test_blocks_that_do_not_fit_are_refused(cell, block, says):
    with pytest.raises(ValueError, match=says):
        kernels.RNN(cell, 3, 6, block=block)
    with pytest.raises(ValueError, match="scheme: expected another one than 'identity'"):
        kernels.RNN("lstm", 3, 6, block=2).init(scheme="identity")
