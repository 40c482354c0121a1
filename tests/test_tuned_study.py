"""A tuned study through every command: run, killed, resumed, in parts, checked and reported."""

import json
import os
import shutil
import signal

import faults
import pandas as pd
import pytest
import toy
import tuned

import study
from study import report
from study.plan import tuning
from study.records import store
from study.report import findings, sentences, tables
from study.report.figures import FIGURES
from study.statistics.doubts import doubts


@pytest.fixture
def file(tmp_path):
    return tuned.file(tmp_path, "budget = 5000")


@pytest.fixture
def ran(file, tmp_path, call):
    """(the study's file, its folder after a run with toy work)."""
    assert call("run", file, "--out", tmp_path)[0] == 0
    return file, tmp_path / "tuned" / "default"


def choosing(folder):
    return [id for id in store.read(folder).lines if id.startswith("select-")]


def test_a_run_tunes_in_rounds_and_trains_with_the_chosen_rates(file, tmp_path, call):
    code, out, err = call("run", file, "--out", tmp_path, "--dry-run")
    assert "trials: 8, and at least 20, at most 44 to choose" in out and "to run: at least 28, at most 52" in out
    assert "8 trials, and at least 20, at most 44 to choose learning rates" in call("validate", file)[1]
    code, out, err = call("run", file, "--out", tmp_path)
    folder = tmp_path / "tuned" / "default"
    assert code == 0 and "learning rates: 16 of 16" in err and "learning rates, round 2: " in err and "tuned: 8 of 8" in err
    outcomes = tuning.read(folder / "tuning.json")
    assert len(outcomes) == 4 and 20 <= len(choosing(folder)) == sum(sum(outcome.seeds().values()) for outcome in outcomes.values()) <= 44
    frame = study.load(folder)
    assert len(frame) == len(choosing(folder)) + 8 == len(store.read(folder).lines)
    for key, outcome in outcomes.items():
        of_key = frame[(frame["cell"] == dict(key)["cell"]) & (frame["gap"] == dict(key)["gap"])]
        assert set(of_key["lr_chosen"]) == {outcome.lr} and set(of_key["lr_doubt"]) == {outcome.doubt}
        assert set(of_key.loc[of_key["purpose"] == "train", "lr"]) == {outcome.lr}
    assert "Nothing was left to run" in call("run", file, "--out", tmp_path)[1]
    assert "to run: 0" in call("run", file, "--out", tmp_path, "--dry-run")[1]


def test_commands_know_a_tuned_study(ran, tmp_path, call):
    file, folder = ran
    status = json.loads(call("status", folder, "--json")[1])
    assert {arm["arm"] for arm in status["best"]} == {"rnn", "lstm"}  # although rates differ between gaps
    assert status["missing"] == status["missing_at_most"] == 0 and status["rates"] == status["rates_chosen"] == 4
    assert call("verify", folder, "--sample", "5", "--workers", "1")[0] == 0
    assert call("export", folder)[1].count("\n") == status["trials"] + 1
    assert "records" in call("compact", folder)[1]
    assert call("run", file, "--out", tmp_path / "again")[0] == 0
    assert call("compare", folder, tmp_path / "again" / "tuned" / "default")[0] == 0


def test_status_counts_the_keys_that_are_decided(ran, call):
    _, folder = ran
    (folder / "tuning.json").unlink()
    lines = (folder / "runs.jsonl").read_bytes().splitlines(True)
    kept = [line for line in lines if b'"select-' not in line or b"-rnn-" not in line or b"gap2-" not in line or b"seed0" in line]
    (folder / "runs.jsonl").write_bytes(b"".join(kept))
    code, out, _ = call("status", folder)
    assert code == 0 and "learning rates chosen: 3 of 4; missing: at least 5, at most 11" in out


def test_a_part_is_tuned_as_the_whole_is_and_seeds_add_no_tuning(ran, tmp_path, call):
    file, whole = ran
    part = tmp_path / "part" / "tuned" / "default"
    assert call("run", file, "--out", tmp_path / "part", "--only", "cell=lstm", "--seeds", "1")[0] == 0
    assert tuning.read(part / "tuning.json").items() < tuning.read(whole / "tuning.json").items()
    assert call("run", file, "--out", tmp_path / "part")[0] == 0
    assert all((part / name).read_bytes() == (whole / name).read_bytes() for name in ("runs.jsonl", "tuning.json", "plan.toml"))
    before = choosing(whole)
    assert "4 trials in" in call("run", file, "--out", tmp_path, "--seeds", "3")[1] and choosing(whole) == before


def test_a_failed_trial_keeps_only_its_arm_waiting_until_it_is_tried_again(file, tmp_path, call, monkeypatch):
    from study.cli import trials

    monkeypatch.setattr(trials, "train", unlucky)
    code, out, err = call("run", file, "--out", tmp_path)
    assert code == 1 and err.count("failed: ") == 4 and "4 trials wait for learning rates" in err  # each failure is named twice
    assert code == call("run", file, "--out", tmp_path)[0]
    assert call("run", file, "--out", tmp_path, "--retry-failed")[0] == 1
    monkeypatch.setattr(trials, "train", toy.work)
    assert call("run", file, "--out", tmp_path, "--retry-failed")[0] == 0
    assert len(tuning.read(tmp_path / "tuned" / "default" / "tuning.json")) == 4


def unlucky(trial):
    if trial.purpose == "select" and (trial.cell, trial.seed) == ("rnn", 1) and trial.lr == 0.01:
        raise RuntimeError("no luck")
    return toy.work(trial)


def test_a_damaged_or_newer_table_ends_every_command(ran, call):
    _, folder = ran
    table = (folder / "tuning.json").read_text()
    for wrong in ("", "[]", "[" * 100_000, table.replace('"lr"', '"rl"'), table.replace('"schema": 1', '"schema": 2')):
        (folder / "tuning.json").write_text(wrong)
        for command in ("status", "export", "verify", "compact"):
            code, _, err = call(command, folder)
            assert code == 2 and "tuning.json" in err and err.count("\n") == 1


@pytest.mark.parametrize("kills", [(2, 9, 21), (5, 16, 18)])
def test_a_real_study_that_is_killed_repeatedly_ends_with_the_same_records(tmp_path, kills):
    file = tuned.file(tmp_path, "budget = 96, units = 4, window = 10")
    undisturbed = faults.undisturbed(file, tmp_path / "undisturbed", TOY="real")
    disturbed = faults.Study(file, tmp_path / "disturbed", TOY="real")
    for count in kills:
        process = disturbed.start(heard=False)
        toy.until(lambda: len(disturbed.noted("acknowledged")) >= count or process.poll() is not None)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert disturbed.cost(len(kills), undisturbed).harmless(window=2)


# The report


AT_END = "its learning rate, 0.3, is the largest that was tried"
UNSOLVED = "no learning rate solved the task"


def test_the_figure_has_a_line_for_each_arm_at_each_gap_and_marks_the_chosen_rate(tuned_folder, tuned_frame):
    frame = tuned_frame
    data = FIGURES["tuning"].data(frame)
    assert data.groupby(["arm", "gap"]).ngroups == 8 and set(data["arm"]) == {f"{cell}, {init}" for cell in ("RNN (tanh)", "LSTM")
                                                                             for init in ("standard", "long")}
    table = tables.tuning(list(tuning.read(tuned_folder / "tuning.json").values()))
    assert len(table) == len(data) and table["solved"].sum() == round((data["rate"] * data["seeds"]).sum())
    for (arm, gap), line in data.groupby(["arm", "gap"]):
        (chosen,) = line["lr"][line["chosen"]]
        of_arm = frame[(frame["cell"] == ("rnn" if "RNN" in arm else "lstm")) & (frame["gap"] == gap) & (frame["purpose"] == "train")]
        assert set(of_arm["lr"]) == {chosen}
        assert {text.split("; ")[0] for text in line["lr_doubt"]} == {UNSOLVED if "RNN" in arm else AT_END if gap == 25 else ""}


def test_the_figure_names_a_horizon_only_where_arms_would_have_the_same_name_otherwise(tuned_frame):
    lstm = tuned_frame[(tuned_frame["cell"] == "lstm") & (tuned_frame["init"] == "long")]
    horizon, = set(lstm["horizon"])
    more = pd.concat([tuned_frame, lstm[lstm["gap"] == 12].assign(horizon=99.0)], ignore_index=True)
    arms = FIGURES["tuning"].data(more)[["arm", "gap"]].drop_duplicates().groupby("arm")["gap"].agg(list).to_dict()
    others = ("LSTM, standard", "RNN (tanh), standard", "RNN (tanh), long")
    assert arms == dict.fromkeys(others, [12, 25]) | {"LSTM, long, horizon 99": [12], f"LSTM, long, horizon {horizon:g}": [12, 25]}


def test_tables_mark_untuned_arms_by_words(tuned_frame):
    success = tables.success(tuned_frame).set_index(["cell", "gap"])["lr_doubt"]
    assert all(text.startswith(UNSOLVED) for gap in (12, 25) for text in success["rnn", gap])
    assert set(success["lstm", 12]) == {""} and set(success["lstm", 25]) == {AT_END}
    half = tables.half_success(tuned_frame).set_index("cell")["lr_doubt"]
    assert all(UNSOLVED in text for text in half["rnn"]) and set(half["lstm"]) == {f"gap 25: {AT_END}"}
    doubted = sentences.doubted(tuned_frame)
    assert (doubted.number, doubted.arms) == (4, 4)
    assert any(line.startswith(f"gap 25: {AT_END}: LSTM, standard initialisation (recall, cue in the past); LSTM, long ") for line in doubted.lines)


def test_doubts_name_the_gaps_where_they_hold():
    runs = pd.DataFrame({"gap": [1, 1, 2, 3], "lr_doubt": ["x", "x", "", "y"]})
    assert doubts(runs) == "gap 1: x; gap 3: y" and doubts(runs[:2]) == "x" and doubts(runs[2:3]) == "" and doubts(runs[:0]) == ""


def test_the_report_says_how_rates_were_tuned_and_which_are_in_doubt(tuned_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(findings, "FIGURES", {"tuning": FIGURES["tuning"]})
    written = shutil.copytree(tuned_folder, tmp_path / "default")
    report.write(written)
    text = " ".join((written / "REPORT.md").read_text().split())
    for words in ("0.0003, 0.001, 0.003, 0.01, 0.03 on 3 seeds each", "the best 2 on 8 seeds", "ties are broken by more solved seeds",
                  "| rnn | 12 | standard | 0.003 |", "0.003: 8/8", f"gap 25: {AT_END}", "(figures/tuning.svg)", "tables/tuning.csv"):
        assert words in text, words
    assert report.check(written) == []
    table = written / "tuning.json"
    table.write_text(table.read_text().replace(UNSOLVED, ""))
    assert any("tuning.csv" in line for line in report.check(written))
