"""The numerical contract: the same bits with any instruction set, threads, batch, or process history, and as committed."""
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from cases import CELLS, assert_same, case, float32, float64, results, same_bits
from hashes import WRITE, digest

import kernels

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "golden" / "kernels.json").read_text())
FEW = "both 37,7,5,33"    # a problem of each cell and dtype


def hashes(*arguments, **environment):
    """What tests/hashes.py prints, in a process of its own."""
    command = [sys.executable, str(HERE / "hashes.py"), *arguments]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_covered(names):
    missing = sorted({name.split()[0] for name in names if name not in GOLDEN["hashes"]})
    assert not missing, f"no golden hash of {', '.join(missing)}; to add it: {WRITE}"


def assert_golden(found):
    assert_covered(found["hashes"])
    wrong = {name: value for name, value in found["hashes"].items() if value != GOLDEN["hashes"][name]}
    assert found["hashes"] and not wrong, wrong


def test_golden_hashes_are_of_these_numerics():
    assert GOLDEN["NUMERICS"] == kernels.NUMERICS
    hashed = {name.split()[0] for name in GOLDEN["hashes"]}
    missing, strangers = sorted(set(CELLS) - hashed), sorted(hashed - set(CELLS))
    assert not missing, f"no golden hash of {', '.join(missing)}; to add it: {WRITE}"
    assert not strangers, f"golden hashes of what is no cell: {', '.join(strangers)}; to take them out: {WRITE}"


@pytest.mark.parametrize("isa", ["avx512", "avx2", "generic", "neon"])
def test_every_instruction_set_and_number_of_threads(isa):
    if isa not in kernels.isas():
        pytest.skip(f"this processor or build has no {isa}")
    # One source divides the work among threads for all instruction sets, so five numbers of threads on the best one suffice.
    threads = [1, 2, 3, 4, 7] if isa == kernels.isas()[0] else [1, 3]
    found = hashes("--threads", ",".join(map(str, threads)), LONGLAG_ISA=isa)
    assert found["isa"] == isa
    assert_covered(found["hashes"])
    expected = {name: [value] * len(threads) for name, value in GOLDEN["hashes"].items()}
    assert found["hashes"] == expected


@pytest.mark.skipif("generic" not in kernels.isas(), reason="this processor or build has no generic")
def test_where_the_c_library_has_no_fma():
    """Its fma is then made of integer operations; float32 has an exact one of its own."""
    found = hashes("--only", "both 3,5,2,70", LONGLAG_ISA="generic", GLIBC_TUNABLES="glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2")
    assert_golden(found)


def test_where_torch_was_first():
    if not importlib.util.find_spec("torch"):
        pytest.skip("torch is not installed")
    found = hashes("--in", "torch", "--threads", "2", "--only", FEW)
    assert_golden(found)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64") or not shutil.which("cc"), reason="needs x86-64 and a C compiler")
@pytest.mark.parametrize("threads", ["1", "3"])
@pytest.mark.parametrize("only", [FEW, "denormal"])
def test_where_someone_set_flush_to_zero(only, threads):
    found = hashes("--in", "ftz", "--threads", threads, "--only", only)
    assert_golden(found)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_in_a_forked_child():
    found = hashes("--in", "fork", "--threads", "4", "--only", FEW)
    assert_golden(found)


def test_from_several_python_threads_at_once():
    layers = [float32(cell, 3, 20, "both", "learned") for cell in CELLS]
    cases = [case(cell, (40, 9, 3, 20), "both", "learned", dtype="float32") for cell in CELLS]
    expected = [results(layer, given, threads=1) for layer, given in zip(layers, cases)]
    with ThreadPoolExecutor(4) as pool:
        jobs = [(k, pool.submit(results, layers[k], cases[k], threads=2)) for _ in range(4) for k in range(len(CELLS))]
        for k, job in jobs:
            assert_same(job.result(), expected[k])


@pytest.mark.parametrize("make", [float32, float64])
@pytest.mark.parametrize("direction, merge", [("both", "learned"), ("reverse", "concat")])
@pytest.mark.parametrize("units", [3, 8, 15, 27, 37])
@pytest.mark.parametrize("cell", CELLS)
def test_rows_are_the_same_alone(cell, units, direction, merge, make):
    """Whatever the batch and its size: outputs, states, gates, and gradients with respect to x and states."""
    T, B, I, H = 36, 14, 19, units
    layer = make(cell, I, H, direction, merge)
    given = case(cell, (T, B, I, H), direction, merge, dtype=make.__name__)
    truncated = layer.cell.truncates and units < 10
    whole = results(layer, given, truncated=truncated)
    for rows in ([0], [5], [13], [2, 8, 11]):
        steps = given.lengths[rows].max()
        alone = SimpleNamespace(
            theta=given.theta, x=given.x[:steps, rows], lengths=given.lengths[rows], dy=given.dy[:steps, rows],
            state={k: a[:, rows] for k, a in given.state.items()}, dstate={k: a[:, rows] for k, a in given.dstate.items()})
        for name, array in results(layer, alone, truncated=truncated).items():
            if name in ("y", "grad.x"):
                assert same_bits(array, whole[name][:steps, rows]), name
            elif name.startswith(("gates", "norms")):
                assert same_bits(array, whole[name][:, :steps, rows]), name
            elif "/" not in name:
                assert same_bits(array, whole[name][:, rows]), name


@pytest.mark.parametrize("make", [float32, float64])
@pytest.mark.parametrize("cell", CELLS)
def test_recomputing_segments_changes_nothing(cell, make):
    """`checkpoint` steps, rounded up to whole chunks of 32."""
    T, B, I, H = 101, 3, 19, 18
    layer = make(cell, I, H, "both", "learned")
    given = case(cell, (T, B, I, H), "both", "learned", dtype=make.__name__)
    given.lengths[1:] = 70, 90

    def weights(checkpoint):
        out = layer.forward(given.theta, given.x, given.lengths, given.state, checkpoint=checkpoint)
        grad = layer.backward(out.tape, given.dy, given.dstate, norms=True)
        return {"y": out.y, "theta": grad.theta, "x": grad.x} | {k: a for k, a in grad.state.items()} | {f"n{k}": a for k, a in grad.norms.items()}

    plain = weights(None)
    for checkpoint in (1, 32, 33, 64, 1000):
        assert_same(weights(checkpoint), plain)


@pytest.mark.parametrize("make", [float32, float64])
@pytest.mark.parametrize("cell", CELLS)
def test_a_nan_stays_in_its_row(cell, make):
    T, B, I, H = 6, 9, 3, 20
    layer = make(cell, I, H, "both", "learned")
    given = case(cell, (T, B, I, H), "both", "learned", dtype=make.__name__)
    given.lengths[4] = T
    plain = results(layer, given)
    given.x[2, 4, 1] = np.nan
    spoilt = results(layer, given)
    others = np.arange(B) != 4
    for name in ("y", "grad.x"):
        # What a linear cell gives back to x depends on no state.
        assert np.isnan(spoilt[name][:, 4]).any() or (name, cell) == ("grad.x", "lru")
        assert same_bits(spoilt[name][:, others], plain[name][:, others])
    assert np.isnan(spoilt["y"][2:, 4]).all() and np.isnan(spoilt["state.h"][:, 4]).all()
    for name in spoilt:
        if "/" not in name and "." in name and name != "grad.x":
            kept = [a[:, others] if name.startswith(("state", "grad.state")) else a[:, :, others] for a in (spoilt[name], plain[name])]
            assert same_bits(*kept), name
    assert all(np.isnan(spoilt[name]).all() for name in spoilt if name.endswith("/b[0]"))


def test_the_digest_sees_every_bit_but_a_nans_payload():
    a = {"a": np.array([1.0, np.nan, 0.0])}
    assert digest(a) == digest({"a": np.array([1.0, -np.nan, 0.0])})
    for other in ([1.0, np.nan, -0.0], [np.nextafter(1.0, 2), np.nan, 0.0], [1.0, 2.0, 0.0]):
        assert digest(a) != digest({"a": np.array(other)})
    assert digest(a) != digest({"b": a["a"]}) and digest(a) != digest({"a": a["a"][None]})
    assert digest({"a": np.zeros(2, "float32")}) != digest({"a": np.zeros(1)})
