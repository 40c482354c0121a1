"""What is shown while a study runs: on a terminal, in a log, and to programs; and how the arms stand."""

import io
import json
import os
import pty
import re
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import pytest
import toy

from study.cli import shortened
from study.plan.draws import Search
from study.records import store
from study.run import progress
from study.run.cost import cost
from study.run.estimate import Estimate
from study.run.best import Best, line
from study.run.progress import Progress
from study.trial import meaning
from study.trial.knobs import KNOBS, Trial, annotated
from study.trial.result import Evaluation, Result

TWO = SimpleNamespace(workers=2)


def test_the_line_counts_and_estimates():
    trials = toy.trials(4)
    show = Progress("test", trials, TWO, Estimate(1 / cost(trials[0])), io.StringIO())
    assert show.line() == "0 of 4, 4 waiting, about 1 to 2 s left"
    show.finished(trials[3], toy.outcome(trials[3], seconds=8.0, sequences=trials[3].budget))
    show.update([(trials[0], 4.0), (trials[1], 4.0)], False)
    assert show.line() == "1 of 4, 2 running, 1 waiting, about 7 s left"
    show.finished(trials[0], {"status": "failed", "reason": "no luck", "seconds": 1.0, "host": "here"})
    assert show.line().startswith("2 of 4, 1 failed, 2 running, 0 waiting, about ")


def test_the_time_left_depends_on_the_workers_there_are_now():
    executor = SimpleNamespace(workers=0)
    show = Progress("test", toy.trials(4), executor, Estimate(), io.StringIO())
    alone = show.left()
    executor.workers = 4
    assert show.left() == pytest.approx([seconds / 4 for seconds in alone])


def test_a_log_gets_a_line_now_and_then_and_the_arms_that_changed_more_seldom(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    trials = [*toy.trials(40), *toy.trials(40, cell="gru")]
    log = io.StringIO()
    with Progress("test", trials, TWO, Estimate(), log) as show:
        for trial in trials:
            show.finished(trial, toy.outcome(trial, solved=True, sequences=1000 + trial.seed))
            for _ in range(10):
                now[0] += 0.2
                show.update([], False)
    lines = log.getvalue().splitlines()
    assert "\x1b" not in log.getvalue()
    assert 160 / 5 <= len(lines) <= 160 / 5 + 2 * 160 / 60 + 1 and lines[-1] == "test: 80 of 80"
    assert any(re.fullmatch(r"  lstm: 3\d of 40 finished, 3\d solved, largest gap 25, fewest sequences 1,000", entry) for entry in lines)
    assert sum(entry.startswith("  gru") for entry in lines) == 1


def test_a_failure_is_shown_at_once():
    log = io.StringIO()
    trials = toy.trials(2)
    with Progress("test", trials, TWO, Estimate(), log) as show:
        show.finished(trials[0], {"status": "crashed", "reason": "bad [luck]", "seconds": 1.0, "host": "here"})
        assert log.getvalue() == f"crashed: {trials[0].id}: bad [luck]\n"


@pytest.mark.parametrize("trials, names", [
    (toy.trials(2), {"lstm"}),
    ([*toy.trials(2), *toy.trials(2, cell="gru", units=37)], {"lstm", "gru units 37"}),
    ([*toy.trials(1), *toy.trials(1, direction="both", merge="sum"), *toy.trials(1, method="guess", lr=None)],
     {"lstm", "lstm both sum", "lstm guess"}),
    ([*toy.trials(1, init="long", horizon=9), *toy.trials(1, gap=99, budget=7)], {"lstm long", "lstm standard"}),
    ([*toy.trials(1, lr=0.1), *toy.trials(1, lr=0.2), *toy.trials(1, cell="gru", budget=7)],
     {"lstm lr 0.1", "lstm lr 0.2", "gru lr 0.01"}),
])
def test_an_arm_is_named_by_what_sets_it_apart(trials, names):
    best = Best(trials)
    assert {best.name(trial) for trial in trials} == names


def test_a_random_search_is_one_arm():
    """Two draws on three seeds each, beside an arm."""
    drawn = [*toy.trials(3, lr=0.1), *toy.trials(3, lr=0.2)]
    best = Best([*drawn, *toy.trials(2)], {trial.id: Search("a search, cell lstm", ("lr",)) for trial in drawn})
    assert {best.name(trial) for trial in drawn} == {"a search, cell lstm"} and best.name(toy.trials(1)[0]) == "lstm"
    best.add(drawn[4], Result(True, 2000))
    assert best.lines(9) == ["a search, cell lstm: 1 of 6 finished, 1 solved, largest gap 25, fewest sequences 2,000"]


def test_the_best_of_an_arm():
    trials = [toy.trials(1, gap=gap)[0] for gap in (12, 25, 50)] + [Trial(cell="lstm", gap=0, lr=0.1, task="digits")]
    best = Best(trials)
    for trial, solved, sequences in zip(trials, (True, True, False), (3000, 2000, 9000)):
        best.add(trial, Result(solved, sequences))
    best.add(trials[3], Result(test=Evaluation(360, 270, 0.1)))
    assert best.lines(1) == ["lstm digits: 1 of 1 finished, at best 75.0% right"]
    assert best.lines(9)[0] == "lstm recall/past: 3 of 3 finished, 2 solved, largest gap 25, fewest sequences 2,000"
    assert line({"arm": "x", "finished": 1, "of": 2}) == "x: 1 of 2 finished"


def on_a_terminal(*command):
    """(exit code, what a program shows on a terminal of its own as stdout and stderr)."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL,
                               env=toy.environment(TERM="xterm", COLUMNS="120"))
    os.close(theirs)
    seen = []
    reader = threading.Thread(target=_read, args=(ours, seen))
    reader.start()
    code = process.wait(timeout=120)
    reader.join(timeout=60)
    return code, b"".join(seen).decode()


def _read(file, seen):
    try:
        while data := os.read(file, 65536):
            seen.append(data)
    except OSError:  # the other end is closed
        os.close(file)


def test_a_terminal_gets_a_bar_and_the_arms(tmp_path):
    path = toy.study_file(tmp_path, seeds=6, milliseconds=150)
    code, seen = on_a_terminal(sys.executable, toy.__file__, "run", path, "--out", str(tmp_path), "--workers", "2")
    assert code == 0 and "\x1b[" in seen
    assert re.search(r"toy.*━.*\d+ of 24, 2 running, \d+ waiting, about [\d to]+ s left", seen)
    assert re.search(r"lstm: \d+ of 12 finished, \d+ solved", seen) and "toy: 24 of 24" in seen


def test_status_watch_follows_a_run_from_elsewhere_until_nothing_is_missing(tmp_path):
    path = toy.study_file(tmp_path, seeds=6, milliseconds=250)
    run = subprocess.Popen([sys.executable, toy.__file__, "run", path, "--out", tmp_path, "--workers", "1"], env=toy.environment(),
                           stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    folder = tmp_path / "toy" / "default"
    try:
        while not (folder / "plan.toml").exists() or not store.read(folder).lines:
            assert run.poll() is None
            time.sleep(0.05)
        command = [sys.executable, "-m", "study", "status", str(folder), "--watch"]
        watched = subprocess.run([*command, "--json"], capture_output=True, text=True, env=toy.environment(), timeout=120)
        states = [json.loads(text) for text in watched.stdout.splitlines()]
        assert watched.returncode == 0 and len(states) > 1
        missing = [state["missing"] for state in states]
        assert missing == sorted(missing, reverse=True) and missing[0] > missing[-1] == 0
        assert states[0]["running_drivers"] == states[0]["workers"] == 1 and states[0]["seconds_left"] > 0
        assert {arm["arm"] for arm in states[-1]["best"]} == {"rnn", "lstm"}
    finally:
        assert run.wait(timeout=120) == 0
    code, seen = on_a_terminal(*command)
    assert code == 0 and "32 done, 0 diverged, 0 failed, 0 crashed, 0 missing of 32" in seen


def test_status_that_is_long_is_cut_in_words():
    assert shortened(list("abc"), "things", most=3) == ["a", "b", "c"]
    assert shortened(list("abcd"), "things", most=3) == ["a", "b", "c", "  and 1 more things; --json names all"]


def test_every_knob_says_what_it_means_and_which_values_it_takes():
    knobs = {knob.name: knob for knob in meaning.every()}
    assert list(knobs) == list(KNOBS) and all(knob.meaning for knob in knobs.values())
    assert knobs["units"][1:3] == ("whole number from 1 to 4,096", "32")
    assert knobs["gap"][1:3] == ("whole number from 0 to 1,000,000", "needed")
    assert knobs["lr"][1:3] == ("number above 0", "none") and knobs["beta1"][1:3] == ("number from 0 below 1", "0.9")
    assert knobs["direction"].values == "forward or reverse or both" and knobs["truncated"].values == "true or false"
    assert all(annotated(name) for name in knobs)
