"""The tasks: one file each, found by where it lies.

A file of this folder whose name does not start with an underscore is a task's, and its ``TASKS`` is a tuple of the
definitions it holds. Nothing else registers a task; the contract tests run over whatever is found here.

>>> list(TASKS)[:2]
['adding/hs97', 'digits']
"""

import difflib
import importlib
import pkgutil

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
    if name in TASKS:
        return TASKS[name]
    near = difflib.get_close_matches(str(name), TASKS, n=1, cutoff=0)[0]
    raise ValueError(f"task: expected one of {', '.join(TASKS)}, got {name!r}; did you mean {near!r}?")
