"""kernels.torch.RNN: exact gradients of every cell, and the behaviour of torch's own layers."""

import copy
import doctest
import io
import pickle
import subprocess
import sys

import numpy as np
import pytest
from cases import ARMS, CELLS, case, fitting
from uses import PROJECT

torch = pytest.importorskip("torch", reason="torch is not installed", exc_type=ImportError)

import kernels.torch  # noqa: E402
from kernels.torch import RNN  # noqa: E402

T, B, I, H = 6, 3, 2, 5


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def drawn(cell, size=(T, B, I, H), layers=1, **options):
    """(a module in float64, x, initial states), all of which want gradients."""
    t, b, i, h = size
    rnn = RNN(cell, fitting(cell, i, h), h, layers, **options).double()
    x = torch.randn(t, b, rnn.inputs, dtype=torch.float64, requires_grad=True)
    depth = layers * (2 if rnn.direction == "both" else 1)
    states = [torch.randn(depth, b, h, dtype=torch.float64) + 3 * (name == "n") for name in rnn.cell.states]
    return rnn, x, [state.requires_grad_() for state in states]


def given(states):
    return states[0] if len(states) == 1 else tuple(states)


def flat(y, final):
    """y and the final states, as a tuple of tensors."""
    return y, *([final] if isinstance(final, torch.Tensor) else final)


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_those_of_central_differences(cell):
    rnn, x, states = drawn(cell, (3, 2, 2, 3), layers=2, direction="both", merge="learned")
    names, weights = zip(*rnn.named_parameters())

    def outputs(x, *rest):
        parameters = dict(zip(names, rest[len(states):]))
        return flat(*torch.func.functional_call(rnn, parameters, (x, given(rest[:len(states)]))))

    assert torch.autograd.gradcheck(outputs, (x, *states, *weights), fast_mode=True)


@pytest.mark.parametrize("direction, merge", ARMS)
@pytest.mark.parametrize("cell", ["lstm", "gru", "peephole"])
def test_it_is_the_layer_of_kernels_to_the_bit(cell, direction, merge):
    problem = case(cell, (T, B, I, H), direction, merge, dtype="float32")
    layer = kernels.RNN(cell, I, H, direction, merge)
    rnn = RNN(cell, I, H, direction=direction, merge=merge)
    rnn.load_state_dict(dict(zip(rnn.state_dict(), map(torch.from_numpy, layer.view(problem.theta).values()))))
    x = torch.from_numpy(problem.x).requires_grad_()
    states = [torch.from_numpy(problem.state[name]).requires_grad_() for name in layer.cell.states]
    out = layer.forward(problem.theta, problem.x, state=problem.state)
    grad = layer.backward(out.tape, problem.dy, problem.dstate)
    y, *final = flat(*rnn(x, given(states)))
    torch.autograd.backward((y, *final), [torch.from_numpy(d) for d in (problem.dy, *problem.dstate.values())])
    expected = {"y": out.y, "x": grad.x} | out.state | {f"d{name}": d for name, d in grad.state.items()}
    got = {"y": y, "x": x.grad} | dict(zip(out.state, final)) | {f"d{name}": s.grad for name, s in zip(grad.state, states)}
    assert all(np.array_equal(got[name].detach().numpy(), array) for name, array in expected.items())
    assert np.array_equal(np.concatenate([weights.grad.flatten() for weights in rnn.parameters()]), grad.theta)


def test_weights_have_the_shapes_of_the_layer_and_start_as_it_does():
    rnn = RNN("peephole", I, H, layers=2, direction="both", merge="learned")
    first = ["W_l0", "U_l0", "b_l0", "p_l0", *(f"{kind}_l0_reverse" for kind in "WUbp"), "M_l0_merge", "b_l0_merge"]
    assert list(rnn.state_dict()) == first + [name.replace("l0", "l1") for name in first]
    shapes = [shape for inputs in (I, H) for shape in kernels.RNN("peephole", inputs, H, "both", "learned").shapes.values()]
    assert [tuple(weights.shape) for weights in rnn.parameters()] == shapes
    assert (rnn.b_l1[1] == 1).all() and not torch.equal(rnn.U_l0, rnn.U_l1) and not torch.equal(rnn.U_l0, rnn.U_l0_reverse)
    rnn.reset_parameters("glorot", chrono=100)
    assert (rnn.b_l0[1] == -rnn.b_l0[0]).all() and (rnn.b_l0[2:] == 0).all() and rnn.b_l0[1].exp().max() < 99
    torch.manual_seed(0)
    again = RNN("peephole", I, H, layers=2, direction="both", merge="learned")
    torch.manual_seed(0)
    assert torch.equal(RNN("peephole", I, H, direction="both", merge="learned").U_l0, again.U_l0)


# ----------------------------------------------------------------------------------------- shapes, as torch's layers have them

@pytest.mark.parametrize("direction, merge", ARMS)
@pytest.mark.parametrize("lengths", [(6, 4, 1), (2, 6, 6)])
def test_rows_of_a_packed_sequence_are_those_of_each_row_alone(direction, merge, lengths):
    rnn, x, states = drawn("peephole", layers=2, direction=direction, merge=merge)
    rows = [x[:length, row] for row, length in enumerate(lengths)]
    packed = torch.nn.utils.rnn.pack_sequence(rows, enforce_sorted=list(lengths) == sorted(lengths, reverse=True))
    y, final = rnn(packed, given(states))
    assert torch.equal(y.batch_sizes, packed.batch_sizes) and y.sorted_indices is packed.sorted_indices
    unpacked = torch.nn.utils.rnn.unpack_sequence(y)
    alone = [rnn(row, tuple(state[:, b] for state in states)) for b, row in enumerate(rows)]
    for b, (y_b, final_b) in enumerate(alone):
        torch.testing.assert_close(unpacked[b], y_b)
        torch.testing.assert_close(tuple(state[:, b] for state in final), final_b)
    weights = [x, *states, *rnn.parameters()]
    together = torch.autograd.grad([*unpacked, *final], weights, [torch.ones_like(part) for part in (*unpacked, *final)])
    outputs = [part for y_b, final_b in alone for part in (y_b, *final_b)]
    torch.testing.assert_close(together, torch.autograd.grad(outputs, weights, [torch.ones_like(part) for part in outputs]))


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_rows_first_changes_the_order_of_axes_alone(cell):
    rnn, x, states = drawn(cell, direction="both", layers=2)
    y, final = rnn(x, given(states))
    rnn.batch_first = True
    swapped, same = rnn(x.transpose(0, 1), given(states))
    assert torch.equal(swapped, y.transpose(0, 1)) and all(map(torch.equal, flat(y, final)[1:], flat(y, same)[1:]))
    one, of_one = rnn(x[:, 1], given([state[:, 1] for state in states]))
    torch.testing.assert_close(flat(one, of_one), tuple(part[:, 1] for part in flat(y, final)))


def test_states_are_in_the_order_of_torch():
    """(layer 0 forward, layer 0 reverse, layer 1 forward, ...): the last steps of the directions of y are the last layer's states."""
    rnn, x, states = drawn("lstm", direction="both", layers=3)
    y, (h, c) = rnn(x, given(states))
    assert h.shape == c.shape == (6, B, H)
    assert torch.equal(h[4], y[-1, :, :H]) and torch.equal(h[5], y[0, :, H:])
    first = RNN("lstm", I, H, direction="both").double()
    first.load_state_dict({name: weights for name, weights in rnn.state_dict().items() if "l0" in name})
    assert torch.equal(first(x, tuple(state[:2] for state in states))[1][0], h[:2])


def test_initial_states_are_0_where_missing():
    rnn, x, states = drawn("fgr")
    zeros = tuple(torch.zeros_like(state) for state in states)
    assert all(map(torch.equal, flat(*rnn(x)), flat(*rnn(x, zeros))))


@pytest.mark.parametrize("form", [lambda x: x.transpose(0, 1).contiguous().transpose(0, 1), lambda x: torch.stack([x, x])[1],
                                  lambda x: x.expand(T, B, I), lambda x: x.flip(0).flip(0), lambda x: x.repeat(1, 1, 2)[..., ::2]])
def test_any_strides(form):
    rnn, x, _ = drawn("lstm")
    x = x.detach()[..., :1].expand(T, B, I)
    assert torch.equal(rnn(form(x))[0], rnn(x.contiguous())[0])


# --------------------------------------------------------------------------------------------------------------- autograd

def test_backward_twice_needs_retain_graph_and_gives_the_same():
    rnn, x, _ = drawn("peephole")
    y, _ = rnn(x)
    first, second = (torch.autograd.grad(y.square().sum(), [x, *rnn.parameters()], retain_graph=True) for _ in range(2))
    assert all(map(torch.equal, first, second))
    y.sum().backward()
    with pytest.raises(RuntimeError, match="backward through the graph a second time"):
        y.sum().backward()


def test_second_derivatives_are_refused():
    rnn, x, _ = drawn("lstm")
    dx, = torch.autograd.grad(rnn(x)[0].square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        dx.sum().backward()


def test_changed_inputs_are_noticed():
    rnn, x, _ = drawn("lstm")
    x = x.detach()
    y, _ = rnn(x)
    x.mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_the_memory_of_inputs_lives_as_long_as_the_tape():
    rnn, x, _ = drawn("lstm", (40, 50, 60, H))
    x = x.detach()
    expected, = torch.autograd.grad(rnn(x)[0].sum(), rnn.W_l0)
    y, _ = rnn(x)
    x.data = torch.zeros(1)
    scribbled = [torch.full((40, 50, 60), torch.nan, dtype=torch.float64) for _ in range(3)]
    assert torch.equal(torch.autograd.grad(y.sum(), rnn.W_l0)[0], expected) and scribbled


def test_weights_may_change_between_forward_and_backward():
    rnn, x, _ = drawn("lstm")
    expected = torch.autograd.grad(rnn(x)[0].sum(), x)
    y, _ = rnn(x)
    with torch.no_grad():
        rnn.U_l0.zero_()
    assert all(map(torch.equal, torch.autograd.grad(y.sum(), x), expected))


def test_no_tape_where_no_gradient_is_wanted():
    rnn, x, states = drawn("lstm")
    with torch.no_grad():
        assert not any(part.requires_grad for part in flat(*rnn(x, given(states))))
    with torch.inference_mode():
        assert not rnn(x)[0].requires_grad
    rnn.requires_grad_(False)
    assert not rnn(x.detach())[0].requires_grad and rnn(x)[0].requires_grad
    rnn.U_l0.requires_grad_()
    rnn(x.detach())[0].sum().backward()
    assert rnn.U_l0.grad is not None and rnn.W_l0.grad is None and x.grad is None


@pytest.mark.parametrize("chosen", range(3))
def test_a_gradient_of_one_output_alone(chosen):
    rnn, x, states = drawn("lstm", (3, 2, 2, 3))
    assert torch.autograd.gradcheck(lambda x, *states: flat(*rnn(x, states))[chosen], (x, *states))


def test_results_are_the_callers():
    rnn, x, _ = drawn("lstm")
    y, (h, c) = rnn(x)
    kept = y.clone()
    rnn(x + 1)
    assert torch.equal(y, kept)
    gradient, = torch.autograd.grad(y.sum(), rnn.U_l0, retain_graph=True)
    with torch.no_grad():
        y.zero_(), h.zero_(), c.zero_()
    assert torch.equal(torch.autograd.grad(rnn(x)[0].sum(), rnn.U_l0)[0], gradient)


# ----------------------------------------------------------------------------------------------------- modules and copies

def same(one, other):
    x = torch.randn(T, B, I)
    return torch.equal(one(x)[0], other(x)[0])


def test_copies_compute_the_same():
    rnn = RNN("peephole", I, H, layers=2, direction="both")
    stored = io.BytesIO()
    torch.save(rnn, stored)
    stored.seek(0)
    for other in (copy.deepcopy(rnn), pickle.loads(pickle.dumps(rnn)), torch.load(stored, weights_only=False)):
        assert same(rnn, other)
        with torch.no_grad():
            other.U_l0.zero_()
        assert not same(rnn, other)
    other = RNN("peephole", I, H, layers=2, direction="both")
    assert not same(rnn, other)
    other.load_state_dict(rnn.state_dict())
    assert same(rnn, other)


def test_both_dtypes():
    rnn, x = RNN("lstm", I, H), torch.randn(T, B, I)
    y, (h, _) = rnn(x)
    exact, _ = copy.deepcopy(rnn).double()(x.double())
    assert y.dtype == h.dtype == torch.float32 and exact.dtype == torch.float64
    torch.testing.assert_close(y.double(), exact, rtol=1e-5, atol=1e-6)


def test_threads_change_no_bit():
    rnn, x, _ = drawn("gru", (40, 24, 8, 16))
    before = torch.get_num_threads()
    try:
        results = []
        for torchs, own in ((1, None), (2, None), (1, 3)):
            torch.set_num_threads(torchs)
            rnn.threads = own
            results.append(torch.autograd.grad(rnn(x)[0].sum(), [x, *rnn.parameters()]))
    finally:
        torch.set_num_threads(before)
    assert all(map(torch.equal, results[0] * 2, results[1] + results[2]))


def test_a_parametrized_weight():
    rnn, x, _ = drawn("rnn")
    torch.nn.utils.parametrizations.orthogonal(rnn, "U_l0")
    rnn(x)[0].sum().backward()
    assert torch.dist(rnn.U_l0[0].T @ rnn.U_l0[0], torch.eye(H)) < 1e-6
    assert rnn.parametrizations.U_l0.original.grad.abs().sum() > 0


def test_a_compiled_net_calls_the_kernels():
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.out = RNN("peephole", I, H), torch.nn.Linear(H, 2)

        def forward(self, x):
            return self.out(self.rnn(x.tanh())[0][-1])

    net, x = Net(), torch.randn(T, B, I, requires_grad=True)
    compiled = torch.compile(net, backend="aot_eager")
    for steps in (T, T - 1):
        results = [torch.autograd.grad(run(x[:steps]).square().sum(), [x, *net.parameters()]) for run in (net, compiled)]
        torch.testing.assert_close(*results)


def test_it_learns_with_the_optimizers_of_torch():
    rnn, head = RNN("coupled", 4, 16), torch.nn.Linear(16, 4)
    adam = torch.optim.Adam([*rnn.parameters(), *head.parameters()], lr=0.02)
    for _ in range(150):
        symbols = torch.randint(4, (10, 32))
        loss = torch.nn.functional.cross_entropy(head(rnn(torch.nn.functional.one_hot(symbols, 4).float())[0][-1]), symbols[0])
        adam.zero_grad()
        loss.backward()
        adam.step()
    assert loss < 0.2


def test_the_example_of_its_docstring_runs():
    outcome = doctest.testmod(kernels.torch)
    assert outcome.attempted >= 3 and not outcome.failed


def test_the_project_hides_torch_from_nobody():
    """Set-up runs files of kernels/ by path; that folder is never where modules are looked for, though it has a torch.py."""
    program = """if True:
        import runpy, sys
        for name in ("sources", "table", "cell", "wrappers"):
            runpy.run_path(f"kernels/{name}.py")
        import kernels.torch, study.bench.peer_server, torch
        assert not [folder for folder in sys.path if folder.rstrip("/").endswith(("kernels", "peers"))]
        print(torch.nn.LSTM, kernels.torch.RNN)"""
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True)
    assert done.stdout == "<class 'torch.nn.modules.rnn.LSTM'> <class 'kernels.torch.RNN'>\n", done.stderr


# --------------------------------------------------------------------------------------------------------------- messages

def refuses(error, words, call, *arguments, **named):
    with pytest.raises(error) as caught:
        call(*arguments, **named)
    message = str(caught.value)
    assert type(caught.value) is error and all(word in message for word in words) and "\n" not in message, message


@pytest.mark.parametrize("named, error, words", [
    ({"cell": "lstn"}, ValueError, ["cell", "did you mean 'lstm'"]),
    ({"inputs": 0}, ValueError, ["inputs", "0"]),
    ({"units": 2.0}, TypeError, ["units", "2.0"]),
    ({"layers": 0}, ValueError, ["layers", "1 or more", "0"]),
    ({"layers": True}, TypeError, ["layers", "True"]),
    ({"direction": "bidirectional"}, ValueError, ["direction", "both", "bidirectional"]),
    ({"merge": "max"}, ValueError, ["merge", "learned", "max"]),
    ({"batch_first": 1}, TypeError, ["batch_first", "1"]),
    ({"cell": "mut1"}, ValueError, ["inputs", "mut1"]),
    ({"cell": "mut1", "inputs": H, "layers": 2, "direction": "both"}, ValueError, ["merge", "concat", "mut1"]),
])
def test_wrong_layers(named, error, words):
    refuses(error, words, RNN, **{"cell": "lstm", "inputs": I, "units": H} | named)


X, STATE = torch.zeros(T, B, I), torch.zeros(1, B, H)


@pytest.mark.parametrize("x, state, error, words", [
    (X.numpy(), None, TypeError, ["x", "tensor", "ndarray"]),
    (None, None, TypeError, ["x", "tensor", "NoneType"]),
    (X.double(), None, TypeError, ["x", "float32", "float64"]),
    (X.long(), None, TypeError, ["x", "float32", "int64"]),
    (X.bfloat16(), None, TypeError, ["x", "float32", "bfloat16"]),
    (X.to("meta"), None, TypeError, ["x", "cpu", "meta"]),
    (X.to_sparse(), None, TypeError, ["x", "dense", "sparse"]),
    (torch.zeros(T, B, I + 1), None, ValueError, ["x", "(T, B, 2)", "(6, 3, 3)"]),
    (torch.zeros(T, I + 1), None, ValueError, ["x", "(T, 2)", "(6, 3)"]),
    (torch.zeros(I), None, ValueError, ["x", "(T, B, 2)", "(2,)"]),
    (torch.zeros(1, T, B, I), None, ValueError, ["x", "(T, B, 2)", "(1, 6, 3, 2)"]),
    (X[:0], None, ValueError, ["x", "(0, 3, 2)"]),
    (X[:, :0], None, ValueError, ["x", "(6, 0, 2)"]),
    (X, STATE, TypeError, ["state", "2 tensors (h, c)", "1"]),
    (X, (STATE,) * 3, TypeError, ["state", "2 tensors (h, c)", "3"]),
    (X, {"h": STATE}, TypeError, ["state", "dict"]),
    (X, (STATE, None), TypeError, ["state c", "tensor", "NoneType"]),
    (X, (STATE.double(), STATE), TypeError, ["state h", "float32", "float64"]),
    (X, (STATE, STATE[:, :2]), ValueError, ["state c", "(1, 3, 5)", "(1, 2, 5)"]),
    (X, (STATE[0], STATE[0]), ValueError, ["state h", "(1, 3, 5)", "(3, 5)"]),
    (X[:, 0], (STATE, STATE), ValueError, ["state h", "(1, 5)", "(1, 3, 5)"]),
    (X.transpose(0, 1), (STATE, STATE), ValueError, ["state h", "(1, 6, 5)", "(1, 3, 5)"]),
    (torch.nn.utils.rnn.pack_sequence([X[:, 0].double()]), None, TypeError, ["x.data", "float32", "float64"]),
    (torch.nn.utils.rnn.pack_sequence([torch.zeros(T, 3)]), None, ValueError, ["x.data", "2", "(6, 3)"]),
    (torch.nn.utils.rnn.pack_sequence([X[:, 0]]), (STATE, STATE), ValueError, ["state h", "(1, 1, 5)", "(1, 3, 5)"]),
])
def test_wrong_inputs(x, state, error, words):
    refuses(error, words, RNN("lstm", I, H), x, state)


def test_rows_first_is_named_in_the_message():
    refuses(ValueError, ["(B, T, 2)", "(3, 6, 3)"], RNN("lstm", I, H, batch_first=True), torch.zeros(B, T, 3))


def test_wrong_weights():
    refuses(TypeError, ["weights", "float32 or torch.float64", "bfloat16"], RNN("lstm", I, H).bfloat16(), X.bfloat16())
    refuses(TypeError, ["weights", "cpu", "meta"], RNN("lstm", I, H).to("meta"), X.to("meta"))
    rnn = RNN("lstm", I, H)
    rnn.threads = 0
    refuses(ValueError, ["threads", "1", "0"], rnn, X)
