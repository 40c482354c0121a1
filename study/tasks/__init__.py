"""The tasks, one file each.

A file of this folder whose name does not start with an underscore defines tasks: its ``TASKS`` is a tuple of them. A task needs no
other registration; the contract tests run over all of them. Tasks whose data lie in a package that is not installed are LEFT_OUT.

>>> list(TASKS)[:2]
['adding/hs97', 'adding/uniform']
"""

import importlib
import pkgutil

from kernels import checks
from study.tasks import _data
from study.tasks._rule import Judge
from study.tasks._task import Batch, Task

__all__ = ["LEFT_OUT", "TASKS", "Batch", "Judge", "Task", "get"]

_EVERY = {
    task.name: task
    for module in sorted(entry.name for entry in pkgutil.iter_modules(__path__))
    if not module.startswith("_")
    for task in importlib.import_module(f"{__name__}.{module}").TASKS
}
LEFT_OUT = {name: _data.missing(task) for name, task in _EVERY.items() if task.data and not _data.installed(task.data)}
TASKS = {name: task for name, task in _EVERY.items() if name not in LEFT_OUT}


def get(name):
    """The task of that name.

    Raises
    ------
    ValueError
        No such task; names the nearest one. Or it is LEFT_OUT.
    """
    if name in LEFT_OUT:
        raise ValueError(LEFT_OUT[name])
    return TASKS[checks.choice("task", name, TASKS)]
