"""Worker processes on this machine."""

import resource

from kernels.processor import processors
from study.errors import SpecError
from study.run.estimate import crowding
from study.run.executors import Executor
from study.run.executors.process import Process

FILES = 10  # open files that a worker costs its driver
OTHER_FILES = 64  # of the driver itself


def start(workers, scheduler, timeout):
    if scheduler:
        raise SpecError("--scheduler needs --executor dask")
    return Local(workers or processors(), timeout)


class Local(Executor):
    """`workers` processes on this machine."""

    def __init__(self, workers, timeout=None):
        _allow_files(FILES * workers + OTHER_FILES, workers)
        self.workers = workers
        self._slots = [Process(timeout) for _ in range(workers)]
        self._free = list(self._slots)

    def facts(self):
        return {"workers": self.workers}

    def acquire(self):
        return self._free.pop() if self._free else None

    def release(self, slot):
        self._free.append(slot)

    def crowding(self):
        return crowding(self.workers)

    def close(self):
        for slot in self._slots:
            slot.kill()  # idle by now; an orderly end would wait for a stopped process for ever


def _allow_files(needed, workers):
    """Raise this process's limit of open files to what the workers need. Raises SpecError if it may not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise SpecError(f"--workers: {workers} workers need about {needed:,} open files; "
                        f"this process may have {hard:,} (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
