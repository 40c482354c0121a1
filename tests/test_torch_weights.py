"""Weights of torch.nn.LSTM, nn.GRU and nn.RNN in kernels.torch.RNN, and back: the same outputs, states and gradients."""

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed", exc_type=ImportError)

from kernels.torch import RNN  # noqa: E402

T, B, I, H = 7, 3, 4, 5
MODULES = {"lstm": torch.nn.LSTM, "gru_after": torch.nn.GRU, "rnn": torch.nn.RNN, "rnn_relu": torch.nn.RNN}


def made(cell, layers=2, **options):
    torch.manual_seed(0)
    options |= {"nonlinearity": "relu"} if cell == "rnn_relu" else {}
    return MODULES[cell](I, H, layers, dtype=torch.float64, **options)


def outputs(module, x, states):
    y, final = module(x, states[0] if len(states) == 1 else tuple(states))
    return y, *([final] if isinstance(final, torch.Tensor) else final)


def problem(module, cell):
    """x and initial states, which want gradients."""
    rows = (B, T) if module.batch_first else (T, B)
    depth = module.num_layers * (2 if module.bidirectional else 1)
    x = torch.randn(*rows, I, dtype=torch.float64, requires_grad=True)
    return x, [torch.randn(depth, B, H, dtype=torch.float64, requires_grad=True) for _ in range(2 if cell == "lstm" else 1)]


@pytest.mark.parametrize("both, bias, batch_first, layers", [
    (False, True, False, 1), (True, True, False, 3), (False, False, True, 2), (True, False, False, 2), (True, True, True, 2)])
@pytest.mark.parametrize("cell", MODULES)
def test_a_module_of_torch_and_ours_compute_the_same(cell, both, bias, batch_first, layers):
    module = made(cell, layers, bidirectional=both, bias=bias, batch_first=batch_first)
    rnn = RNN.from_torch(module)
    assert (rnn.cell.name, rnn.layers, rnn.batch_first, rnn.W_l0.dtype) == (cell, layers, batch_first, torch.float64)
    back = rnn.to_torch()
    assert type(back) is type(module) and back.mode == module.mode
    x, states = problem(module, cell)
    expected = outputs(module, x, states)
    ones = [torch.ones_like(part) for part in expected]
    expected += torch.autograd.grad(expected, [x, *states], ones)
    for other in (rnn, back):
        got = outputs(other, x, states)
        got += torch.autograd.grad(got, [x, *states], ones)
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", MODULES)
def test_there_and_back_changes_no_bit(cell):
    rnn = RNN(cell, I, H, layers=2, direction="both")
    again = RNN.from_torch(rnn.to_torch())
    for name, weights in rnn.state_dict().items():
        assert torch.equal(weights, again.state_dict()[name]), name


@pytest.mark.parametrize("cell", MODULES)
def test_both_biases_become_one_where_the_equations_add_them(cell):
    module = made(cell, 1)
    rnn = RNN.from_torch(module)
    first, second = (bias.detach().reshape(-1, H) for bias in (module.bias_ih_l0, module.bias_hh_l0))
    if cell == "gru_after":  # torch's rows are r, z, n; ours n, z, r and u, of which r multiplies u in the equations
        expected = [first[2], first[1] + second[1], first[0] + second[0], second[2]]
    else:
        expected = list(first + second)
    assert torch.equal(rnn.b_l0, torch.stack(expected))


def test_copies_keep_the_mode_and_share_nothing():
    module = made("lstm").eval()
    rnn = RNN.from_torch(module)
    assert not rnn.training and not rnn.to_torch().training and rnn.train().to_torch().training
    before = rnn.U_l0.clone()
    with torch.no_grad():
        module.weight_hh_l0.zero_()
    assert torch.equal(rnn.U_l0, before)


@pytest.mark.parametrize("module, error, words", [
    (torch.nn.Linear(I, H), TypeError, ["module", "nn.LSTM", "Linear"]),
    (None, TypeError, ["module", "NoneType"]),
    (torch.nn.LSTM(I, H, proj_size=2), ValueError, ["module.proj_size", "2"]),
    (torch.nn.GRU(I, H, 2, dropout=0.5), ValueError, ["module.dropout", "0.5"]),
])
def test_modules_that_have_no_twin(module, error, words):
    with pytest.raises(error) as caught:
        RNN.from_torch(module)
    assert all(word in str(caught.value) for word in words), caught.value


@pytest.mark.parametrize("layer, words", [
    (("peephole",), ["cell", "lstm", "'peephole'"]),
    (("gru",), ["cell", "gru_after", "'gru'"]),
    (("lstm", "reverse"), ["direction", "'reverse'"]),
    (("lstm", "both", "sum"), ["direction", "concat", "'sum'"]),
])
def test_layers_that_torch_does_not_have(layer, words):
    cell, *options = layer
    rnn = RNN(cell, I, H, **dict(zip(("direction", "merge"), options)))
    with pytest.raises(ValueError) as caught:
        rnn.to_torch()
    assert all(word in str(caught.value) for word in words), caught.value
