"""The workers of a Dask cluster. Everything that sets a cluster apart is in this file."""

import json
import multiprocessing
import os
import socket
import threading
import time
from concurrent.futures import BrokenExecutor, CancelledError, wait
from contextlib import suppress
from pathlib import Path

from kernels import NUMERICS
from study.errors import SpecError
from study.records import machine
from study.run.executors import Executor, Lost, Slot
from study.run.executors.process import Process

QUEUED = 2  # trials per thread of the cluster, so that no thread waits for the next one to arrive
TICK = 0.2  # seconds between two checks of a trial by its worker
REFRESH = 1.0  # seconds between two checks of the size of the cluster
LOGGERS = ("asyncio", "concurrent.futures", "distributed", "distributed.client", "tornado", "tornado.application")
"""Loggers that would write tracebacks when the cluster is lost; `Lost` reports the loss."""


def start(workers, scheduler, timeout):
    if workers or not scheduler:
        raise SpecError("--executor dask needs --scheduler, and takes no --workers: the cluster has its own")
    try:
        return Cluster(scheduler, timeout)
    except ImportError:
        raise SpecError("--executor dask needs Dask, the extra `dask` of this package: pip install distributed") from None
    except (OSError, ValueError, TypeError, RuntimeError) as error:  # TypeError, RuntimeError: the scheduler's TLS differs
        raise SpecError(f"--scheduler {scheduler}: {error}") from None


class Cluster(Executor):
    """All workers that the scheduler has at the time.

    `scheduler` is an address or the path of a scheduler file. Raises ImportError without the extra `dask`, and OSError or
    ValueError if no scheduler answers.
    """

    def __init__(self, scheduler, timeout=None):
        import dask.config

        if not dask.config.get("logging-file-config", None):  # which excludes `logging`
            dask.config.update_defaults({"logging": dict.fromkeys(LOGGERS, "critical")})  # the user's own settings win
        from distributed import Client

        self.scheduler, self._timeout = scheduler, timeout
        self._client = Client(_address(scheduler))
        self._executor = self._client.get_executor(pure=False)
        self._taken, self._threads, self._refreshed, self._hosts = 0, 0, -REFRESH, {}

    @property
    def workers(self):
        now = time.monotonic()
        if self._client.status == "running" and now - self._refreshed >= REFRESH:
            self._threads, self._refreshed = self._client.scheduler_info(n_workers=0).get("total_threads", 0), now
        return self._threads

    def facts(self):
        """The facts of the hosts of all workers that were there at any call."""
        if self._client.status == "running":
            with suppress(OSError):  # the scheduler was lost meanwhile
                self._hosts |= dict(self._client.run(_host, on_error="ignore").values())
        return {"workers": self.workers, "hosts": self._hosts}

    def acquire(self):
        """A Slot; None if all are taken or the scheduler is away. Raises Lost once Dask has given the scheduler up."""
        if self._client.status == "closed":
            raise Lost(f"the scheduler {self.scheduler} is gone; finished trials are recorded, and the same command continues")
        if self._client.status != "running" or self._taken >= QUEUED * self.workers:
            return None
        self._taken += 1
        return Remote(self._client, self._executor, self._timeout)

    def release(self, slot):
        self._taken -= 1

    def crowding(self):
        return 1.0

    def close(self):
        self._client.close()


def _host():
    return socket.gethostname(), machine.facts()


def _address(scheduler):
    if not os.path.exists(scheduler):
        return scheduler
    try:
        return json.loads(Path(scheduler).read_bytes())["address"]
    except (KeyError, TypeError, ValueError):
        raise ValueError("not a scheduler file") from None


class Remote(Slot):
    """One trial on the cluster."""

    def __init__(self, client, executor, timeout):
        self._client, self._executor, self._timeout = client, executor, timeout
        self._connection = self._future = None

    def submit(self, function, *arguments):
        self._connection = self._client.scheduler_comm
        self._future = self._executor.submit(_in_a_process, NUMERICS, self._timeout, function, *arguments)
        return self._future

    def overdue(self):
        """Whether the connection that the trial went through is lost: no answer may come. The worker watches the timeout."""
        return self._client.scheduler_comm is not self._connection

    def result(self, future):
        from distributed import KilledWorker

        if not future.done():
            self.kill()
            raise CancelledError
        try:
            return future.result()
        except KilledWorker as error:
            raise BrokenExecutor(str(error)) from None

    def kill(self):
        """Cancel the trial; its worker ends the process when it sees that."""
        self._future.cancel()


_thread = threading.local()  # `process` of each thread of a Dask worker


def _in_a_process(numerics, timeout, function, *arguments):
    """What a thread of a Dask worker does: call the function in its process, until it is done or the driver cancels it."""
    if numerics != NUMERICS:
        raise RuntimeError(f"the worker has numerics {NUMERICS}, the driver {numerics}: install the same version on both")
    multiprocessing.current_process().daemon = False  # else a nanny's worker may have no children; ours die with it anyway
    process = vars(_thread).setdefault("process", Process())
    process.timeout = timeout
    future = process.submit(function, *arguments)
    while not wait([future], TICK).done and not process.overdue():
        if not _wanted():
            process.kill()
            raise CancelledError
    return process.result(future)


def _wanted():
    """Whether the scheduler still waits for this thread's task."""
    from distributed import get_worker

    worker = get_worker()
    task = worker.state.tasks.get(worker.get_current_task())
    return task is not None and task.state == "executing"
