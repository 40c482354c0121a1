"""Initial parameters: bounds, biases and signs by value; each parameter from its own stream."""
import numpy as np
import pytest
from cases import CELLS, fitting

import kernels
from kernels.starts import STARTS
from study.trial.knobs import Trial

H = 64


def parameters(cell, direction="forward", merge="concat", dtype="float64", **scheme):
    layer = kernels.RNN(cell, fitting(cell, 3, H), H, direction, merge, dtype)
    return layer.view(layer.init(**scheme))


def memory(cell, b):
    """{gate: its bias with the sign that lengthens the memory}, and the other rows of b."""
    rows = dict(zip(kernels.CELLS[cell].biases, b))
    return {gate: sign * rows.pop(gate) for gate, sign in kernels.CELLS[cell].retains}, rows


def gates(cell, forget_bias):
    """The forget bias, for cells that have one to set."""
    return {"forget_bias": forget_bias} if kernels.CELLS[cell].retains else {}


RETAINS = {
    "rnn": (), "lstm": (("f", 1), ("i", -1)), "peephole": (("f", 1), ("i", -1)), "coupled": (("f", 1),),
    "gru": (("z", -1),), "gru_after": (("z", 1),), "rnn_relu": (), "lstm_1997": (), "nig": (("f", 1),), "nfg": (),
    "nog": (("f", 1), ("i", -1)), "niaf": (("f", 1), ("i", -1)), "noaf": (("f", 1), ("i", -1)),
    "coupled_peephole": (("f", 1),), "mgu": (("f", -1),), "janet": (("f", 1),), "fgr": (("f", 1), ("i", -1)),
    "mut1": (("z", -1),), "mut2": (("z", -1),), "mut3": (("z", -1),), "lstm_hs97": (), "lstm_gers": (("f", 1), ("i", -1)),
    "indrnn": (), "ugrnn": (("z", 1),), "mingru": (("z", -1),), "minlstm": (("f", 1), ("i", -1)), "slstm": (("f", 1),), "lru": (), "cornn": (),
    "lem": (("d1", -1), ("d2", -1)), "mlstm_krause": (("f", 1), ("i", -1))}


def test_what_retains_is_said_of_every_cell():
    missing, strangers = set(CELLS) - set(RETAINS), set(RETAINS) - set(CELLS)
    assert not missing and not strangers, f"RETAINS: add {sorted(missing)}, take out {sorted(strangers)}"


@pytest.mark.parametrize("cell", RETAINS)
def test_gates_that_retain(cell):
    """Of h = (1 - z) h' + z n a small z remembers, of h = (1 - z) n + z h' a large one."""
    assert kernels.CELLS[cell].retains == RETAINS[cell]


@pytest.mark.parametrize("cell", CELLS)
def test_uniform(cell):
    views = parameters(cell, "both", "learned", **gates(cell, 1.5))
    for name, part in views.items():
        if name.endswith("p") and cell in STARTS:
            continue
        if name.endswith("b") and not name.startswith("merge"):
            forget, others = memory(cell, part)
            others |= dict(list(forget.items())[1:])
            assert all((values == 1.5).all() for values in list(forget.values())[:1])
            part = np.array([*others.values()])
        bound = 1 / np.sqrt(2 * H if name.startswith("merge") else H)
        assert np.abs(part).max() <= bound, name
        if part.size:
            assert np.abs(part).max() > 0.9 * bound and len(np.unique(part)) == part.size, name
            assert abs(part.mean()) < 4 * bound / np.sqrt(3 * part.size) and 0.7 < part.std() / bound * np.sqrt(3) < 1.3, name


@pytest.mark.parametrize("cell", CELLS)
def test_glorot(cell):
    for name, part in parameters(cell, "both", "learned", scheme="glorot", **gates(cell, 0.0)).items():
        if name.endswith("p") and cell in STARTS:
            continue
        if name[-1] in "bp":
            assert not part.any(), name
        else:
            bound = np.sqrt(6 / sum(part.shape[-2:]))
            assert 0.9 * bound < np.abs(part).max() <= bound, name


@pytest.mark.parametrize("cell", [cell for cell in CELLS if kernels.CELLS[cell].recurrent])
def test_orthogonal_and_identity(cell):
    for U in parameters(cell, scheme="orthogonal")["forward/U"]:
        assert np.abs(U @ U.T - np.eye(H)).max() < 1e-12
        assert np.abs(U).max() < 0.8    # neither the identity nor a permutation
    identity = parameters(cell, scheme="identity", **gates(cell, 0.0))
    assert all(np.array_equal(U, np.eye(H)) for U in identity["forward/U"]) and not np.any(identity.get("forward/b", 0))
    assert np.array_equal(identity["forward/W"], parameters(cell)["forward/W"])


@pytest.mark.parametrize("cell", [cell for cell in CELLS if not kernels.CELLS[cell].recurrent])
@pytest.mark.parametrize("scheme", ["orthogonal", "identity"])
def test_a_cell_without_u_has_no_scheme_for_it(cell, scheme):
    with pytest.raises(ValueError, match=f"scheme: expected .*, got '{scheme}'"):
        parameters(cell, scheme=scheme)
    with pytest.raises(ValueError, match=f"scheme: {cell} has no U to be {scheme}"):
        Trial(cell=cell, gap=5, method="probe", scheme=scheme)


@pytest.mark.parametrize("scheme", ["uniform", "glorot"])
def test_own_parameters_start_as_their_authors_say(scheme):
    """Li et al. 2018: p in [0, 1]. Orvieto et al. 2023: eigenvalues uniform in the unit disc, exp(gamma)^2 = 1 - |l|^2."""
    p = parameters("indrnn", scheme=scheme)["forward/p"]
    assert 0 <= p.min() < 0.1 and 0.9 < p.max() <= 1 and len(np.unique(p)) == H
    nu, theta, gamma = parameters("lru", scheme=scheme)["forward/p"]
    area, turn = np.exp(-np.exp(nu)) ** 2, np.exp(theta) / (2 * np.pi)
    assert np.exp(2 * gamma) == pytest.approx(1 - area)
    assert all(0 < u.min() < 0.1 and 0.9 < u.max() < 1 and abs(u.mean() - 0.5) < 4 / np.sqrt(12 * H) for u in (area, turn))


@pytest.mark.parametrize("cell", [cell for cell in CELLS if not kernels.CELLS[cell].retains])
def test_a_cell_without_a_gate_that_retains_has_no_bias_to_set(cell):
    for named in ({"forget_bias": 0.0}, {"chrono": 100}):
        with pytest.raises(ValueError, match=f"{next(iter(named))}: expected .*{cell} has no gate"):
            parameters(cell, **named)
    one, other = parameters(cell, forget_bias=1.0), parameters(cell)
    assert all(np.array_equal(one[name], other[name]) for name in other)


@pytest.mark.parametrize("cell", [cell for cell in CELLS if kernels.CELLS[cell].retains])
def test_chrono(cell):
    """v = log U(1, T_max - 1), with the opponents at -v (Tallec & Ollivier 2018)."""
    views = parameters(cell, chrono=101.0, forget_bias=7.0)
    forget, others = memory(cell, views["forward/b"])
    v = next(iter(forget.values()))
    assert all(np.array_equal(values, v) for values in forget.values())
    assert np.exp(v).min() >= 1 and np.exp(v).max() <= 100
    assert abs(np.exp(v).mean() - 50.5) < 4 * 99 / np.sqrt(12 * H) and len(np.unique(v)) == H
    plain = parameters(cell)
    _, same = memory(cell, plain["forward/b"])
    assert all(np.array_equal(values, same[gate]) for gate, values in others.items())
    assert all(np.array_equal(views[name], plain[name]) for name in views if name != "forward/b")


def test_a_parameter_is_drawn_by_seed_and_name():
    """So arms are paired: not by direction, merge or cell."""
    forward, both = parameters("gru", seed=3), parameters("gru", "both", "learned", seed=3)
    assert all(np.array_equal(forward[name], both[name]) for name in forward)
    assert not np.array_equal(both["forward/W"], both["reverse/W"])
    assert not np.array_equal(forward["forward/W"], parameters("gru", seed=4)["forward/W"])
    assert np.array_equal(parameters("lstm", seed=3)["forward/U"], parameters("peephole", seed=3)["forward/U"])


@pytest.mark.parametrize("knobs", [{}, {"scheme": "orthogonal"}, {"chrono": 50}])
def test_layers_with_different_prefixes_start_different(knobs):
    layers = [parameters("lstm", "both", "learned", prefix=prefix, **knobs) for prefix in ("", "layer1/", "layer2/")]
    assert all(np.array_equal(layers[0][name], part) for name, part in parameters("lstm", "both", "learned", **knobs).items())
    for name in layers[0]:
        for one, other in ((0, 1), (0, 2), (1, 2)):
            assert (layers[one][name] != layers[other][name]).mean() > 0.7, name
    with pytest.raises(TypeError, match="prefix: expected a string, got 1"):
        parameters("lstm", prefix=1)


@pytest.mark.parametrize("scheme", ["uniform", "glorot", "orthogonal", "identity"])
def test_float32_is_float64_rounded(scheme):
    short, long = (parameters("lstm", dtype=dtype, scheme=scheme, chrono=50) for dtype in ("float32", "float64"))
    assert all(np.array_equal(short[name], long[name].astype("float32")) for name in long)
