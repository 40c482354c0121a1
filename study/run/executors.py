"""Where trials are computed: places for one trial each, on this machine's processors or on a Dask cluster.

Every place ends in a process of its own that holds one trial at a time. So when a process dies it is known which trial it died
of, nobody else's trial is lost, and a trial that hangs is ended without touching another. That holds on a cluster too: a
thread of a Dask worker has such a process below it, and a trial that kills it leaves the worker alive. The processes die with
who started them. All that sets a cluster apart is in this file.

Rejected: several trials queued at one process (when it dies, which of them did it?), trials in the Dask worker's own process
(one that hangs cannot be ended, and one that crashes takes its neighbours along).

Places have `workers` (trials that run at once), facts() about them for provenance, take() -> a place, or None while all are
taken, give(place), close(); a place has submit(function, *arguments) -> Future, late() -> whether its time is up, answer(Future)
and kill().
"""

import ctypes
import json
import multiprocessing
import os
import re
import signal
import socket
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, CancelledError, wait
from contextlib import contextmanager, suppress
from multiprocessing.resource_tracker import ensure_running
from pathlib import Path

from kernels import NUMERICS
from study.records import machine

ENVIRONMENT = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}  # of a worker
ENVIRONMENT["LOKY_MAX_MEMORY_LEAK_SIZE"] = "1e18"  # a worker lasts as long as its place
START = 300  # seconds that a process may take to be ready, where trials have a timeout
PARENT_DIED = 1  # PR_SET_PDEATHSIG
AHEAD = 2  # trials for each thread of a cluster, so that none waits for the next one to arrive
TICK = 0.2  # seconds between looks at a remote trial, and
GLANCE = 1.0  # at a cluster's size
LOGGERS = ("asyncio", "concurrent.futures", "distributed", "distributed.client", "tornado", "tornado.application")
"""What Dask would have them say, with tracebacks, of a cluster that is lost, is said in words by Lost."""


class Lost(Exception):
    """The cluster is gone: one line that says which, and what to do."""


class Process:
    """One worker process, started with its first trial and again after it died. `timeout`: seconds for a trial, or None."""

    def __init__(self, timeout=None):
        self.timeout, self._since, self._ready, self._executor = timeout, 0.0, False, None

    def submit(self, function, *arguments):
        ensure_running()  # now: it unblocks the signals when it starts its own process
        with _signals_blocked():  # inherited by a worker that starts: who interrupts the driver lets the trials in flight finish
            while True:
                if self._executor is None:
                    self._start(function, *arguments)
                self._since = time.monotonic()
                try:
                    return self._executor.submit(function, *arguments)
                except BrokenExecutor:  # it died while it had nothing to do
                    self.kill()

    def _start(self, *imported):
        """Start the process and let it import what it will need: none of this is a trial's time."""
        from loky import ProcessPoolExecutor  # the commands that start no processes do not wait for it

        self._ready, self._executor = False, ProcessPoolExecutor(1, initializer=_settle, initargs=(os.getpid(),), env=ENVIRONMENT)
        self._executor.submit(_settled, *imported).add_done_callback(self._started)

    def _started(self, future):
        self._since, self._ready = time.monotonic(), True

    def late(self):
        patience = self.timeout if self._ready or self.timeout is None else max(self.timeout, START)
        return patience is not None and time.monotonic() - self._since > patience

    def answer(self, future):
        """What the function returned. Raises TimeoutError and ends the process if it has not, BrokenExecutor if the process died."""
        if not future.done():
            reason = f"ended after {self.timeout:g} s (--timeout)" if self._ready else f"no process for it within {START} s"
            self.kill()
            raise TimeoutError(reason)
        try:
            return future.result()
        except BrokenExecutor as error:
            self.kill()
            code = re.search(r"{.*}", str(error))
            raise BrokenExecutor(f"its process ended with {code[0] if code else error}") from None

    def kill(self):
        """End the process, whatever it does. The next trial starts another."""
        self._shutdown(kill_workers=True)

    def close(self):
        self._shutdown()

    def _shutdown(self, **how):
        if self._executor is not None:
            self._executor.shutdown(wait=True, **how)
            self._executor = None


@contextmanager
def _signals_blocked():
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _settle(parent):
    """Die with the parent: by the kernel's word on Linux, by looking elsewhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DIED, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _settled(*imported):
    """Nothing: what it is given is imported by then."""


def _watch(parent):
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


class Local:
    """So many processes on this machine."""

    def __init__(self, workers, timeout=None):
        self.workers = workers
        self._all = [Process(timeout) for _ in range(workers)]
        self._idle = list(self._all)

    def facts(self):
        return {"workers": self.workers}

    def take(self):
        return self._idle.pop() if self._idle else None

    def give(self, place):
        self._idle.append(place)

    def close(self):
        for place in self._all:
            place.close()


class Cluster:
    """The workers of a Dask scheduler, as many as there are at the time.

    `scheduler` is an address or the path of a scheduler file. Raises ImportError without the extra, OSError or ValueError
    where nobody answers.
    """

    def __init__(self, scheduler, timeout=None):
        import dask.config

        if not dask.config.get("logging-file-config", None):  # which excludes `logging`
            dask.config.update_defaults({"logging": dict.fromkeys(LOGGERS, "critical")})  # where the user's own does not say more
        from distributed import Client

        self.scheduler, self._timeout = scheduler, timeout
        self._client = Client(_address(scheduler))
        self._executor = self._client.get_executor(pure=False)
        self._taken, self._threads, self._looked, self._hosts = 0, 0, -GLANCE, {}

    @property
    def workers(self):
        now = time.monotonic()
        if self._client.status == "running" and now - self._looked >= GLANCE:
            self._threads, self._looked = self._client.scheduler_info(n_workers=0).get("total_threads", 0), now
        return self._threads

    def facts(self):
        """With the facts of the hosts of all workers that were there when somebody asked."""
        if self._client.status == "running":
            with suppress(OSError):  # the scheduler is lost just now
                self._hosts |= dict(self._client.run(_host, on_error="ignore").values())
        return {"workers": self.workers, "hosts": self._hosts}

    def take(self):
        """A place; None while all are taken, no worker is there or the scheduler is away; raises Lost if it stays away."""
        if self._client.status == "closed":
            raise Lost(f"the scheduler {self.scheduler} is gone; what was finished is kept, and the same command goes on from there")
        if self._client.status != "running" or self._taken >= AHEAD * self.workers:
            return None
        self._taken += 1
        return Remote(self._client, self._executor, self._timeout)

    def give(self, place):
        self._taken -= 1

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


class Remote:
    """One trial on a cluster."""

    def __init__(self, client, executor, timeout):
        self._client, self._executor, self._timeout = client, executor, timeout
        self._connection = self._future = None

    def submit(self, function, *arguments):
        self._connection = self._client.scheduler_comm
        self._future = self._executor.submit(_in_a_process, NUMERICS, self._timeout, function, *arguments)
        return self._future

    def late(self):
        """Whether the connection that the trial went through is lost, for then nobody may answer. Its worker looks at the clock."""
        return self._client.scheduler_comm is not self._connection

    def answer(self, future):
        """As Process has it; CancelledError where the scheduler was lost, and the trial with it."""
        from distributed import KilledWorker

        if not future.done():
            self.kill()
            raise CancelledError
        try:
            return future.result()
        except KilledWorker as error:
            raise BrokenExecutor(str(error)) from None

    def kill(self):
        """The worker ends the trial when it sees that nobody waits for it."""
        self._future.cancel()


_here = threading.local()  # of a thread of a Dask worker: its Process


def _in_a_process(numerics, timeout, function, *arguments):
    """What a Dask worker does: the function in this thread's process, as long as the driver waits for it."""
    if numerics != NUMERICS:
        raise RuntimeError(f"the worker has numerics {NUMERICS}, the driver {numerics}: install the same version on both")
    multiprocessing.current_process().daemon = False  # a nanny's workers may have no children; these do not outlive them
    place = vars(_here).setdefault("place", Process())
    place.timeout = timeout
    future = place.submit(function, *arguments)
    while not wait([future], TICK).done and not place.late():
        if not _awaited():
            place.kill()
            raise CancelledError
    return place.answer(future)


def _awaited():
    from distributed import get_worker

    worker = get_worker()
    task = worker.state.tasks.get(worker.get_current_task())
    return task is not None and task.state == "executing"
