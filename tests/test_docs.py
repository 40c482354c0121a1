"""What the pages for users say can be typed as it stands: files are read, commands are parsed, links lead somewhere."""

import re
import shlex

import numpy as np
import pandas
import pytest

from study import claims
from study.__main__ import cli
from study.cli import about
from study.plan import toml
from study.records import machine
from study.tasks import TASKS

PAGES = [machine.PROJECT / name for name in ("README.md", "STUDIES.md")]
TORCH = machine.PROJECT / "TORCH.md"


def blocks(page, *languages):
    texts = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.S | re.M)
    return [text for language, text in texts if language in languages]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_study_files_are_study_files(page, tmp_path):
    for text in blocks(page, "toml"):
        (tmp_path / "study.toml").write_text(text)
        study = toml.load(tmp_path / "study.toml", TASKS)
        assert (len(study.points), len(study.selecting)) == {"one_gate": (45, 3), "which_knobs": (100, 0)}[study.name]


@pytest.mark.parametrize("page", [*PAGES, TORCH], ids=lambda page: page.name)
def test_commands_are_commands(page):
    typed = [line for text in blocks(page, "", "sh") for line in text.splitlines() if re.search(r"scripts/study|-m study", line)]
    assert len(typed) > 5 or page == TORCH and typed
    for line in typed:
        words = shlex.split(re.split(r"  +|[#>]", re.sub(r".*?(scripts/study|-m study) ", "", line))[0])
        command, context = cli, None
        while words and words[0] in getattr(command, "commands", ()):
            command, words = command.commands[words[0]], words[1:]
        assert command is not cli, line
        if not hasattr(command, "commands"):
            context = command.make_context("study", list(words))
            assert context.params is not None, line


def test_manifests_for_kubernetes_are_yaml():
    yaml = pytest.importorskip("yaml")
    (text,) = blocks(PAGES[1], "yaml")
    parts = list(yaml.safe_load_all(text))
    assert [part["kind"] for part in parts] == ["Service", "Deployment", "Deployment", "Job"]
    pods = [part["spec"]["template"]["spec"] for part in parts[1:]]
    assert all(container["image"] == "IMAGE" and container["command"] for pod in pods for container in pod["containers"])
    assert pods[2]["containers"][0]["command"][-1] == f"{parts[0]['metadata']['name']}:{parts[0]['spec']['ports'][0]['port']}"


def test_examples_in_python_run(tmp_path, monkeypatch):
    trials, training, many, frame, exported = (text for text in blocks(PAGES[0], "python") if "import torch" not in text)
    exec(trials, names := {})
    assert len(names["recall"]) > 500
    monkeypatch.chdir(tmp_path)
    exec(training, names)
    assert names["loss"].mean() < 0.1
    exec(many, names)
    assert names["found"].loss[-32:].mean() < 0.1
    exec(frame, names)
    read = pandas.read_csv("steps.csv", index_col="step")
    assert len(read) == names["T"] and list(read) == [
        *(f"gate {name}" for name in "ifgo"), "norm of dL/dh", "norm of dL/dc"] and read.notna().all(axis=None)
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    exec(exported, names)
    assert abs(names["y"] - names["out"].y).max() <= 1e-5 and np.array_equal(names["theta"], names["weights"])


def test_examples_for_torch_run():
    pytest.importorskip("torch", reason="torch is not installed", exc_type=ImportError)
    (short,) = (text for text in blocks(PAGES[0], "python") if "import torch" in text)
    exec(short, names := {})
    assert names["y"].shape == (100, 16, 64) and all(weights.grad.abs().sum() > 0 for weights in names["rnn"].parameters())
    names = {}
    for text in blocks(TORCH, "python"):
        exec(text, names)
    assert names["right"].float().mean() > 0.9 and isinstance(names["lstm"], names["torch"].nn.LSTM)


def test_sizes_and_times_are_those_of_the_list():
    head, *rows = about._studies()
    said = re.findall(r"^\| (\w+) \| (\w+) \| ([\d,]+\+?) \| (.+) \|$", PAGES[0].read_text(), re.M)
    assert said == [row[:4] for row in rows]
    quick = next(row for row in said if row[:2] == ("gap", "quick"))
    assert f"This trains {quick[2]} nets in {quick[3]} on two cores" in PAGES[0].read_text()


@pytest.mark.parametrize("name", claims.NAMES)
def test_every_preset_says_how_long_it_takes(name):
    assert list(claims.find(name).TAKES) == list(claims.find(name).PRESETS)


@pytest.mark.parametrize("page", [*PAGES, TORCH, machine.PROJECT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("https://") or (machine.PROJECT / target).exists(), target


def test_every_key_of_a_study_file_is_described():
    from study.plan.spec import Grid, Selection, Study, Tuning

    text = PAGES[1].read_text()
    keys = [*Study.model_fields, *(f"grids.{key}" for key in Grid.model_fields), *(f"selection.{key}" for key in Selection.model_fields),
            *(f"tuning.{key}" for key in Tuning.model_fields)]
    for key in keys:
        assert any(f"| {form} |" in text for form in (f"`{key}`", f"`[{key}]`", f"`[[{key}]]`")), key
