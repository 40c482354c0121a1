"""A real Dask cluster on the loopback interface: a scheduler and workers in their own processes, to be killed and replaced."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import toy

from study.records import store


class Cluster:
    """`file` is the scheduler file, `hanging` the file that toy's hanging trials make; `nanny` puts one above each worker.

    All processes end with the block.
    """

    def __init__(self, folder, workers=2, nanny=False):
        self.folder, self.count, self.nanny = Path(folder), workers, nanny
        self.file, self.hanging, self.workers = str(self.folder / "scheduler.json"), self.folder / "hanging", []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.lose()

    def start(self):
        place = ["--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard", "--scheduler-file", self.file]
        self.scheduler = self._spawn("scheduler", *place)
        toy.until(self._listens)
        self.workers = [self.worker() for _ in range(self.count)]

    def _listens(self):
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True

    def worker(self):
        """One more worker, of one thread."""
        own = ["--nthreads", "1", "--nworkers", "1", "--no-dashboard", "--local-directory", str(self.folder)]
        return self._spawn("worker", f"tcp://127.0.0.1:{self.port}", *own, "--nanny" if self.nanny else "--no-nanny")

    def _spawn(self, what, *arguments):
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *arguments]
        with open(self.folder / f"{what}.log", "a") as log:
            return subprocess.Popen(command, env=toy.environment(HANGING=str(self.hanging)), stdout=log, stderr=log,
                                    start_new_session=True)

    def replace(self, number):
        """Kill a worker with its process group, and start another."""
        _kill(self.workers[number])
        self.workers[number] = self.worker()

    def lose(self):
        """Kill everything."""
        for process in [self.scheduler, *self.workers]:
            _kill(process)


def _kill(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    time.sleep(0.01)


def lose_workers(study, undisturbed, cluster, kills):
    """Kill and replace a worker of the cluster at random moments of the study.

    Some records lie between two kills, because a trial that loses three workers counts as crashed.
    """
    process, done, before = study.start(), 0, 0
    while done < kills and process.poll() is None:
        time.sleep(random.uniform(0.1, 0.5))
        if study.lines().total() >= before + 2 * cluster.count:
            before = study.lines().total()
            cluster.replace(random.randrange(cluster.count))
            done += 1
    study.finish(process)
    return study.cost(done, undisturbed, wrong=process.returncode != 0)


def lose_scheduler(study, undisturbed, cluster, records):
    """Kill scheduler and workers once there are `records`, and start them again a little later."""
    process = study.start()
    while len(store.read(study.place).lines) < records and process.poll() is None:
        time.sleep(0.05)
    cluster.lose()
    time.sleep(random.uniform(0, 3))
    cluster.start()
    study.finish(process)
    return study.cost(1, undisturbed, wrong=process.returncode != 0)
