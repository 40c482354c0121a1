"""The tasks: one file each, found by where it lies.

A file of this folder whose name does not start with an underscore is a task's, and its ``TASKS`` is a tuple of the
definitions it holds. Nothing else registers a task; the contract tests run over whatever is found here.

>>> list(TASKS)[:2]
['adding/hs97', 'digits']
"""

import importlib
import pkgutil

from kernels import checks
from study.tasks._rule import Judge
from study.tasks._task import Batch, Task

__all__ = ["TASKS", "Batch", "Judge", "Task", "get"]

TASKS = {
    task.name: task
    for module in sorted(found.name for found in pkgutil.iter_modules(__path__))
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
