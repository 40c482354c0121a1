"""A worker process that runs one trial at a time, is started when needed, and dies with its parent."""

import ctypes
import os
import re
import signal
import sys
import threading
import time
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from multiprocessing.resource_tracker import ensure_running

from study.run.clock import Stopwatch
from study.run.executors import Slot

ENVIRONMENT = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "PYTHONSAFEPATH")}
ENVIRONMENT["LOKY_MAX_MEMORY_LEAK_SIZE"] = "1e18"  # loky must not replace a process that has grown
START = 300  # seconds that a process may take to start, if trials have a timeout
PARENT_DIED = 1  # PR_SET_PDEATHSIG of prctl


class Process(Slot):
    """One worker process. `timeout`: seconds for a trial, or None."""

    def __init__(self, timeout=None):
        self.timeout, self._stopwatch, self._ready, self._executor = timeout, Stopwatch(), False, None

    def submit(self, function, *arguments):
        # multiprocessing and loky start helpers by `python -c`, which imports from the working directory unless this is set.
        os.environ["PYTHONSAFEPATH"] = "1"
        ensure_running()  # here, because starting that helper unblocks the signals
        with _signals_blocked():  # a new worker inherits it, so an interrupt of the driver lets running trials finish
            while True:
                if self._executor is None:
                    self._start(function, *arguments)
                self._stopwatch.restart()
                try:
                    return self._executor.submit(function, *arguments)
                except BrokenExecutor:  # the process died while it was idle
                    self.kill()

    def _start(self, *imports):
        """Start the process; it unpickles `imports`, and so imports what the trial needs, before the trial's time begins."""
        from loky import ProcessPoolExecutor  # slow, and most commands start no process

        self._ready = False
        self._executor = ProcessPoolExecutor(1, initializer=_prepare, initargs=(os.getpid(),), env=ENVIRONMENT)
        self._executor.submit(_do_nothing, *imports).add_done_callback(self._started)

    def _started(self, future):
        self._stopwatch.restart()
        self._ready = True

    def overdue(self):
        limit = self.timeout if self._ready or self.timeout is None else max(self.timeout, START)
        return self._stopwatch.seconds() > (float("inf") if limit is None else limit)

    def result(self, future):
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
        """End the process, even if it is stopped. The next call starts another."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=True)
            self._executor = None


@contextmanager
def _signals_blocked():
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare(parent):
    """Make this process die with its parent: by PR_SET_PDEATHSIG on Linux, elsewhere by polling."""
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


def _do_nothing(*imports):
    """Called once the process has unpickled `imports`."""
