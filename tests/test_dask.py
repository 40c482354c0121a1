"""A study on a real scheduler and workers in other processes: as on one machine, whatever is lost meanwhile."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import CancelledError
from pathlib import Path

import pytest
import toy
import tuned
from cluster import Cluster

import kernels
from study.records import store
from study.records.provenance import Provenance
from study.run.executors import dask

pytest.importorskip("distributed")
SLOWLY = 150  # milliseconds of a trial, so that there is time to disturb it
AWAY = "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT"  # how long a scheduler may be


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with Cluster(tmp_path_factory.mktemp("cluster"), nanny=True) as running:
        yield running


def start(folder, scheduler, *more, milliseconds=20, **environment):
    command = [sys.executable, toy.__file__, "run", toy.study_file(folder, seeds=4, milliseconds=milliseconds), "--out", folder]
    command += ["--executor", "dask", "--scheduler", scheduler] if scheduler else []
    return subprocess.Popen([*command, *more], env=toy.environment(**environment), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True)


def finish(process):
    out, err = process.communicate(timeout=90)
    assert "Traceback" not in err
    return process.returncode, out, err


def records(folder):
    return store.read(Path(folder, "toy", "default")).lines


def await_records(folder, count):
    toy.until(lambda: len(records(folder)) >= count)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    assert finish(start(folder, None, milliseconds=SLOWLY))[0] == 0
    return (folder / "toy" / "default" / "runs.jsonl").read_bytes()


def same(folder, undisturbed):
    return (folder / "toy" / "default" / "runs.jsonl").read_bytes() == undisturbed


def test_a_raise_a_poison_and_a_hang_are_told_apart_and_the_workers_live_on(tmp_path, cluster):
    part = ["--only", "cell=lstm", "--only", "gap=12", "--timeout", "4"]
    code, out, err = finish(start(tmp_path, cluster.file, *part, TOY="faulty"))
    assert code == 1 and "1 solved" in out and "2 failed, 1 crashed" in out
    assert all(err.count(reason) == 2 for reason in ("no luck", "killed 3 workers", "SIGKILL", "--timeout)")), err
    assert all(process.poll() is None for process in cluster.workers)


def test_a_cluster_tunes_as_one_machine_does(tmp_path, cluster):
    file, folders = tuned.file(tmp_path, "budget = 5000"), [tmp_path / name for name in ("local", "dask")]
    for folder, more in zip(folders, ([], ["--executor", "dask", "--scheduler", cluster.file])):
        command = [sys.executable, toy.__file__, "run", file, "--out", folder, *more]
        assert subprocess.run(command, env=toy.environment(), capture_output=True, timeout=90).returncode == 0
    for name in ("runs.jsonl", "tuning.json"):
        local, dask_ = ((folder / "tuned" / "default" / name).read_bytes() for folder in folders)
        assert local == dask_


def test_a_lost_worker_costs_nothing(tmp_path, cluster, undisturbed):
    process = start(tmp_path, cluster.file, milliseconds=SLOWLY)
    await_records(tmp_path, 3)
    cluster.replace(0)
    await_records(tmp_path, 8)
    cluster.replace(1)
    assert finish(process)[0] == 0
    assert same(tmp_path, undisturbed)


def test_a_trial_that_nobody_awaits_any_more_is_ended(monkeypatch):
    monkeypatch.setattr(dask, "_wanted", lambda: False)
    began = time.monotonic()
    with pytest.raises(CancelledError):
        dask._in_a_process(kernels.NUMERICS, None, time.sleep, 60)
    assert time.monotonic() - began < 30


def test_an_interrupt_finishes_what_is_in_flight_and_a_second_one_does_not(tmp_path, cluster, undisturbed):
    process = start(tmp_path, cluster.file, milliseconds=SLOWLY)
    await_records(tmp_path, 2)
    process.send_signal(signal.SIGINT)
    code, _, err = finish(process)
    assert code == 130 and "To continue:\n  python -m study run" in err
    cluster.hanging.unlink(missing_ok=True)
    process = start(tmp_path, cluster.file, milliseconds=SLOWLY, TOY="faulty")
    toy.until(cluster.hanging.exists)
    toy.interrupt_twice(process)
    assert finish(process)[0] == 130  # the hanging trial takes longer than the patience of `finish`
    code, out, _ = finish(start(tmp_path, cluster.file, "--retry-failed", milliseconds=SLOWLY))  # the hanging ones hold no worker
    assert code == 0 and same(tmp_path, undisturbed)


def test_a_scheduler_that_comes_back_is_waited_for_and_one_that_stays_away_ends_the_run(tmp_path, undisturbed):
    patient, hasty = tmp_path / "patient", tmp_path / "hasty"
    patient.mkdir(), hasty.mkdir()
    with Cluster(tmp_path) as cluster:
        process = start(patient, cluster.file, milliseconds=SLOWLY, **{AWAY: "60s"})
        await_records(patient, 3)
        cluster.lose()
        time.sleep(1)
        cluster.start()
        assert finish(process)[0] == 0
        process = start(hasty, cluster.file, milliseconds=SLOWLY, **{AWAY: "2s"})
        await_records(hasty, 3)
        cluster.lose()
        code, _, err = finish(process)
    assert same(patient, undisturbed)
    assert code == 1 and err.count("error: ") == 1 and "is gone; finished trials are recorded" in err
    kept = len(records(hasty))
    code, out, _ = finish(start(hasty, None, milliseconds=SLOWLY))
    assert code == 0 and f"{24 - kept} trials in" in out and same(hasty, undisturbed)


def test_a_cluster_may_be_empty_at_first(tmp_path):
    with Cluster(tmp_path, workers=0) as cluster:
        process = start(tmp_path, cluster.file, "--only", "cell=lstm", "--seeds", "1")
        time.sleep(1.5)
        assert process.poll() is None
        cluster.workers += [cluster.worker()]
        assert finish(process)[0] == 0


def test_dask_logs_nothing_into_what_the_driver_says_unless_it_is_asked_to(cluster):
    names = [*dask.LOGGERS, "distributed.batched", "distributed.core", "distributed.utils_comm"]
    script = f"""import logging
from study.run.executors.dask import Cluster
Cluster({cluster.file!r}).close()
for name in {names}:
    logging.getLogger(name).error("heard %s", name)"""

    def heard(**environment):
        done = subprocess.run([sys.executable, "-c", script], env=toy.environment(**environment), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stderr.count("heard")

    assert heard() == 0
    assert heard(DASK_LOGGING__DISTRIBUTED="info") == 4


@pytest.mark.parametrize("scheduler", ["tcp://127.0.0.1:9", "nonsense", os.devnull])
def test_nobody_there_is_one_message(tmp_path, scheduler):
    code, _, err = finish(start(tmp_path, scheduler, **{AWAY: "1s"}))
    assert code == 2 and f"--scheduler {scheduler}" in err
    assert not (tmp_path / "toy").exists()


def test_each_record_knows_the_machine_of_its_worker(tmp_path, cluster):
    assert finish(start(tmp_path, cluster.file, "--seeds", "1"))[0] == 0
    folder = tmp_path / "toy" / "default"
    provenance = Provenance(folder, store.read(folder))
    rows = [provenance.row(id) for id in records(tmp_path)]
    assert all(row["host"] == socket.gethostname() and row["isa"] == kernels.isa() and row["seconds"] > 0 for row in rows)


def test_weights_come_back_from_the_cluster(tmp_path, cluster):
    part = ["--only", "cell=rnn", "--only", "gap=12", "--seeds", "1", "--keep-weights"]
    kept = []
    for name, scheduler in (("cluster", cluster.file), ("here", None)):
        (tmp_path / name).mkdir()
        assert finish(start(tmp_path / name, scheduler, *part, milliseconds=0, TOY="real"))[0] == 0
        folder = tmp_path / name / "toy" / "default" / "weights"
        kept.append({path.stem: path.read_bytes() for path in folder.iterdir()})
        assert set(kept[-1]) == set(records(tmp_path / name))
    assert kept[0] == kept[1] and len(kept[0]) > 1


def test_a_scheduler_that_wants_tls_is_a_mistake_in_words(tmp_path):
    code, out, err = finish(start(tmp_path, "tls://127.0.0.1:9"))
    assert code == 2 and "--scheduler tls://127.0.0.1:9" in err and "TLS" in err
