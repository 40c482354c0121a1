"""Where trials are computed: places for one trial each, on this machine's processors or on a Dask cluster.

Every local place is a process of its own with an executor of its own. So when a process dies it is known which trial it died
of, nobody else's trial is lost, and a trial that hangs is ended without touching another.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from multiprocessing.resource_tracker import ensure_running

from loky import ProcessPoolExecutor

ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
PARENT_DIED = 1  # PR_SET_PDEATHSIG


class Process:
    """One worker process, started with its first trial and again after it died."""

    def __init__(self):
        self._executor = None

    def submit(self, function, *arguments):
        if self._executor is None:
            ensure_running()  # now: it unblocks the signals when it starts its own process
            self._executor = ProcessPoolExecutor(1, initializer=_settle, initargs=(os.getpid(),), env=ONE_THREAD)
        with _signals_blocked():  # inherited by the worker: who interrupts the driver lets the trials in flight finish
            return self._executor.submit(function, *arguments)

    def kill(self):
        """End the process, whatever it does. The next trial starts another."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=True)
            self._executor = None

    def close(self):
        if self._executor is not None:
            self._executor.shutdown(wait=True)
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


def _watch(parent):
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


class Shared:
    """A place on an executor that looks after its own workers."""

    def __init__(self, executor):
        self._executor = executor

    def submit(self, function, *arguments):
        return self._executor.submit(function, *arguments)

    def kill(self):
        """Nothing here can end a trial on a cluster; its result is no longer waited for."""

    def close(self):
        pass


def local(workers):
    """As many places as workers."""
    return [Process() for _ in range(workers)]


def dask(scheduler):
    """Two places for each thread of a Dask cluster, so that none waits for the next trial to arrive.

    `scheduler` is an address or the path of a scheduler file. Raises ImportError without the extra, OSError or ValueError
    where nobody answers.
    """
    from distributed import Client

    client = Client(**{"scheduler_file" if os.path.exists(scheduler) else "address": scheduler})
    executor = client.get_executor(pure=False)
    return [Shared(executor) for _ in range(2 * sum(client.nthreads().values()))]
