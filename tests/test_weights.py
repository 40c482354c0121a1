"""Weights of trials: what a run keeps, what the command hands out, and files that are refused."""

import dataclasses
import io
import json
import signal
import subprocess
import sys

import numpy as np
import pytest
import toy

from study.cli import trials as commands
from study.errors import SpecError
from study.records import store, weights
from study.trial.knobs import Trial
from study.trial.run import net_of, run
from study.tasks import TASKS

KNOBS = {"budget": 96, "units": 4, "gap": 3, "lr": 0.01}
TINY = """
name = "tiny"
knobs = { budget = 96, units = 4, lr = 0.01 }
[[grids]]
name = "grid"
seeds = 2
axes = { cell = ["rnn", "mut1"], gap = [2, 3] }
"""


@pytest.fixture
def tiny(tmp_path, call, monkeypatch):
    """A function from arguments of `run` to what it gave, of a study of eight real trials in tmp_path."""
    monkeypatch.setattr(commands, "train", run)
    (tmp_path / "tiny.toml").write_text(TINY)
    return lambda out, *arguments: call("run", tmp_path / "tiny.toml", "--out", tmp_path / out, "--workers", 2, *arguments)


def kept(out):
    return {path.name: path.read_bytes() for path in (out / "tiny" / "default" / "weights").iterdir()}


@pytest.mark.parametrize("knobs", [
    {"cell": "gru"}, {"cell": "mut1", "direction": "both", "merge": "learned"}, {"cell": "lstm", "dtype": "float64"},
    {"cell": "rnn", "method": "guess", "budget": 40}, {"cell": "lstm", "method": "probe", "after": 32},
], ids=str)  # fmt: skip
def test_a_file_gives_the_weights_of_its_trial(knobs, tmp_path):
    trial = Trial(**KNOBS | knobs)
    result = run(trial, weights=True)
    assert result == run(trial) and run(trial).weights is None
    with store.Driver(tmp_path, {}) as driver:
        driver.record(trial, toy.outcome_of(result))
    path, net = store.weights_of(tmp_path, trial.id), net_of(trial, TASKS[trial.task])
    theta = np.empty(net.size, net.dtype)
    weights.read(path, trial, net.view(theta), result.digest)
    for name, part in net.slices.items():
        assert np.array_equal(theta[part], np.concatenate([a.ravel() for key, a in result.weights.items() if key.startswith(name)]))
    with np.load(path, allow_pickle=False) as file:
        assert {"id", "trial", "digest", "recurrent/forward/W", "head/V"} <= set(file.files)
        assert Trial(**json.loads(str(file["trial"]))) == trial and str(file["digest"]) == result.digest
        assert file["recurrent/forward/U"].shape == net.layer.shapes["forward/U"]


@pytest.mark.parametrize("interrupt", ["SIGINT", "SIGKILL"])
def test_a_run_that_is_interrupted_keeps_the_same_weights_as_another(tiny, tmp_path, interrupt):
    assert tiny("whole", "--keep-weights")[0] == 0
    whole = kept(tmp_path / "whole")
    assert {f"{id}.npz" for id in store.read(tmp_path / "whole" / "tiny" / "default").lines} == set(whole) and len(whole) == 8
    command = [sys.executable, toy.__file__, "run", tmp_path / "tiny.toml", "--out", tmp_path / "parts", "--workers", "1", "--keep-weights"]
    process = subprocess.Popen(command, env=toy.environment(TOY="real"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    toy.until(lambda: len(store.read(tmp_path / "parts" / "tiny" / "default").lines) > 1)
    process.send_signal(signal.Signals[interrupt])
    process.wait()
    folder = tmp_path / "parts" / "tiny" / "default"
    assert {f"{id}.npz" for id in store.read(folder).lines} <= set(kept(tmp_path / "parts"))
    assert tiny("parts", "--keep-weights")[0] == 0
    assert kept(tmp_path / "parts") == whole
    assert (folder / "runs.jsonl").read_bytes() == (tmp_path / "whole" / "tiny" / "default" / "runs.jsonl").read_bytes()


def test_weights_are_written_before_the_record_and_only_where_asked(tiny, tmp_path, monkeypatch):
    assert tiny("none")[0] == 0 and not (tmp_path / "none" / "tiny" / "default" / "weights").exists()
    trial = Trial(cell="rnn", **KNOBS)

    def refuse(driver, suffix, line, durable=True):
        assert store.weights_of(tmp_path, trial.id).exists()
        raise store.Refused("full")

    monkeypatch.setattr(store.Driver, "_append", refuse)
    with pytest.raises(store.Refused), store.Driver(tmp_path, {}) as driver:
        driver.record(trial, toy.outcome_of(run(trial, weights=True)))


def test_weights_that_diverged_are_not_kept():
    result = run(Trial(cell="rnn_relu", **KNOBS | {"lr": 1e30, "clipping": "off", "optimizer": "sgd", "budget": 960}), weights=True)
    assert result.status == "diverged" and result.weights is None and result.digest


def test_the_command_hands_out_kept_weights_and_trained_ones_alike(tiny, tmp_path, call):
    tiny("out", "--keep-weights")
    (name, data), *_ = kept(tmp_path / "out").items()
    id, file = name.removesuffix(".npz"), tmp_path / "file.npz"
    assert call("weights", id, "--out", tmp_path / "out", "--to", file)[0] == 0 and file.read_bytes() == data
    path = store.weights_of(tmp_path / "out" / "tiny" / "default", id)
    path.unlink()
    file.unlink()
    code, _, err = call("weights", id, "--out", tmp_path / "out", "--to", file)
    assert code == 0 and "is trained again" in err and "weights of" in err and file.read_bytes() == data and not path.exists()
    for to in (tmp_path / "none" / "x", path.with_name("other.npz")):
        code, _, err = call("weights", id, "--out", tmp_path / "out", "--to", to)
        assert code == 2 and f"--to {to}" in err and not to.exists()
    assert call("weights", id, "--out", tmp_path / "out")[0] == 2


def test_training_that_gives_other_weights_than_recorded_ends_with_1(tiny, tmp_path, call):
    tiny("out")
    folder = tmp_path / "out" / "tiny" / "default"
    id = next(iter(store.read(folder).lines))
    trial = Trial(**store.read(folder).record(id)["trial"])
    (folder / "runs.jsonl").unlink()
    with store.Driver(folder, {}) as driver:
        driver.record(trial, toy.outcome_of(dataclasses.replace(run(trial), digest="0" * 64)))
    code, _, err = call("weights", id, "--out", tmp_path / "out", "--to", tmp_path / "file.npz")
    assert code == 1 and "its record says 000" in err and err.count("error: ") == 1 and not (tmp_path / "file.npz").exists()


TRIAL = Trial(cell="gru", **KNOBS)


@pytest.fixture(scope="module")
def good():
    result = run(TRIAL, weights=True)
    return result, weights.encode(TRIAL, result.weights, result.digest)


def read(path, data, result):
    path.write_bytes(data)
    net = net_of(TRIAL, TASKS[TRIAL.task])
    weights.read(path, TRIAL, net.view(np.empty(net.size, net.dtype)), result.digest)


def changed(data, **arrays):
    """The file with some arrays changed, None leaves one out."""
    with np.load(io.BytesIO(data)) as file:
        held = {name: file[name] for name in file.files} | {name.replace("_", "/"): array for name, array in arrays.items()}
    into = io.BytesIO()
    np.savez(into, **{name: array for name, array in held.items() if array is not None})
    return into.getvalue()


def array(data, name, place, value):
    with np.load(io.BytesIO(data)) as file:
        values = file[name]
    values[place] = value
    return values


@pytest.mark.parametrize("change, says", [
    (lambda data: changed(data, id=np.array("another")), "id: expected weights of .*, got those of another"),
    (lambda data: changed(data, trial=None), "trial: expected weights of .*, got those of None"),
    (lambda data: changed(data, trial=np.array(json.dumps({"cell": "gru"}))), "trial: expected weights of .*, got those of .*gru"),
    (lambda data: changed(data, head_V=None), "expected the arrays recurrent/forward/W, .*head/v, got recurrent/forward/W"),
    (lambda data: changed(data, more=np.zeros(3)), "expected the arrays .*, got .*more"),
    (lambda data: changed(data, head_v=np.zeros(3, np.float32)), r"head/v: expected float32 of shape \(4,\), got float32 of shape \(3,\)"),
    (lambda data: changed(data, head_v=np.zeros(4)), "head/v: expected float32 .*, got float64"),
    (lambda data: changed(data, head_v=np.array([1, "x", None, 3], object)), "expected a file of weights"),
    (lambda data: changed(data, head_v=array(data, "head/v", 2, np.nan)), "head/v: expected finite numbers, got NaN"),
    (lambda data: changed(data, head_v=array(data, "head/v", 2, -np.inf)), "head/v: expected finite numbers"),
    (lambda data: changed(data, head_v=array(data, "head/v", 2, 0.25)), "expected weights whose digest is the record's"),
    (lambda data: changed(data, digest=np.array("0" * 64)), "expected weights whose digest is the record's"),
    (lambda data: b"", "expected a file of weights"), (lambda data: b"x" * 999, "expected a file of weights"),
    (lambda data: data[:-30], "expected a file of weights"), (lambda data: data[: len(data) // 2], "expected a file of weights"),
])
def test_a_file_that_is_not_the_trials_is_refused(good, tmp_path, change, says):
    result, data = good
    read(tmp_path / "x.npz", data, result)
    with pytest.raises(SpecError, match=f"x.npz: {says}"):
        read(tmp_path / "x.npz", change(data), result)


def test_no_byte_can_change_unseen(good, tmp_path):
    """A file with one byte changed is refused, or still gives the weights; it raises nothing else."""
    result, data = good
    net, refused = net_of(TRIAL, TASKS[TRIAL.task]), 0
    for at in range(0, len(data), 7):
        (tmp_path / "x.npz").write_bytes(data[:at] + bytes([data[at] ^ (1 + at % 255)]) + data[at + 1 :])
        theta = np.empty(net.size, net.dtype)
        try:
            weights.read(tmp_path / "x.npz", TRIAL, net.view(theta), result.digest)
            assert np.array_equal(theta, np.concatenate([a.ravel() for a in result.weights.values()]))
        except SpecError:
            refused += 1
    assert refused > len(data) / 7 / 2


def test_a_damaged_file_is_one_message_of_the_commands(tiny, tmp_path, call):
    tiny("out", "--keep-weights")
    name, data = next(iter(kept(tmp_path / "out").items()))
    path = store.weights_of(tmp_path / "out" / "tiny" / "default", name.removesuffix(".npz"))
    path.write_bytes(data[:-50])
    for command in (["sample"], ["weights", "--to", tmp_path / "file.npz"]):
        code, _, err = call(*command, path.stem, "--out", tmp_path / "out")
        assert code == 2 and err.startswith(f"error: {path}: ") and err.count("\n") == 1 and not (tmp_path / "file.npz").exists()
