"""The kernels against the NumPy twin, and against themselves where two ways must give one value."""
import doctest
import random

import numpy as np
import pytest
from cases import (
    ARMS, CELLS, assert_close, assert_same, by_block, case, float32, float64, one_of_each_form, pairwise, real, results, run,
    same_bits, twin,
)

import kernels
from kernels import reference

SIZES = [(1, 1, 1, 1), (6, 1, 1, 17), (50, 13, 3, 20), (34, 5, 67, 9), (5, 26, 4, 65)]    # T, B, I, H
FLOAT32 = 2e-5    # of the largest entry: some hundred roundings of 6e-8


def test_the_twin_has_the_same_cells():
    assert list(reference.CELLS) == list(kernels.CELLS)
    for name, cell in reference.CELLS.items():
        row = kernels.CELLS[name]
        assert row.name == name and row.title and row.source
        for kind in ("blocks", "inputs", "recurrent", "states", "peepholes", "feedback"):
            assert tuple(getattr(row, kind)) == tuple(getattr(cell, kind)), (name, kind)
        assert row.direct == cell.direct and row.biases == tuple(cell.kinds()["b"])


def test_the_twins_example():
    outcome = doctest.testmod(reference)
    assert outcome.attempted and not outcome.failed


@pytest.mark.parametrize("cell", CELLS)
def test_shapes(cell):
    for direction, merge in ARMS:
        ours, theirs = float32(cell, 3, 5, direction, merge), twin(cell, 3, 5, direction, merge)
        assert list(ours.shapes.items()) == list(theirs.shapes.items())
        assert ours.size == theirs.size
        theta = np.arange(ours.size, dtype="float32")
        views = ours.view(theta)
        expected = theirs.view(theta)
        assert all(np.shares_memory(view, theta) and np.array_equal(view, expected[name]) for name, view in views.items())


@pytest.mark.parametrize("cell, arm, size", pairwise(CELLS, ARMS, SIZES))
def test_float64(cell, arm, size):
    (direction, merge), (T, B, I, H) = arm, size
    given = case(cell, size, direction, merge)
    ours = results(float64(cell, I, H, direction, merge), given)
    assert_close(ours, results(twin(cell, I, H, direction, merge), given), 1e-12)
    assert {array.dtype.name for array in ours.values()} == {"float64"}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("cell", CELLS)
def test_float64_of_any_size(cell, seed):
    """Tails of tiles, panels and chunks as they fall."""
    draw = random.Random(f"{cell} {seed}")
    T, B, I, H = size = draw.randint(1, 40), draw.randint(1, 30), draw.randint(1, 90), draw.randint(1, 150)
    direction, merge = draw.choice(ARMS)
    given = case(cell, size, direction, merge)
    ours = results(float64(cell, I, H, direction, merge), given, threads=draw.randint(1, 4))
    assert_close(ours, results(twin(cell, I, H, direction, merge), given), 1e-12)


@pytest.mark.parametrize("cell", one_of_each_form())
def test_float64_of_a_wide_net(cell):
    T, B, I, H = size = 3, 14, 130, 300
    given = case(cell, size)
    assert_close(results(float64(cell, I, H), given), results(twin(cell, I, H), given), 1e-12)


@pytest.mark.parametrize("cell, merge, size", pairwise(CELLS, ["concat", "learned"], SIZES[1:4]))
def test_float32(cell, merge, size):
    T, B, I, H = size
    given = case(cell, size, "both", merge, dtype="float32")
    ours = results(float32(cell, I, H, "both", merge), given)
    assert_close(ours, results(twin(cell, I, H, "both", merge), given), FLOAT32)
    assert all(array.dtype == ("float64" if name.startswith("norms") else "float32") for name, array in ours.items())


@pytest.mark.parametrize("cell", [cell for cell in CELLS if kernels.CELLS[cell].truncates])
def test_truncated(cell):
    """As in 1997: errors flow along the states' own paths, not through U, R or the peepholes."""
    T, B, I, H = size = SIZES[2]
    given = case(cell, size, "both", "learned")
    ours = results(float64(cell, I, H, "both", "learned"), given, truncated=True)
    assert_close(ours, results(twin(cell, I, H, "both", "learned"), given, truncated=True), 1e-12)
    assert not np.array_equal(ours["grad.x"], results(float64(cell, I, H, "both", "learned"), given)["grad.x"])


@pytest.mark.parametrize("make", [float32, float64])
@pytest.mark.parametrize("cell", CELLS)
def test_reverse_is_forward_on_a_flipped_input(cell, make):
    T, B, I, H = 40, 5, 3, 18
    forward, reverse = make(cell, I, H), make(cell, I, H, "reverse")
    given = case(cell, (T, B, I, H), dtype=make.__name__)
    first = results(reverse, given)
    t = np.arange(T)[:, None]
    index = np.where(real(T, given.lengths), given.lengths - 1 - t, t)
    flip = lambda a: np.take_along_axis(a, index.reshape(index.shape + (1,) * (a.ndim - 2)), 0)
    given.x, given.dy = flip(given.x), flip(given.dy)
    second = results(forward, given)
    for name in second:
        if name in ("y", "grad.x"):
            second[name] = flip(second[name])
        elif name.startswith(("gates", "norms")):
            second[name] = flip(second[name][0])[None]
    second = {name.replace("forward", "reverse"): array for name, array in second.items()}
    weights = [name for name in first if "/" in name]
    assert_close(first, second, 1e-12 if make is float64 else FLOAT32, weights)    # their chunks are added in another order
    assert_same(first, second, [name for name in first if name not in weights])
    assert not np.array_equal(first["y"], results(forward, given)["y"])


@pytest.mark.parametrize("cell, arm, make", pairwise(CELLS, ARMS, [float32, float64]))
def test_padding_changes_nothing(cell, arm, make):
    """Neither the values in padded steps nor the number of those steps changes a result."""
    (direction, merge), (T, B, I, H) = arm, (38, 4, 3, 18)
    layer = make(cell, I, H, direction, merge)
    given = case(cell, (T, B, I, H), direction, merge, dtype=make.__name__)
    plain = results(layer, given)
    inside = real(T, given.lengths)[..., None]
    padded = ~np.broadcast_to(inside, plain["y"].shape)
    assert not plain["y"][padded].any() and not np.where(inside, 0, plain["grad.x"]).any()
    assert all(not np.where(inside[..., 0], 0, plain[name]).any() for name in plain if name.startswith("norms"))

    given.x, given.dy = (
        np.where(inside, a, np.asarray(junk, a.dtype)) for a, junk in ((given.x, np.nan), (given.dy, np.inf)))
    assert_same(results(layer, given), plain)

    more = 7
    given.x, given.dy = (np.concatenate([a, np.full((more, *a.shape[1:]), np.nan, a.dtype)]) for a in (given.x, given.dy))
    longer = results(layer, given)
    for name in longer:
        if name in ("y", "grad.x"):
            longer[name] = longer[name][:T]
        elif name.startswith(("gates", "norms")):
            longer[name] = longer[name][:, :T]
    assert_same(longer, plain)


@pytest.mark.parametrize("make", [float32, float64])
def test_peephole_without_peepholes_is_lstm(make):
    """Value for value: 0 c + a is a."""
    T, B, I, H = 35, 5, 3, 18
    lstm, peephole = make("lstm", I, H, "both"), make("peephole", I, H, "both")
    given = case("lstm", (T, B, I, H), "both", dtype=make.__name__)
    expected = results(lstm, given)
    theta = np.zeros(peephole.size, make.__name__)
    weights = lstm.view(given.theta)
    for name, part in peephole.view(theta).items():
        if name in weights:
            part[:] = weights[name]
    given.theta = theta
    got = results(peephole, given)
    assert all(np.array_equal(got[name], expected[name]) for name in expected)
    assert all(got[f"grad.{d}/p[{k}]"].any() for d in ("forward", "reverse") for k in range(3))


def test_coupled_is_lstm_with_tied_gates():
    """1 - sigmoid(a) = sigmoid(-a): an lstm whose input gate has the forget gate's weights with the other sign."""
    T, B, I, H = 35, 5, 3, 18
    lstm, coupled = float64("lstm", I, H, "both"), float64("coupled", I, H, "both")
    given = case("coupled", (T, B, I, H), "both")
    got = results(coupled, given)
    theta, weights = np.empty(lstm.size), coupled.view(given.theta)
    for name, (i, f, g, o) in lstm.view(theta).items():
        f[...], g[...], o[...] = weights[name]
        i[...] = -f
    given.theta = theta
    tied = results(lstm, given)
    for name in weights:
        tied |= {f"grad.{name}[0]": tied[f"grad.{name}[1]"] - tied[f"grad.{name}[0]"],
                 f"grad.{name}[1]": tied[f"grad.{name}[2]"], f"grad.{name}[2]": tied[f"grad.{name}[3]"]}
    assert_close(got, tied, 1e-12, list(got))


@pytest.mark.parametrize("make", [float32, float64])
@pytest.mark.parametrize("cell", CELLS)
def test_both_is_forward_and_reverse_side_by_side(cell, make):
    T, B, I, H = 35, 5, 3, 18
    both = make(cell, I, H, "both")
    given = case(cell, (T, B, I, H), "both", dtype=make.__name__)
    got = results(both, given)
    half = both.size // 2
    alone = []
    for d, name in enumerate(("forward", "reverse")):
        part = case(cell, (T, B, I, H), dtype=make.__name__)
        part.x, part.lengths, part.theta = given.x, given.lengths, given.theta[d * half:(d + 1) * half]
        part.dy = given.dy[..., d * H:(d + 1) * H]
        part.state, part.dstate = ({k: a[d:d + 1] for k, a in arrays.items()} for arrays in (given.state, given.dstate))
        alone.append(results(make(cell, I, H, name), part))
    forward, reverse = alone
    expected = {name: array for part in alone for name, array in part.items() if "/" in name}
    expected |= {name: np.concatenate([forward[name], reverse[name]]) for name in forward if "." in name and "/" not in name}
    expected |= {"y": np.concatenate([forward["y"], reverse["y"]], -1), "grad.x": forward["grad.x"] + reverse["grad.x"]}
    assert_close(got, expected, 1e-15 if make is float64 else 1e-7, ["grad.x"])
    assert_same(got, expected, [name for name in got if name != "grad.x"])


@pytest.mark.parametrize("make", [float32, float64])
@pytest.mark.parametrize("cell", CELLS)
def test_merges_by_value(cell, make):
    T, B, I, H = 9, 5, 3, 18
    layers = {merge: make(cell, I, H, "both", merge) for merge in ("concat", "sum", "mean", "learned")}
    given = case(cell, (T, B, I, H), "both", "learned", dtype=make.__name__)
    theta = given.theta[:layers["sum"].size]
    run_forward = lambda merge: layers[merge].forward(theta, given.x, given.lengths, given.state).y
    h = run_forward("concat")
    assert same_bits(run_forward("sum"), h[..., :H] + h[..., H:])
    assert same_bits(run_forward("mean"), (h[..., :H] + h[..., H:]) / 2)

    tolerance = 1e-12 if make is float64 else FLOAT32
    inside = real(T, given.lengths)[..., None]
    got, view = run(layers["learned"], given), layers["learned"].view(given.theta)
    claimed = layers["learned"].view(got.grad.theta)
    expected = {"y": inside * (h @ view["merge/M"] + view["merge/b"]), "merge/b": (inside * given.dy).sum((0, 1)),
                "merge/M": np.einsum("tbk,tbj->kj", h, inside * given.dy)}
    assert_close({"y": got.y} | claimed, expected, tolerance)


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_missing_is_zero(cell):
    T, B, I, H = 6, 3, 2, 5
    layer, given = float32(cell, I, H, "both"), case(cell, (T, B, I, H), "both", dtype="float32")
    zeros = {k: np.zeros_like(a) for k, a in given.state.items()}
    first = next(iter(zeros))

    def both(lengths, state, dy, dstate):
        out = layer.forward(given.theta, given.x, lengths, state)
        grad = layer.backward(out.tape, dy, dstate)
        named = {"y": out.y, "theta": grad.theta, "x": grad.x}
        return named | {f"state.{k}": a for k, a in out.state.items()} | {f"grad.{k}": a for k, a in grad.state.items()}

    full = np.full(B, T)
    assert_same(both(None, None, given.dy, None), both(full, zeros, given.dy, zeros))
    assert_same(both(None, {}, given.dy, {}), both(full, zeros, given.dy, zeros))
    assert_same(both(full, None, None, given.dstate), both(full, zeros, np.zeros_like(given.dy), given.dstate))
    some = {k: given.state[k] if k == first else zeros[k] for k in zeros}
    assert_same(both(full, {first: some[first]}, None, {first: some[first]}), both(full, some, None, some))
    nothing = both(full, given.state, None, None)
    assert not any(nothing[name].any() for name in nothing if name in ("theta", "x") or name.startswith("grad"))


def test_what_was_not_asked_for_is_none():
    layer, given = float32("lstm", 2, 5), case("lstm", (6, 3, 2, 5), dtype="float32")
    out = layer.forward(given.theta, given.x, given.lengths, given.state)
    silent = layer.forward(given.theta, given.x, given.lengths, given.state, tape=False)
    assert silent.tape is None and same_bits(silent.y, out.y)
    assert all(same_bits(silent.state[k], out.state[k]) for k in out.state)
    grad = layer.backward(out.tape, given.dy, given.dstate, inputs=False)
    assert grad.x is None and grad.norms is None
    assert same_bits(grad.theta, run(layer, given).grad.theta)


@pytest.mark.parametrize("cell", CELLS)
def test_several_tapes_live_at_once(cell):
    T, B, I, H = 6, 3, 2, 5
    layer = float32(cell, I, H, "both", "learned")
    cases = [case(cell, (T, B, I, H), "both", "learned", seed, "float32") for seed in range(3)]
    alone = [run(layer, given).grad.theta for given in cases]
    tapes = [layer.forward(given.theta, given.x, given.lengths, given.state).tape for given in cases]
    for k in (1, 2, 0):
        assert same_bits(layer.backward(tapes[k], cases[k].dy, cases[k].dstate).theta, alone[k])


def test_a_tape_is_spent_once():
    layer, given = float32("gru", 2, 5), case("gru", (6, 3, 2, 5), dtype="float32")
    tape = layer.forward(given.theta, given.x).tape
    layer.backward(tape, given.dy)
    with pytest.raises(RuntimeError, match="tape"):
        layer.backward(tape, given.dy)
    with pytest.raises(RuntimeError, match="tape"):
        layer.gates(tape)


@pytest.mark.parametrize("direction, merge", ARMS)
@pytest.mark.parametrize("cell", CELLS)
def test_nothing_is_shared(cell, direction, merge):
    """Results survive later passes, later passes survive what is done to results, and arguments are left as they came."""
    T, B, I, H = 6, 3, 2, 5
    layer = float32(cell, I, H, direction, merge)
    given, kept = (case(cell, (T, B, I, H), direction, merge, dtype="float32") for _ in range(2))
    first = results(layer, given)
    for a, b in [(given.theta, kept.theta), (given.x, kept.x), (given.dy, kept.dy), (given.lengths, kept.lengths)]:
        assert same_bits(a, b)
    assert_same(given.state, kept.state)
    assert_same(given.dstate, kept.dstate)

    copies = {name: array.copy() for name, array in first.items()}
    results(layer, case(cell, (T, B, I, H), direction, merge, seed=1, dtype="float32"))
    assert_same(first, copies)
    for array in first.values():
        array[...] = np.nan
    assert_same(results(layer, given), copies)

    out = layer.forward(given.theta, given.x, given.lengths, given.state)
    gates = layer.gates(out.tape)
    for array in [out.y, given.theta, *out.state.values(), *gates.values(), *given.state.values()]:
        array[...] = np.nan
    grad = layer.backward(out.tape, given.dy, given.dstate)
    assert same_bits(grad.x, copies["grad.x"])
    assert all(same_bits(block, copies[f"grad.{name}"]) for name, block in by_block(layer, grad.theta).items())


@pytest.mark.parametrize("cell", CELLS)
def test_arrays_of_any_layout(cell):
    T, B, I, H = 6, 3, 2, 5
    layer, given = float32(cell, I, H, "both", "learned"), case(cell, (T, B, I, H), "both", "learned", dtype="float32")
    expected = results(layer, given)
    scattered = lambda a: np.repeat(np.asfortranarray(a[::-1]), 2, 0)[::-2]
    given.theta, given.x, given.dy, given.lengths = map(scattered, (given.theta, given.x, given.dy, given.lengths))
    given.state, given.dstate = ({k: np.asfortranarray(a) for k, a in arrays.items()} for arrays in (given.state, given.dstate))
    assert not given.x.flags.c_contiguous
    assert_same(results(layer, given), expected)
    for lengths in (given.lengths.tolist(), given.lengths.astype("uint8"), given.lengths.astype("int8")):
        given.lengths = lengths
        assert_same(results(layer, given), expected)


@pytest.mark.parametrize("cell", CELLS)
def test_nothing_is_left_over(cell):
    """A layer's memory is used again, and what a larger problem left in it is never read."""
    T, B, I, H = 6, 3, 2, 5
    layer, given = float32(cell, I, H, "both", "learned"), case(cell, (T, B, I, H), "both", "learned", dtype="float32")
    large = case(cell, (70, 20, I, H), "both", "learned", dtype="float32")
    for junk in (np.nan, np.inf):
        for array in (large.theta, large.x, large.dy, *large.state.values(), *large.dstate.values()):
            array[...] = junk
        results(layer, large)
        assert_same(results(layer, given), results(float32(cell, I, H, "both", "learned"), given))


@pytest.mark.parametrize("make, exponents", [(float64, (-600, 500)), (float32, (-70, 60))])
@pytest.mark.parametrize("cell", CELLS)
def test_norms_neither_underflow_nor_overflow(cell, make, exponents):
    """Gradients whose squares would leave the range: everything is linear in dy, so a power of two comes out as it went in."""
    T, B, I, H = 6, 3, 2, 18
    layer = make(cell, I, H)
    given = case(cell, (T, B, I, H), dtype=make.__name__)
    given.dstate = None
    plain = run(layer, given).grad.norms
    dy = given.dy
    for exponent in exponents:
        given.dy = dy * np.asarray(2.0**exponent, dy.dtype)
        scaled = {k: norm / 2.0**exponent for k, norm in run(layer, given).grad.norms.items()}
        assert_close(scaled, plain, 1e-12 if make is float64 else 1e-6)


@pytest.mark.parametrize("make, exponent", [(float64, -1002), (float32, -102)])
@pytest.mark.parametrize("cell", CELLS)
def test_deltas_become_zero_after_norms_are_taken(cell, make, exponent):
    T, B, I, H = 6, 3, 2, 18
    layer = make(cell, I, H)
    given = case(cell, (T, B, I, H), dtype=make.__name__)
    given.dstate = None
    plain = run(layer, given).grad
    given.dy *= np.asarray(2.0**exponent, given.dy.dtype)
    tiny = run(layer, given).grad
    ends = 0, given.lengths - 1, np.arange(B)
    # A state that is an operand gets its gradient through deltas of the same step; slstm's m has one of 0, but for rounding.
    met = [k for k in plain.norms if k not in kernels.CELLS[cell].factors and k != "m"]
    assert_close({k: tiny.norms[k][ends] / 2.0**exponent for k in met}, {k: plain.norms[k][ends] for k in met}, 1e-6)
    assert plain.theta.any() and plain.x.any() and not tiny.theta.any() and not tiny.x.any()
