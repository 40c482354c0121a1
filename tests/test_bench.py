"""The timing studies: operations, agreement of peers, records and figures. No test depends on speed."""

import json
import os
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import kernels
from kernels.processor import affinity
from made_records import TINY, entry
from study.__main__ import main
from study.bench import agreement, inputs, memory, operations, peer_process, peers, suite_runner, suites, timing
from study.bench.case import Case
from study.bench.peers import OTHERS
from study.records.machine import PROJECT

EFFORT = timing.Effort(rounds=3, visits=1, seconds=0.0)
INSTALLED = [name for name in OTHERS if peers.version(name)]


@pytest.fixture(scope="module")
def running():
    """A process for each installed peer."""
    with peer_process.running(["ours", *INSTALLED], 1) as processes:
        yield processes


# ------------------------------------------------------------------------------------------------------------ work

@pytest.mark.parametrize("name", kernels.CELLS)
def test_operations_are_those_of_the_products(name):
    T, B, I, H = 7, 3, 2, 5
    cell = kernels.CELLS[name]

    def product(m, k, n):
        return 2 * m * k * n

    square = cell.recurrent + cell.feedback
    forward = sum(product(T * B, I, H) for _ in cell.inputs) + sum(product(T * B, H, H) for _ in square)
    dW = sum(product(I, T * B, H) for _ in cell.inputs)
    dU = sum(product(H, T * B, H) for _ in square)
    dh = sum(product(T * B, H, H) for _ in square)
    assert operations.operations(Case("", "forward", name, T, B, I, H)) == forward
    for work in ("training", "iteration"):
        assert operations.operations(Case("", work, name, T, B, I, H)) == forward + dW + dU + dh
    assert operations.operations(Case("", "study", name, T, B, I, H)) is None


def test_gru_forms_count_three_blocks_either_way():
    assert operations.operations(Case("", "training", "gru_after", 100, 32, 2, 32)) == 2 * 100 * 32 * 32 * (2 * 3 * 2 + 3 * 3 * 32)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_peak_counts_its_operations(dtype, threads):
    work = kernels.build("peak", dtype).multiply_adds
    lanes = {"avx512": 64, "avx2": 32}.get(kernels.isa(), 16) // np.dtype(dtype).itemsize
    assert work(10, threads) == 10 * work(1, threads) == 10 * threads * 12 * lanes * 2


def test_inputs_are_the_same_numbers_in_either_dtype():
    one, other = inputs.inputs(TINY), inputs.inputs(replace(TINY, dtype="float64"))
    assert one["x"].dtype == np.float32 and (one["x"] == other["x"].astype(np.float32)).all()
    assert (one["weights"]["U"] == other["weights"]["U"].astype(np.float32)).all() and one["weights"]["U"].shape == (4, 7, 7)


def test_every_suite_has_its_title_and_its_cases():
    kernels_ = suites.of_kernels(2, 6)
    trials = suites.of_trials(2)
    modules = suites.of_modules(2)
    assert {*kernels_, *trials, *modules, "memory", "study"} == set(suites.TITLES)
    assert set(suites.FLOORS) <= {*kernels_, *trials, *modules}
    assert {case.threads for case in kernels_["threads"].cases} == {1, 2, 4, 6}
    assert {case.threads for suite in kernels_.keys() - {"threads"} for case in kernels_[suite].cases} == {2}
    assert all(case.suite == name for name, suite in (kernels_ | trials | modules).items() for case in suite.cases)
    assert [case.T for case in trials["trial"].cases] == [100] * 12 + [200] * 12
    assert {case.cell for case in trials["online"].cases if case.B == 1} == set(kernels.CELLS)


# ------------------------------------------------------------------------------------------------------- agreement

def test_difference_is_relative_to_the_largest_number():
    expected = {"y": np.array([1.0, -4.0]), "b": np.array([0.5])}
    assert agreement.difference({"y": np.array([1.0, -4.4]), "b": np.array([0.5])}, expected) == pytest.approx(0.1)
    assert agreement.difference({"y": np.array([np.nan, -4.0]), "b": np.array([0.5])}, expected) == np.inf
    with pytest.raises(ValueError, match="expected results"):
        agreement.difference({"y": expected["y"]}, expected)
    with pytest.raises(ValueError, match="expected results"):
        agreement.difference({"y": expected["y"], "b": np.zeros(2)}, expected)


@pytest.mark.parametrize("work", ["training", "forward"])
@pytest.mark.parametrize("cell", kernels.CELLS)
def test_peers_agree(running, cell, work):
    wide = {"I": 10} if kernels.CELLS[cell].direct else {}
    exact, rounded = (replace(TINY, cell=cell, work=work, dtype=dtype, T=9, H=10, **wide) for dtype in ("float64", "float32"))
    able = [name for name in INSTALLED if running[name].ask("can", exact)]
    others = [name for name in INSTALLED if name not in able and running[name].ask("can", rounded)]
    assert "numpy" in able
    for case, names in ((exact, able), (rounded, others)):
        for name, (off, wrong) in agreement.agreement(case, running, names).items():
            assert wrong is None and off < 1e-5, (name, case.dtype, off, wrong)


@pytest.mark.parametrize("cell", kernels.CELLS)
def test_modules_agree(running, cell):
    """Also: what the layer of torch computes, and all its gradients, are those of the twin's equations by torch's autograd."""
    if "loop" not in running:
        pytest.skip("torch is not installed")
    case = replace(TINY, cell=cell, work="module", dtype="float64", I=7 if kernels.CELLS[cell].direct else 3)
    able = [name for name in ("torch", "loop") if running[name].ask("can", case)]
    assert "loop" in able
    for name, (off, wrong) in agreement.agreement(case, running, able).items():
        assert wrong is None and off < 1e-13, (name, off, wrong)


ITERATIONS = [
    *(suites.recall("trial", "iteration", cell, 4, 6, dtype="float64") for cell in suites.CELLS),
    *(suites.order(cell, 1, 6, dtype="float64") for cell in suites.CELLS),
    *(replace(case, gap=4, H=6, dtype="float64") for case in suites.of_trials(1)["nets"].cases if case.net or case.task == suites.COPY),
]


@pytest.mark.parametrize("case", ITERATIONS, ids=str)
def test_iterations_agree(running, case):
    able = [name for name in INSTALLED if running[name].ask("can", case)]
    for name, (off, wrong) in agreement.agreement(case, running, able).items():
        assert wrong is None, (name, off, wrong)


def test_a_trial_by_a_peer_ends_as_ours(running):
    if "torch" not in running:
        pytest.skip("torch is not installed")
    case = suites.recall("study", "study", "gru_after", 3, 6, dtype="float64", budget=320)
    results = timing.trial(case, ["ours", "torch"], running)["peers"]
    assert {**results["torch"], "seconds": 0} == {**results["ours"], "seconds": 0}


def test_swapped_gates_disagree(running):
    given = inputs.inputs(replace(TINY, dtype="float64"))
    expected = running["ours"].ask("prepare", replace(TINY, dtype="float64"), given)
    given["weights"]["W"] = given["weights"]["W"][[1, 0, 2, 3]]
    got = running["numpy"].ask("prepare", replace(TINY, dtype="float64"), given)
    assert agreement.difference(got, expected) > 1e-3


# ----------------------------------------------------------------------------------------------------- processes

def test_peers_are_pinned(running):
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system has no affinity")
    for peer in running.values():
        assert os.sched_getaffinity(peer._process.pid) == set(peer_process.pinned(1))


def test_a_lost_request_says_why():
    peer = peer_process.PeerProcess("numpy", peer_process.pinned(1))
    with pytest.raises(peer_process.Lost, match="AttributeError"):
        peer.ask("once", "nothing")
    assert peer.ask("can", TINY)
    peer._process.kill()
    with pytest.raises(peer_process.Lost, match="its process ended"):
        peer.ask("can", TINY)
    peer.close()


def test_a_missing_peer_has_its_install_command(monkeypatch):
    monkeypatch.setattr(peers, "version", lambda name: None if name == "jax" else "1")
    there, missing = peer_process.available(["ours", "jax"])
    assert there == {"ours": "1"} and "[peers]" in missing["jax"] and missing["jax"].startswith("not installed")


# ---------------------------------------------------------------------------------------------------------- memory

def test_a_tape_holds_gates_and_states():
    numbers = {case["cell"]: case["numbers"] for case in memory.tapes(1, units=32)}
    assert numbers.keys() == kernels.CELLS.keys()
    expected = {"rnn": 2, "lstm": 6, "gru": 5, "mut1": 5}  # gru and mut1 keep an operand of their second stage
    assert {cell: numbers[cell] for cell in expected} == expected


# --------------------------------------------------------------------------------------------------------- commands

@pytest.fixture
def small(monkeypatch):
    """Suites of a few tiny cases with short rounds."""
    of_kernels = {name: suites.Suite([replace(TINY, suite=name, threads=n) for n in counts], None if name == "table" else ())
                  for name, counts in {"table": [1], "threads": [1, 2], "gap": [1]}.items()}
    monkeypatch.setattr(suites, "of_kernels", lambda threads, most: of_kernels)
    trials, studies = suites.recall("trial", "iteration", "rnn", 4, 6), suites.recall("study", "study", "rnn", 3, 6, budget=64)
    online, net = suites.order("rnn", 1, 6), replace(trials, suite="nets", net=(("layers", 2),))
    of_trials = {"trial": suites.Suite([trials], ()), "online": suites.Suite([online], ()),
                 "nets": suites.Suite([net], (), earlier=False)}
    monkeypatch.setattr(suites, "of_trials", lambda threads: of_trials)
    module = replace(TINY, suite="modules", work="module")
    monkeypatch.setattr(suites, "of_modules", lambda threads: {"modules": suites.Suite([module], ("torch", "loop"), earlier=False)})
    monkeypatch.setattr(suites, "of_studies", lambda threads: suites.Suite([studies], ()))
    monkeypatch.setattr(memory, "tapes", lambda threads: iter([{"cell": "lstm", "units": 8, "bytes": 192.0, "numbers": 6.0}]))
    monkeypatch.setattr(memory.footprint, "__defaults__", (replace(memory.LONG, T=70, H=8), 32))
    monkeypatch.setattr(timing, "Effort", lambda rounds: EFFORT)


@pytest.fixture
def call(capfd, tmp_path):
    """call(arguments) -> (exit code, stdout, stderr) of `bench`, into tmp_path."""

    def call(*arguments):
        with pytest.raises(SystemExit) as end:
            main(["bench", *arguments, "--out", str(tmp_path)])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return end.value.code, out, err

    return call


def test_bench_kernels(small, call, tmp_path):
    code, out, err = call("kernels", "--peers", "numpy", "--only", "table,gap,memory")
    assert code == 0 and "1/1 training lstm T12 B5 I3 H7 float32 on 1" in err
    assert "Training step, float32" in out and "numbers a unit" in out and "under 2 GiB" in out
    folder = tmp_path / "bench" / kernels.isa()
    kept = json.loads((folder / "table.json").read_text())
    assert kept["schema"] == 1 and kept["finished"] and kept["processors"] == peer_process.pinned(1)
    assert kept["command"].endswith("python -m study bench kernels --peers numpy --only table,gap,memory")
    assert kept["machine"]["kernels"]["isa"] == kernels.isa() and kept["peers"]["numpy"] == peers.version("numpy")
    case, = kept["cases"]
    assert case["peers"].keys() == {"ours", "numpy"} and case["peak"]["median"] > 0
    assert case["peers"]["numpy"]["difference64"] < 1e-12 and case["peers"]["ours"]["median"] > 0
    assert {path.name for path in folder.iterdir()} == {
        "REPORT.md", "figures", *(f"{suite}.{kind}" for suite in ("table", "gap", "memory") for kind in ("csv", "json"))}
    page = (folder / "REPORT.md").read_text()
    assert kept["command"] in page and "figures/gap.svg" in page and (folder / "figures" / "gap.svg").exists()


def test_bench_on_several_threads(small, call, tmp_path):
    if len(affinity()) < 2:
        pytest.skip("one processor")
    assert call("kernels", "--peers", "none", "--only", "threads")[0] == 0
    speedups = pd.read_csv(tmp_path / "bench" / kernels.isa() / "figures" / "threads.csv")
    assert list(speedups["threads"]) == [1, 2] and speedups["speedup"][0] == 1


def test_bench_trial_and_study(small, call, tmp_path):
    code, out, _ = call("trial", "--peers", "none", "--against", str(PROJECT))
    assert code == 0 and "over earlier" in out
    for suite in suites.TRIAL_TITLES:
        kept = json.loads((tmp_path / "bench" / kernels.isa() / f"{suite}.json").read_text())
        case, = kept["cases"]
        assert case["peers"].keys() == ({"ours"} if suite == "nets" else {"ours", "earlier"})
        assert all(case["peers"][name]["difference"] == 0 for name in case["peers"].keys() & {"earlier"})
        assert kept["command"].endswith("--against CLONE") and (case["chain"] is None) == (suite != "online")
    code, out, _ = call("study", "--peers", "none")
    assert code == 0 and "ours: " in out and "for a thousand sequences" in out


def test_bench_modules(small, call, tmp_path):
    code, out, err = call("modules")
    if "loop" not in INSTALLED:
        assert code == 1 and "without torch: not installed" in err and "modules: ModuleNotFoundError" in err
        return
    kept = json.loads((tmp_path / "bench" / kernels.isa() / "modules.json").read_text())
    assert code == 0 and kept["cases"][0]["peers"].keys() == {"ours", "torch", "loop"} and "over loop" in out


def test_an_interruption_keeps_what_was_timed(small, call, tmp_path, monkeypatch):
    def twice(*arguments):
        yield TINY, entry(TINY, ours=2.0)
        yield TINY, entry(TINY, ours=1.0)
        raise KeyboardInterrupt

    monkeypatch.setattr(suite_runner.SuiteRunner, "_timed", twice)
    assert call("kernels", "--peers", "none", "--only", "table,gap")[0] == 130
    folder = tmp_path / "bench" / kernels.isa()
    kept = json.loads((folder / "table.json").read_text())
    assert not kept["finished"] and [case["peers"]["ours"]["median"] for case in kept["cases"]] == [1.0]
    assert not (folder / "gap.json").exists()


@pytest.mark.parametrize("files", [["kernels/_timeloop_x.so"], ["kernels/__init__.py", "study/__init__.py"]])
def test_a_folder_that_is_no_clone_is_refused(call, tmp_path_factory, files):
    folder = tmp_path_factory.mktemp("clone")
    for name in files:      # without kernels/__init__.py Python would import the kernels of this project in their place
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    code, _, err = call("trial", "--against", str(folder))
    assert code == 2 and f"expected a compiled clone of this project, got {str(folder)!r}" in err


def test_a_peer_that_was_refused_makes_the_command_fail(small, call, monkeypatch):
    refused = entry(TINY, ours=1.0)
    refused["peers"]["torch"] = {"refused": "disagrees"}
    monkeypatch.setattr(suite_runner.SuiteRunner, "_timed", lambda *_: iter([(TINY, refused)]))
    assert call("kernels", "--peers", "none", "--only", "table")[0] == 1


@pytest.mark.parametrize("arguments, said", [
    (["kernels", "--peers", "tensorflow"], "unknown peer 'tensorflow' (known: torch, loop, jax, onnxruntime, numpy)"),
    (["kernels", "--only", "tabel"], "did you mean 'table'?"),
    (["trial", "--only", "netz"], "did you mean 'nets'?"),
    (["trial", "--against", "nowhere"], "expected a compiled clone of this project, got 'nowhere'"),
    (["trial", "--threads", "4096"], f"this process may use {len(affinity())} processors, got 4096"),
])
def test_wrong_arguments(call, arguments, said, tmp_path):
    code, out, err = call(*arguments)
    assert code == 2 and said in err and not list(tmp_path.iterdir())
