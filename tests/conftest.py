"""Tests import each other's helpers by plain name, and `kernels` and `study` from the tree they stand in."""
import os
import sys
from pathlib import Path

import pytest

# OpenMP's threads wait for each other in a loop, which beside other processes takes ten times as long as to sleep.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]


def pytest_xdist_auto_num_workers(config):
    """The whole suite runs in one process more than it may use processors (a third of its time is waiting), 8 at most; a part in one."""
    from kernels import threads

    part = config.option.keyword or config.args_source is config.ArgsSource.ARGS
    return 0 if part or threads() == 1 else min(threads() + 1, 8)


@pytest.fixture(autouse=True)
def unsafe_path(monkeypatch):
    """An executor in this process sets PYTHONSAFEPATH for what it starts; the programs of other tests must not inherit it."""
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)


@pytest.fixture
def call(capfd, monkeypatch):
    """call(arguments) -> (exit code, stdout, stderr) of a command with toy work, in this process."""
    import toy

    from study.__main__ import main
    from study.cli import report, trials

    for module in (report, trials):
        monkeypatch.setattr(module, "write_report", "a report on {}".format)
    monkeypatch.setattr(trials, "train", toy.work)

    def call(*arguments):
        with pytest.raises(SystemExit) as end:
            main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return end.value.code, out, err

    return call


@pytest.fixture
def ran(tmp_path, call):
    """A toy study that was run: (its file, its out folder, its preset's folder)."""
    import toy

    path, out = toy.study_file(tmp_path), tmp_path / "out"
    assert call("run", path, "--out", out)[0] == 0
    return path, out, out / "toy" / "default"


@pytest.fixture(scope="session")
def probed_records():
    """(the plan as TOML, [(trial, outcome)]) of a small study of fresh nets that are probed."""
    from study.plan import spec, toml
    from study.tasks import TASKS
    from study.run import engine
    from study.trial.run import run

    axes = {"cell": ["rnn", "lstm", "gru", "nfg"], "init": ["standard", "long"], "gap": [40], "units": [8]}
    study = spec.read({"name": "looks", "knobs": {"method": "probe"}, "grids": [{"name": "g", "seeds": 2, "axes": axes}]}, TASKS)
    return toml.dumps(study), [(point.trial, engine.attempt(run, point.trial)) for point in study.points]


@pytest.fixture(scope="session")
def probed_frame(probed_records, tmp_path_factory):
    """Those records as study.load gives them."""
    import study
    from study.records import store

    folder = tmp_path_factory.mktemp("looks")
    store.put(folder / "plan.toml", probed_records[0])
    with store.Driver(folder, {}) as driver:
        for trial, outcome in probed_records[1]:
            driver.record(trial, outcome | {"seconds": 1.0, "host": "nowhere"})
    return study.load(folder)


@pytest.fixture(scope="session")
def looking_frame(tmp_path_factory):
    """Made-up records of the ablation `attention`, as study.load gives them."""
    import synthetic

    import study

    folder = tmp_path_factory.mktemp("attention")
    synthetic.write(folder, "default", study="attention")
    return study.load(folder)


@pytest.fixture(scope="session")
def tuned_folder(tmp_path_factory):
    """The folder of a tuned study: the LSTM has an interior best rate at gap 12, one at an end at 25; the RNN solves nothing."""
    import tuned

    folder = tmp_path_factory.mktemp("tuned") / "default"
    grids = [{"name": "g", "seeds": 5, "axes": {"cell": ["rnn", "lstm"], "gap": [12, 25], "init": ["standard", "long"]}}]

    def law(trial):
        hard = 1e9 if trial.cell == "rnn" else 5000
        return tuned.Law(0.003 if trial.gap == 12 else 0.5, hard, steep=1.0, noise=0.05)(trial)

    tuned.write(folder, tuned.study(grids=grids), law)
    return folder


@pytest.fixture(scope="session")
def tuned_frame(tuned_folder):
    """Its records as study.load gives them."""
    import study

    return study.load(tuned_folder)


@pytest.fixture(scope="session")
def spoken_frame():
    """Made-up records of nets that learn sentences: the LSTM knows its cue up to gap 12, the RNN at no gap."""
    import pandas as pd

    import kernels
    from study.nets.architecture import Architecture
    from study.nets.net import Net
    from study.probes import words
    from study.tasks import TASKS
    from study.trial.knobs import Trial

    made_up = {("lstm", 6, 0): 1.0, ("lstm", 12, 0): 0.95, ("lstm", 12, 1): 1.0, ("lstm", 40, 1): 0.6, ("rnn", 12, 0): 0.5, ("rnn", 12, 1): 0.52,
               ("rnn", 40, 1): 0.5}  # fmt: skip
    rows = []
    for (cell, gap, seed), accuracy in made_up.items():
        trial = Trial(cell=cell, gap=gap, seed=seed, task="language/gender", units=8, lr=0.01)
        task = TASKS[trial.task].at(gap)
        net = Net(task, Architecture.of(trial))
        found = words.explain(task, net.made_of, net.init(seed), gap, task.draw(kernels.Stream("figure", seed), 256, gap))
        tested = {name: [10, 4, 5] for name in task.conditions}
        rows.append(trial.model_dump() | {"search": "", "drawn": "", "lr_chosen": None, "lr_doubt": "", "status": "done", "words": found | {"accuracy": accuracy}, "test_conditions": tested})
    return pd.DataFrame([*rows, rows[0] | {"cell": "gru", "words": None}])
