"""The commands: exit codes, messages for mistakes, and a small real study from nothing to its report."""

import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import toy

import kernels
import study
from study.cli import trials as commands
from study.plan import selection
from study.records import machine, provenance, store

REAL = """
name = "real"
knobs = { budget = 192, units = 4 }
[[grids]]
name = "grid"
seeds = 1
axes = { cell = ["rnn", "lstm"], gap = [2, 4], lr = [0.01], init = ["standard", "long"] }
"""


UNUSUAL = {  # what notebooks, batch jobs, containers and other countries set
    "MPLBACKEND": "module://matplotlib_inline.backend_inline", "OMP_NUM_THREADS": "auto", "PYTHONWARNINGS": "error",
    "HOME": "/proc/none", "TMPDIR": "/proc/none", "TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "0", "LC_ALL": "C", "LANG": "tr_TR",
    "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "latin-1", "GIT_DIR": "/proc/none",
}


def tree(folder):
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}


def test_a_real_study_from_nothing_to_its_report(tmp_path):
    (tmp_path / "real.toml").write_text(REAL)

    def run(*arguments, code=0, **more):
        command = [sys.executable, "-m", "study", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=toy.environment(**more))
        assert done.returncode == code, done.stderr
        return done.stdout

    assert "to run: 8" in run("run", "real.toml", "--dry-run") and not (tmp_path / "results").exists()
    folder = tmp_path / "results" / "real" / "default"
    assert "REPORT.md" in run("run", "real.toml", "--workers", "2", **UNUSUAL)
    assert (folder / "REPORT.md").exists() and len(store.read(folder).lines) == 8
    before = tree(folder)
    assert "Nothing was left to run" in run("run", "real.toml")
    assert tree(folder) == before
    assert "is what the records give" in run("report", str(folder), "--check", **UNUSUAL)
    assert run("report", "--all") == "results/index.html\n"
    (folder / "REPRODUCE.md").write_text("trust me")
    assert "REPRODUCE.md: not what" in run("report", "--all", "results", "--check", code=1)
    store.put(folder / "REPRODUCE.md", before[folder / "REPRODUCE.md"][0])
    lower = kernels.isas()[-1]
    assert f"8 of 8 bit-identical, on {lower}" in run("verify", str(folder), "--workers", "2", LONGLAG_ISA=lower)
    frame = study.load(folder)
    assert len(frame) == 8 and set(frame["status"]) == {"done"} and not frame["test_correct"].isna().any()
    assert set(frame["horizon"].dropna()) == {4} and list(frame["cell"]) == ["rnn"] * 4 + ["lstm"] * 4


def test_verify_names_the_first_number_that_differs(ran, call, monkeypatch):
    _, _, folder = ran
    facts = machine.facts() | {"commit": {"name": "elsewhere", "clean": False}}
    monkeypatch.setattr(commands, "train", another_result)
    monkeypatch.setattr(commands.machine, "facts", lambda: facts)
    code, out, _ = call("verify", folder, "--sample", 3)
    assert code == 1 and "0 of 3 bit-identical" in out
    assert len(re.findall(r"result\.curve\.loss\.1: recorded 0\.1, now 0\.10000000000000002 \(\+1\.39e-17\)", out)) == 3
    assert out.count("recorded on ") == out.count("now on ") == 3
    assert provenance.line(store.read(folder).drivers.popitem()[1]) in out and "commit elsewhere with changes" in out
    data = json.loads(call("verify", folder, "--sample", 3, "--json")[1])
    assert data["same"] == 0 and all(len(places) == 1 and places[0]["by"] > 0 for places in data["differ"].values())
    assert all(made["facts"]["commit"] != data["here"]["commit"] for made in data["made"].values())


def another_result(trial):
    result = toy.work(trial)
    result.curve["loss"][1] = 0.10000000000000002
    return result


def test_a_finished_run_prints_its_counts(ran, call):
    path, out, folder = ran
    code, said, err = call("run", path, "--out", out, "--json")
    data, = json.loads(said)
    assert code == 0 and data["ran"] == 0 and data["counts"]["done"] == 24 and data["failures"] == {}
    assert data["counts"]["solved"] + data["counts"]["censored"] == 16
    code, said, _ = call("run", path, "--out", out)
    assert "Nothing was left to run" in said and "--out DIR" in said and "verify" in said


def test_progress_is_plain_lines_if_stderr_is_no_terminal(tmp_path, call):
    _, _, err = call("run", toy.study_file(tmp_path), "--out", tmp_path)
    assert "learning rates: 8 of 8" in err and "toy: 16 of 16" in err and "\x1b" not in err


def test_status_counts_recorded_and_missing_trials(ran, call):
    _, _, folder = ran
    code, out, _ = call("status", folder)
    assert code == 0 and "24 done, 0 diverged, 0 failed, 0 crashed, 0 missing of 24" in out
    lines = (folder / "runs.jsonl").read_bytes().splitlines(True)
    (folder / "runs.jsonl").write_bytes(b"".join(lines[:-3]) + b"torn")
    code, out, _ = call("status", folder, "--json")
    data = json.loads(out)
    assert data["missing"] == 3 and len(data["damage"]) == 1 and "runs.jsonl:22" in data["damage"][0]


def test_only_and_seeds_run_a_part_and_choose_the_same_rates(ran, tmp_path, call):
    path, _, whole = ran
    part = tmp_path / "part"
    code, _, err = call("run", path, "--out", part, "--only", "cell=lstm", "--only", "gap=12,25", "--seeds", 2)
    assert code == 0
    folder = part / "toy" / "default"
    assert len(store.read(folder).lines) == 4 + 4
    assert (folder / "plan.toml").read_bytes() == (whole / "plan.toml").read_bytes()
    assert {tuple(c) for c in selection.rates(selection.read(folder / "selection.json")).items()} <= {
        tuple(c) for c in selection.rates(selection.read(whole / "selection.json")).items()}
    assert call("run", path, "--out", part)[0] == 0
    assert (folder / "runs.jsonl").read_bytes() == (whole / "runs.jsonl").read_bytes()
    assert call("run", path, "--out", part, "--seeds", 6)[0] == 0
    assert len(study.load(folder)) == 8 + 24


def test_committed_rates_are_used_if_there_are_any(ran, tmp_path, call, monkeypatch):
    path, out, folder = ran
    monkeypatch.setattr(selection, "COMMITTED", out)
    text = Path(path).read_text().replace('"toy"', '"heir"').replace("seeds = 2", 'seeds = 2, committed = "toy/default"')
    (tmp_path / "heir.toml").write_text(text)
    assert call("run", tmp_path / "heir.toml", "--out", tmp_path)[0] == 0
    assert len(study.load(tmp_path / "heir" / "default")) == 16
    choices = selection.read(tmp_path / "heir" / "default" / "selection.json")
    assert {choice["from"] for choice in choices.values()} == {"toy/default"}
    assert selection.rates(choices) == selection.rates(selection.read(folder / "selection.json"))


def test_records_outside_the_plan_are_ignored_and_counted(ran, call):
    path, out, folder = ran
    with store.Driver(folder, {}) as driver:
        trial = toy.trials(1, gap=77)[0]
        driver.record(trial, toy.outcome(trial))
    assert json.loads(call("status", folder, "--json")[1])["outside_plan"] == 1
    assert len(study.load(folder)) == 24
    assert "25 records" in call("compact", folder)[1]


def test_show_finds_a_trial_by_the_start_of_its_id_or_of_its_hash(ran, call):
    _, out, folder = ran
    id = sorted(store.read(folder).lines)[0]
    for called in (id, id[-16:], id[-16:-6]):
        code, said, _ = call("show", called, "--out", out)
        assert code == 0 and json.loads(said)["id"] == id and json.loads(said)["trial"]["dtype"] == "float32"
    assert call("show", "recall", "--out", out)[0] == 2
    assert call("show", "nothing", "--out", out)[0] == 2


def test_cells_are_listed_with_equations_parameters_and_source(call):
    rows = [re.split(r"\s{2,}", line.strip()) for line in call("list", "cells")[1].splitlines() if line.strip()]
    by_name = {name: row for name, *row in rows[1:]}
    for name, cell in kernels.CELLS.items():
        assert [by_name[name][k] for k in (0, 2, 3)] == [cell.title, f"{kernels.RNN(name, 32, 32).size:,}", cell.source]
    counted = {"rnn": 1, "lstm": 6, "gru": 4, "gru_after": 4, "janet": 3, "mgu": 3, "fgr": 6, "nog": 5, "coupled": 5}
    assert {name: int(by_name[name][1]) for name in counted} == counted


def test_list_validate_env_cite(tmp_path, call):
    code, out, _ = call("list")
    assert code == 0 and all(word in out for word in ("peephole", "recall/both", "horizon", "quick"))
    assert "recall" not in call("list", "cells")[1]
    assert "16 trials, and 8 to choose" in call("validate", toy.study_file(tmp_path))[1]
    assert json.loads(call("env")[1])["kernels"]["isa"] == kernels.isa()
    assert "longlag" in call("cite")[1]


@pytest.mark.parametrize("arguments, says", [
    (["run", "gpa"], "did you mean 'gap'"), (["run", "--preset", "quik"], "did you mean 'quick'"),
    (["run", "--only", "cell=lsmt"], "did you mean 'lstm'"), (["run", "--only", "gap=33"], "the plan has"),
    (["run", "--only", "cel=lstm"], "did you mean 'cell'"), (["run", "--only", "gap=twelve"], "--only gap"),
    (["run", "--only", "cell=rnn", "--only", "gap=192", "--only", "task=recall/past"], "no trial"),
    (["run", "--workers", "0"], "--workers"), (["run", "--seeds", "-1"], "--seeds"), (["run", "--timeout", "0"], "--timeout"),
    (["run", "--executor", "dask"], "--scheduler"), (["run", "--scheduler", "x"], "--executor dask"),
    (["run", "none.toml"], "none.toml: No such file"), (["run", "--out", "/dev/null"], "/dev/null"),
    (["run", "--out", "/proc/none"], "/proc/none"), (["status", "nowhere"], "nowhere/plan.toml"),
    (["report", "nowhere"], "nowhere"), (["report", "--all", "nowhere"], "nowhere: expected folders"), (["report", "--all"], "results: expected"),
    (["verify", "nowhere"], "nowhere"), (["compact", "nowhere"], "nowhere"), (["validate", "nowhere"], "nowhere"),
    (["list", "cats"], "cats"), (["stauts"], "did you mean 'status'"), (["frobnicate"], "unknown command 'frobnicate'"),
    (["run", "--foo"], "--foo"),
])
def test_a_mistake_is_one_message_and_nothing_is_written(tmp_path, call, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    code, out, err = call(*arguments)
    assert code == 2 and says in err, err
    assert not list(tmp_path.iterdir())


def test_a_wrong_table_of_rates_is_named(ran, call):
    _, _, folder = ran
    table = (folder / "selection.json").read_text()
    for wrong in ("", "[]", table.replace('"lr"', '"rl"'), table.replace('"schema": 1', '"schema": 2')):
        (folder / "selection.json").write_text(wrong)
        code, _, err = call("status", folder)
        assert code == 2 and "selection.json" in err


def test_two_results_of_one_trial_end_the_run(ran, call):
    path, out, folder = ran
    trial = toy.trials(1, init="long", horizon=25, budget=5000, lr=store.read(folder).record(
        next(iter(store.read(folder).lines)))["trial"]["lr"])[0]
    with store.Driver(folder, {}) as driver:
        driver.record(trial, toy.outcome(trial, final_loss=0.5))
    with store.Driver(folder, {}) as driver:
        driver.record(trial, toy.outcome(trial))
    code, _, err = call("run", path, "--out", out)
    assert code == 1 and "two results that differ" in err


def test_a_disk_that_refuses_ends_with_74_and_one_line(tmp_path):
    """A process that may not make files larger than 3,000 bytes."""
    path = toy.study_file(tmp_path, seeds=8)
    command = [sys.executable, toy.__file__, "run", path, "--out", tmp_path, "--workers", "1"]
    done = subprocess.run(command, capture_output=True, text=True, env=toy.environment(),
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000)))
    assert done.returncode == 74, done.stderr
    assert done.stderr.count("error: ") == 1 and "Traceback" not in done.stderr
    kept = len(store.read(tmp_path / "toy" / "default").lines)
    assert kept > 2
    done = subprocess.run(command, capture_output=True, text=True, env=toy.environment())
    assert done.returncode == 0 and f"{40 - kept} trials in" in done.stdout


def test_an_unknown_instruction_set_is_one_line():
    done = subprocess.run([sys.executable, "-m", "study", "list"], capture_output=True, text=True,
                          env=toy.environment(LONGLAG_ISA="mmx"))
    assert done.returncode == 2 and "mmx" in done.stderr and "Traceback" not in done.stderr


def test_messages_call_the_program_as_its_script_was_called():
    assert "LONGLAG_PROGRAM=$0 exec" in (machine.PROJECT / "scripts" / "study").read_text()
    done = subprocess.run([sys.executable, "-m", "study", "run", "--seeds", "0"], capture_output=True, text=True,
                          env=toy.environment(LONGLAG_PROGRAM="../scripts/study"))
    assert done.returncode == 2 and done.stderr.startswith("Usage: ../scripts/study run [OPTIONS]")


@pytest.mark.parametrize("error, says", [(MemoryError(), ""), (MemoryError("9 TiB"), ": 9 TiB")])
def test_too_little_memory_is_one_line(ran, call, monkeypatch, error, says):
    def refuse(folder):
        raise error

    monkeypatch.setattr(store, "read", refuse)
    assert call("status", ran[2]) == (1, "", f"error: not enough memory{says}\n")
