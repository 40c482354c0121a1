"""The tasks, one file each.

A file of this folder whose name does not start with an underscore defines tasks: its ``TASKS`` is a tuple of them. A task needs no
other registration; the contract tests run over all of them.

>>> list(TASKS)[:2]
['adding/hs97', 'adding/uniform']
"""

import importlib
import pkgutil

from kernels import checks
from study.tasks._rule import Judge
from study.tasks._task import Batch, Task

__all__ = ["TASKS", "Batch", "Judge", "Task", "get"]

TASKS = {
    task.name: task
    for module in sorted(entry.name for entry in pkgutil.iter_modules(__path__))
    if not module.startswith("_")
    for task in importlib.import_module(f"{__name__}.{module}").TASKS
}


def get(name):
    """The task of that name.

    Raises
    ------
    ValueError
        No such task; names the nearest one.
    """
    return TASKS[checks.choice("task", name, TASKS)]
