"""Keeps files of the working directory from being imported in place of modules.

`python -m` puts the working directory first on sys.path: a user's random.py would replace the standard library's.
"""

import os
import sys

PACKAGES = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # the folder that holds study


def leave_out_working_directory():
    """Take the working directory off the search path of this process and of those that it starts.

    If study itself lies there, the directory becomes the last entry of sys.path.
    """
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        here = os.path.realpath(os.getcwd())
    except FileNotFoundError:  # it was deleted, so nothing can be imported from it
        return
    sys.path[:] = _without(here, sys.path)
    if "PYTHONPATH" in os.environ:
        os.environ["PYTHONPATH"] = os.pathsep.join(_without(here, os.environ["PYTHONPATH"].split(os.pathsep)))
    if PACKAGES not in map(os.path.realpath, sys.path):
        sys.path.append(PACKAGES)


def _without(folder, paths):
    """An empty path is the working directory."""
    return [path for path in paths if os.path.realpath(path or ".") != folder]
