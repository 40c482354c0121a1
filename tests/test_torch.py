"""rnn, lstm and gru_after against torch in float64: forward, final states and all gradients, ragged lengths."""
import numpy as np
import pytest
from cases import ARMS, case, float64, run, twin

torch = pytest.importorskip("torch", reason="torch is not installed", exc_type=ImportError)

MODULES = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru_after": torch.nn.GRU}
ROWS = {"rnn": "a", "lstm": "ifgo", "gru_after": "rzn"}    # torch's order of gates


def close(got, expected, name):
    expected = expected.detach().numpy() if torch.is_tensor(expected) else expected
    assert np.abs(got - expected).max() <= 1e-10 * np.abs(expected).max(), name


def to_torch(cell, view, name):
    """One direction's [W_ih, W_hh, b_ih, b_hh] in torch's order; our b goes into b_ih, and gru_after's u into b_hh."""
    if cell == "gru_after":
        n, z, r = view[f"{name}/W"]
        W = [r, z, n]
        z, r, u = view[f"{name}/U"]
        U = [r, z, u]
        n, z, r, u = view[f"{name}/b"]
        b, c = [r, z, n], [0 * r, 0 * z, u]
    else:
        W, U, b = (list(view[f"{name}/{kind}"]) for kind in "WUb")
        c = [0 * row for row in b]
    return [np.concatenate([block.T for block in W]), np.concatenate([block.T for block in U]), np.concatenate(b), np.concatenate(c)]


def load(cell, layer, theta, directions):
    """torch's module with the layer's weights."""
    module = MODULES[cell](layer.inputs, layer.units, bidirectional=len(directions) == 2).double()
    arrays = [array for name in directions for array in to_torch(cell, layer.view(theta), name)]
    with torch.no_grad():
        for parameter, array in zip(module.parameters(), arrays, strict=True):
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(array)))
    return module


@pytest.mark.parametrize("make", [twin, float64])
@pytest.mark.parametrize("direction, merge", ARMS)
@pytest.mark.parametrize("cell", MODULES)
def test_torch_agrees(make, cell, direction, merge):
    T, B, I, H = 13, 5, 3, 21
    layer, given = make(cell, I, H, direction, merge), case(cell, (T, B, I, H), direction, merge)
    got = run(layer, given)
    module = load(cell, layer, given.theta, ["forward", "reverse"] if direction == "both" else [direction])

    x = torch.from_numpy(given.x).requires_grad_()
    state = {k: torch.from_numpy(array).requires_grad_() for k, array in given.state.items()}
    lengths = torch.from_numpy(given.lengths)
    h, final = through(module, x, lengths, state, direction)
    y, M, m = merged(h, layer.view(given.theta), direction, merge, lengths)
    loss = (y * torch.from_numpy(given.dy)).sum() + sum((final[k] * torch.from_numpy(given.dstate[k])).sum() for k in final)
    loss.backward()

    close(got.y, y, "y")
    close(got.grad.x, x.grad, "grad.x")
    for k in final:
        close(got.state[k], final[k], k)
        close(got.grad.state[k], state[k].grad, f"grad.state {k}")
    claimed = layer.view(got.grad.theta)
    expected = [parameter.grad.numpy() for parameter in module.parameters()]
    for d, name in enumerate(["forward", "reverse"] if direction == "both" else [direction]):
        for kind, ours, theirs in zip(["W", "U", "b", "c"], to_torch(cell, claimed, name), expected[4 * d: 4 * d + 4]):
            if kind != "c":
                close(ours, theirs, f"{name}/{kind}")
            elif cell == "gru_after":    # of b_hh only u is ours
                close(ours[2 * H:], theirs[2 * H:], f"{name}/u")
    if merge == "learned":
        close(claimed["merge/M"], M.grad, "merge/M")
        close(claimed["merge/b"], m.grad, "merge/b")


def through(module, x, lengths, state, direction):
    """h (T, B, D H) and the final states by name, 0 past a row's length; "reverse" by flipping each row within its length."""
    T = len(x)
    if direction == "reverse":
        x = flipped(x, lengths)
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
    initial = tuple(state.values())
    h, final = module(packed, initial if len(initial) == 2 else initial[0])
    h, _ = torch.nn.utils.rnn.pad_packed_sequence(h, total_length=T)
    final = final if isinstance(final, tuple) else (final,)
    return flipped(h, lengths) if direction == "reverse" else h, dict(zip(state, final))


def flipped(a, lengths):
    """a (T, B, ...) with each row's first `length` steps in reverse order."""
    t = torch.arange(len(a))[:, None]
    index = torch.where(t < lengths, lengths - 1 - t, t)
    return a.gather(0, index[..., None].expand_as(a))


def merged(h, view, direction, merge, lengths):
    """y from h (T, B, D H), and the learned merge's parameters, whose gradients are then in .grad."""
    if direction != "both" or merge == "concat":
        return h, None, None
    first, second = h.chunk(2, -1)
    if merge == "learned":
        M, m = (torch.from_numpy(view[name].copy()).requires_grad_() for name in ("merge/M", "merge/b"))
        real = (torch.arange(len(h))[:, None] < lengths)[..., None]
        return (h @ M + m) * real, M, m
    return (first + second) / (1 if merge == "sum" else 2), None, None


@pytest.mark.parametrize("make", [twin, float64])
def test_norms_are_of_total_derivatives(make):
    """|dL/dh_t| and |dL/dc_t| as torch's retain_grad gives them, one step at a time."""
    T, B, I, H = 7, 3, 2, 9
    layer, given = make("lstm", I, H), case("lstm", (T, B, I, H))
    given.lengths[:] = T
    W, U, b, _ = (torch.from_numpy(array.copy()) for array in to_torch("lstm", layer.view(given.theta), "forward"))
    h, c = (torch.from_numpy(given.state[k][0]) for k in "hc")
    seen, loss = {"h": [], "c": []}, 0
    for t in range(T):
        i, f, g, o = (torch.from_numpy(given.x[t]) @ W.T + h @ U.T + b).chunk(4, -1)
        c = (f.sigmoid() * c + i.sigmoid() * g.tanh()).requires_grad_()
        h = o.sigmoid() * c.tanh()
        c.retain_grad()
        h.retain_grad()
        seen["h"].append(h)
        seen["c"].append(c)
        loss = loss + (h * torch.from_numpy(given.dy[t])).sum()
    for k, last in (("h", h), ("c", c)):
        loss = loss + (last * torch.from_numpy(given.dstate[k][0])).sum()
    loss.backward()
    norms = run(layer, given).grad.norms
    for k in "hc":
        close(norms[k][0], np.stack([a.grad.norm(dim=-1).numpy() for a in seen[k]]), k)
