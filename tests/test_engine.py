"""Workers that raise, die or hang; drivers that are interrupted or killed: no finished trial is lost, none is run twice."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
import toy

from study.errors import SpecError
from study.plan import selection
from study.records import store
from study.run import engine
from study.run.estimate import Estimate, duration
from study.run.executors import local, process
from study.run.executors.local import Local
from study.run.executors.process import Process
from study.run.progress import Progress
from study.trial.result import Result

RUN = [sys.executable, toy.__file__, "run"]
HANGS = 4  # seconds after which a trial counts as hanging; the start of its worker is not counted


class Sink(dict):
    """Outcomes by id, each given once."""

    def __call__(self, trial, outcome):
        assert trial.id not in self
        self[trial.id] = outcome


def run(trials, work=toy.work, workers=2, sink=None, timeout=None, **options):
    sink = Sink() if sink is None else sink
    executor = Local(workers, timeout)
    with closing(executor), Progress("test", trials, executor, Estimate(), open(os.devnull, "w")) as show:
        tally = engine.run(trials, work, sink, executor, weigh=weigh, show=show, **options)
    return tally, sink


def weigh(trial):
    return 1.0 + trial.seed


def command(folder, *more, **environment):
    path = toy.study_file(folder, seeds=8, milliseconds=60)  # time enough to disturb it
    return subprocess.Popen([*RUN, path, "--out", folder, "--workers", "2", *more], env=toy.environment(**environment),
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def finish(folder, *more, **environment):
    process = command(folder, *more, **environment)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def place(folder):
    return Path(folder) / "toy" / "default"


def await_records(folder, count):
    toy.until(lambda: len(store.read(place(folder)).lines) >= count)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    code, _, err = finish(folder)
    assert code == 0, err
    return place(folder)


def test_all_trials_reach_the_sink_once_the_longest_first():
    trials = toy.trials(7)
    tally, sink = run(trials, workers=1)
    assert list(sink) == [trial.id for trial in reversed(trials)]
    assert tally.counts == {"done": 7} and not tally.failures and not tally.interrupted
    assert all(sink[t.id]["result"] == toy.outcome(t)["result"] for t in trials)
    assert all(outcome["seconds"] >= 0 and outcome["host"] for outcome in sink.values())


def test_a_raise_a_poison_and_a_hang_are_told_apart_and_the_rest_go_on():
    tally, sink = run(toy.trials(8), toy.faulty, timeout=HANGS)
    by_seed = {trial.seed: sink[trial.id] for trial in toy.trials(8)}
    assert tally.counts == {"done": 5, "failed": 2, "crashed": 1}
    assert "RuntimeError: no luck" in by_seed[1]["reason"] and "toy.py" in by_seed[1]["reason"]
    assert by_seed[2]["status"] == "crashed" and "killed 3 workers" in by_seed[2]["reason"]
    assert "--timeout" in by_seed[3]["reason"]


def killed_once(trial):
    """Kills its worker at the first try: the file that its learning rate numbers says whether that was."""
    mark = Path(os.environ["MARKS"], trial.id)
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGSEGV)
    return toy.work(trial)


def test_a_trial_whose_worker_died_is_run_again(tmp_path, monkeypatch):
    monkeypatch.setenv("MARKS", str(tmp_path))
    tally, sink = run(toy.trials(4), killed_once)
    assert tally.counts == {"done": 4} and len(sink) == 4


def test_fail_fast_starts_nothing_more():
    tally, sink = run(toy.trials(30)[:2] + toy.trials(30, batch=132)[2:], always_fails, workers=1, fail_fast=True)
    assert tally.counts == {"failed": 1} and len(sink) == 1


def always_fails(trial):
    raise ValueError(trial.seed)


def test_a_sink_that_refuses_a_result_makes_it_a_failure():
    class Picky(Sink):
        def __call__(self, trial, outcome):
            if "result" in outcome and trial.seed == 1:
                raise ValueError("too large")
            super().__call__(trial, outcome)

    tally, sink = run(toy.trials(3), sink=Picky())
    assert tally.counts == {"done": 2, "failed": 1} and "too large" in sink[toy.trials(3)[1].id]["reason"]


def test_a_sink_that_breaks_ends_the_run_and_its_workers():
    def breaks(trial, outcome):
        raise store.Refused("disk")

    with pytest.raises(store.Refused):
        run(toy.trials(4), sink=breaks)


def test_a_trial_that_cannot_be_started_loses_none_that_is_finished(monkeypatch):
    real, started, sink = Process.submit, [], Sink()

    def submit(slot, function, work, trial):
        if len(started) == 2:
            raise OSError("no more processes")
        started.append(trial.id)
        return real(slot, function, work, trial)

    monkeypatch.setattr(Process, "submit", submit)
    with pytest.raises(OSError, match="no more processes"):
        run(toy.trials(3), workers=1, sink=sink)
    assert list(sink) == started


def test_what_a_worker_takes_to_start_is_no_trial_s_time(monkeypatch):
    slot = Process(timeout=1)
    monkeypatch.setattr(process, "_prepare", slowly)
    future, late = slot.submit(time.sleep, 0.1), False
    while not future.done():
        late |= slot.overdue()
        time.sleep(0.02)
    slot.result(future)
    slot.submit(time.sleep, 60)
    began = time.monotonic()
    while not slot.overdue():
        time.sleep(0.02)
    slot.kill()
    assert not late and time.monotonic() - began >= 0.9


def test_a_worker_that_never_starts_ends_at_its_own_time(monkeypatch):
    slot = Process(timeout=0.1)
    monkeypatch.setattr(process, "_prepare", slowly)
    monkeypatch.setattr(process, "START", 1)
    future = slot.submit(time.sleep, 0)
    while not slot.overdue():
        time.sleep(0.02)
    with pytest.raises(TimeoutError, match="no process for it within 1 s"):
        slot.result(future)


def slowly(parent):
    time.sleep(2)


def one_thread(trial):
    return Result(parameters=int(os.environ["OMP_NUM_THREADS"]))


def test_workers_have_one_thread():
    _, sink = run(toy.trials(1), one_thread)
    assert [outcome["result"].parameters for outcome in sink.values()] == [1]


def test_a_run_beside_another_that_has_just_begun_says_so(tmp_path):
    with store.Driver(place(tmp_path), {}) as driver:
        driver.begin()
        code, _, err = finish(tmp_path)
    assert code == 0 and "another run is writing here; both will be right" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_what_was_finished_and_the_next_run_goes_on(tmp_path, undisturbed, number):
    process = command(tmp_path)
    await_records(tmp_path, 3)
    os.killpg(process.pid, number)  # as a terminal does: the workers hear it too
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "To continue:\n  python -m study run" in err and "crashed" not in err and "Traceback" not in err
    kept = len(store.read(place(tmp_path)).lines)
    code, out, _ = finish(tmp_path)
    assert code == 0 and f"{40 - kept} trials in" in out
    assert (place(tmp_path) / "runs.jsonl").read_bytes() == (undisturbed / "runs.jsonl").read_bytes()


@pytest.mark.parametrize("name", ["INT", "TERM"])
def test_a_signal_that_the_parent_ignores_stays_ignored(tmp_path, name):
    path = toy.study_file(tmp_path, seeds=2, milliseconds=60)
    shell = ["sh", "-c", f'trap "" {name}; exec "$@"', "sh", *RUN, path, "--out", str(tmp_path), "--workers", "2"]
    process = subprocess.Popen(shell, env=toy.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    await_records(tmp_path, 1)
    for _ in range(2):
        process.send_signal(getattr(signal, f"SIG{name}"))
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0 and "16 trials in" in out and "stopping" not in err, err


def test_a_stop_of_all_processes_is_no_trial_s_time(tmp_path):
    path = toy.study_file(tmp_path, seeds=1, milliseconds=1000)
    run = [*RUN, path, "--out", str(tmp_path), "--workers", "2", "--timeout", "3"]
    process = subprocess.Popen(run, env=toy.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               start_new_session=True)
    await_records(tmp_path, 1)
    os.killpg(process.pid, signal.SIGSTOP)
    time.sleep(5)
    os.killpg(process.pid, signal.SIGCONT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0 and "12 trials in" in out, err


def test_a_worker_that_is_stopped_alone_is_ended_when_its_time_is_up():
    slot = Process(timeout=2)
    pid = slot.submit(os.getpid).result(timeout=120)
    future = slot.submit(time.sleep, 0.1)
    os.kill(pid, signal.SIGSTOP)
    while not slot.overdue():
        time.sleep(0.05)
    with pytest.raises(TimeoutError, match="--timeout"):
        slot.result(future)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_an_idle_worker_that_is_stopped_holds_nobody_up():
    executor = Local(1)
    slot = executor.acquire()
    pid = slot.submit(os.getpid).result(timeout=120)
    os.kill(pid, signal.SIGSTOP)
    executor.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("seconds", ["nan", "inf", "1e999", "0", "-1", "soon"])
def test_a_timeout_is_a_positive_finite_number(call, seconds):
    code, out, err = call("run", "--timeout", seconds, "--dry-run")
    assert code == 2 and "--timeout" in err and not out


def test_workers_get_the_open_files_that_they_need(monkeypatch):
    limits = [200, 700]
    monkeypatch.setattr(local.resource, "getrlimit", lambda which: tuple(limits))
    monkeypatch.setattr(local.resource, "setrlimit", lambda which, new: limits.__setitem__(slice(None), new))
    Local(10)
    assert limits == [200, 700]
    Local(50)
    assert limits == [564, 700]
    with pytest.raises(SpecError, match="100 workers need about 1,064 open files; this process may have 700"):
        Local(100)


def test_workers_take_no_more_files_than_they_are_given():
    script = """import os, time
from study.run.executors.local import FILES, OTHER_FILES, Local
executor = Local(4)
futures = [executor.acquire().submit(os.getpid) for _ in range(4)]
[future.result() for future in futures]
assert len(os.listdir("/proc/self/fd")) <= 4 * FILES + OTHER_FILES / 2, os.listdir("/proc/self/fd")
executor.close()"""
    subprocess.run([sys.executable, "-c", script], env=toy.environment(), check=True)


def test_a_second_interrupt_stops_at_once(tmp_path):
    process = command(tmp_path, TOY="faulty", HANGING=str(tmp_path / "hanging"))
    toy.until((tmp_path / "hanging").exists)
    toy.interrupt_twice(process)
    process.communicate(timeout=60)  # the hanging trial takes longer
    assert process.returncode == 130


def test_failed_trials_are_named_and_tried_again_only_on_demand(tmp_path):
    part = ["--only", "cell=lstm", "--only", "gap=12", "--seeds", "5"]
    code, _, err = finish(tmp_path, *part, "--timeout", str(HANGS), TOY="faulty")
    assert code == 1 and all(err.count(reason) == 2 for reason in ("no luck", "killed 3 workers", "--timeout)")), err
    code, out, err = finish(tmp_path, *part)
    assert code == 1 and err.count("failed: ") == 2 and err.count("crashed: ") == 1 and "0 trials in" in out
    assert "failed before: 3, to run: 0" in finish(tmp_path, *part, "--dry-run")[1]
    assert "failed before: 3, to run: 3" in finish(tmp_path, *part, "--dry-run", "--retry-failed")[1]
    code, out, _ = finish(tmp_path, *part, "--retry-failed")
    assert code == 0 and "3 trials in" in out


def test_selection_prefers_solved_then_sequences_then_loss_then_the_smaller_rate():
    from study.plan.spec import read

    study = read({"name": "s", "grids": [{"name": "g", "axes": {"cell": ["lstm"], "gap": [12]}}],
                  "selection": {"rates": [0.001, 0.003, 0.01], "seeds": 2, "gap": {"recall/past": 25}}})
    (key, trials), = study.selecting.items()

    def choose(results):
        """results: rate -> [(solved, sequences, loss)] over seeds; no loss: diverged."""
        of = {t.id: results[t.lr][t.seed] for t in trials}
        of = {id: Result(solved, sequences, final_loss=loss, diverged_at=sequences if loss is None else None)
              for id, (solved, sequences, loss) in of.items()}
        choice = selection.choose(study, key, of)
        return choice["lr"], choice["edge"]

    never, lost = (False, 999, 0.5), (False, 10, None)
    slow = [(True, 9000, 9.0)] * 2
    assert choose({0.001: [(True, 900, 0.1), never], 0.003: [(True, 9, 0.1), lost], 0.01: slow}) == (0.01, True)
    assert choose({0.001: [(True, 900, 0.1)] * 2, 0.003: [(True, 800, 0.9)] * 2, 0.01: [lost] * 2}) == (0.003, False)
    assert choose({0.001: [never] * 2, 0.003: [(False, 999, 0.4)] * 2, 0.01: [lost, (False, 999, 0.1)]}) == (0.003, False)
    assert choose({0.001: [never] * 2, 0.003: [never] * 2, 0.01: [never] * 2}) == (0.001, True)


@pytest.mark.parametrize("seconds, text", [(0.2, "0 s"), (59.4, "59 s"), (61, "1 min 01 s"), (7322, "2 h 02 min")])
def test_durations(seconds, text):
    assert duration(seconds) == text
