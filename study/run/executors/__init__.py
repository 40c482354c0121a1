"""Where trials are computed: one module per executor, each with the interface below.

Design. Every slot ends in a process of its own that runs one trial at a time. When a process dies, the trial that killed it is
known, no other trial is lost, and a trial that hangs can be ended alone. This holds on a cluster too: each thread of a Dask
worker has such a process below it, so a trial that kills its process leaves the worker alive.

Rejected: a queue of trials in one process (which of them killed it?), and trials in the Dask worker's own process (one that
hangs cannot be ended, and one that crashes takes its neighbours along).

A new executor is a module here with a function `start` like theirs, and a name in NAMES.
"""

import importlib
from abc import ABC, abstractmethod

NAMES = ("local", "dask")


class Lost(Exception):
    """The executor is gone for good. The message is one line that says what is kept and what to do."""


class Slot(ABC):
    """Room for one trial."""

    @abstractmethod
    def submit(self, function, *arguments):
        """Start a call; returns its Future."""

    @abstractmethod
    def overdue(self):
        """Whether to stop waiting for the call: its time is up, or its answer cannot arrive any more."""

    @abstractmethod
    def result(self, future):
        """The value of a call that is done or overdue.

        Raises TimeoutError if its time is up, BrokenExecutor if its process died, CancelledError if it was lost through no
        fault of its own, and whatever the function raised.
        """

    @abstractmethod
    def kill(self):
        """End the call, whatever it does."""


class Executor(ABC):
    """Several slots. `workers` is the number of trials that run at once."""

    workers: int

    @abstractmethod
    def facts(self):
        """What to record of the machines: {"workers": int}, and {"hosts": {name: facts}} if they are others."""

    @abstractmethod
    def acquire(self):
        """A free Slot; None if there is none now. Raises Lost."""

    @abstractmethod
    def release(self, slot):
        """Give a slot back."""

    @abstractmethod
    def crowding(self):
        """How many times longer a trial takes than on an idle processor like the driver's."""

    @abstractmethod
    def close(self):
        """End all processes."""


def start(name, workers=None, scheduler=None, timeout=None):
    """The Executor called `name`; `timeout` is in seconds for each trial. Raises SpecError for options that do not fit."""
    return importlib.import_module(f"{__name__}.{name}").start(workers, scheduler, timeout)
