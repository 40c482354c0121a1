"""Nets of trials as ONNX models: every cell, head and stack in onnxruntime, and the command."""

import json

import numpy as np
import pytest
import toy

import kernels
from study.nets.architecture import Architecture
from study.nets.net import Net
from study.records import store
from study.tasks import TASKS
from study.trial.knobs import Trial
from study.trial.run import run

onnx = pytest.importorskip("onnx", reason="onnx is not installed: pip install 'longlag[onnx]'")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: pip install 'longlag[onnx]'")

from onnx_models import session  # noqa: E402

from study.nets.onnx import encode  # noqa: E402

TOLERANCE = {"float32": 1e-5, "float64": 1e-12}
MADE_OF = [
    {}, {"direction": "both"}, {"head": "attention"}, {"head": "attention", "attention": "general", "direction": "reverse"},
    {"head": "attention", "attention": "dot", "direction": "both", "merge": "sum"}, {"layers": 3, "stack": "residual"},
    {"layers": 2, "direction": "both", "merge": "learned"}, {"output": "sigmoid", "merge": "mean", "direction": "both"},
]  # fmt: skip
GRIDS = [{"layers": 3, "stack": "grid"}, {"layers": 2, "stack": "grid", "tied": True}]
NETS = [(cell, made_of) for cell, row in kernels.CELLS.items()
        for made_of in MADE_OF + (GRIDS if row.states == ("h", "c") else [])]


def answers(model, batch, dtype):
    """What a model answers to a Batch."""
    x, lengths = np.asarray(batch.x).astype(dtype), batch.lengths.astype(np.int32)
    (found,) = session(model).run(["answers"], {"x": x, "lengths": lengths, "places": batch.places()})
    return found


def assert_answers(net, theta, model, batch):
    expected = net.forward(theta, batch, tape=False).output
    got, most = answers(model, batch, net.dtype), TOLERANCE[net.dtype.name] * max(1, np.abs(expected).max())
    assert got.shape == expected.shape and np.abs(got - expected).max() <= most


@pytest.mark.parametrize("cell, made_of", NETS, ids=str)
def test_a_model_answers_as_the_net_does(cell, made_of):
    """At random steps of ragged rows."""
    dtype = "float64" if made_of.get("layers") else "float32"
    task = TASKS["recall/past"].at(12)
    net = Net(task, Architecture(cell, 6, **made_of), dtype)
    theta = net.init(1) * 2
    assert_answers(net, theta, encode(net, theta, {}), task.sample(kernels.Stream("onnx"), 5, 12))


@pytest.mark.parametrize("name", ["adding/hs97", "parity", "copy", "reber"])
def test_numbers_and_several_answers_in_a_row(name):
    gap = TASKS[name].smallest_gap
    task = TASKS[name].at(gap)
    net = Net(task, Architecture("janet", 6))
    theta = net.init(1)
    assert_answers(net, theta, encode(net, theta, {}), task.sample(kernels.Stream("onnx"), 5, gap))


@pytest.fixture
def recorded(tmp_path):
    """A function from knobs to (trial, theta, folder of all results) of a trial that was run and recorded."""
    def record(keep=True, **knobs):
        trial = Trial(**{"cell": "coupled", "units": 6, "gap": 4, "lr": 0.01, "budget": 96} | knobs)
        result = run(trial, weights=keep)
        with store.Driver(tmp_path / "results" / "a" / "default", {}) as driver:
            driver.record(trial, toy.outcome_of(result))
        return trial, tmp_path / "results"
    return record


def test_the_command_writes_a_net_with_kept_weights_and_trained_again(recorded, call, tmp_path):
    trial, out = recorded()
    assert call("onnx", trial.id, tmp_path / "net.onnx", "--out", out)[0] == 0
    kept = (tmp_path / "net.onnx").read_bytes()
    task = TASKS[trial.task].at(trial.gap)
    net = Net(task, Architecture.of(trial))
    result = run(trial, weights=True)
    theta = np.concatenate([array.ravel() for array in result.weights.values()])
    assert_answers(net, theta, tmp_path / "net.onnx", task.sample(kernels.Stream("onnx"), 5, trial.gap))
    said = {prop.key: prop.value for prop in onnx.load(tmp_path / "net.onnx").metadata_props}
    assert said["id"] == trial.id and Trial(**json.loads(said["trial"])) == trial and said["digest"] == result.digest
    assert json.loads(said["symbols"]) == list(task.symbols) and json.loads(said["answers"]) == list(task.answers)
    store.weights_of(out / "a" / "default", trial.id).unlink()
    code, _, err = call("onnx", trial.id, tmp_path / "net.onnx", "--out", out)
    assert code == 0 and "is trained again" in err and (tmp_path / "net.onnx").read_bytes() == kept


def test_mistakes_are_one_message_before_anything_is_trained(recorded, call, tmp_path, monkeypatch):
    trial, out = recorded(keep=False)
    monkeypatch.setattr("study.run.trained.run", None)
    records = out / "a" / "default" / "runs.jsonl"
    records.with_name("plan.toml").touch()
    for id, file, says in [("nothing", tmp_path / "net.onnx", "0 trials in"), (trial.id, tmp_path / "none" / "net.onnx", "FILE"),
                           (trial.id, records, f"FILE {records}: expected a file of your own")]:
        code, said, err = call("onnx", id, file, "--out", out)
        assert code == 2 and not said and says in err and err.count("\n") == 1 and not (tmp_path / "net.onnx").exists()
    monkeypatch.setitem(__import__("sys").modules, "study.nets.onnx", None)
    code, _, err = call("onnx", trial.id, tmp_path / "net.onnx", "--out", out)
    assert code == 2 and err == 'error: onnx needs the extra `onnx` of this package: pip install "longlag[onnx]"\n'
