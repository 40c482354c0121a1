"""A clock that is wrong, for a process with this folder in its PYTHONPATH: CLOCK is "START" or "START,AFTER,BACK".

It shows START, seconds since 1970, when the process starts, and is set back by BACK seconds AFTER seconds later.
"""

import os
import time

_start, _after, _back = (float(part) for part in (os.environ["CLOCK"] + ",1e9,0").split(",")[:3])
_began, _gmtime, _localtime = time.monotonic(), time.gmtime, time.localtime


def _time():
    passed = time.monotonic() - _began
    return _start + passed - (_back if passed > _after else 0.0)


time.time = _time
time.time_ns = lambda: int(_time() * 1e9)
time.gmtime = lambda seconds=None: _gmtime(_time() if seconds is None else seconds)
time.localtime = lambda seconds=None: _localtime(_time() if seconds is None else seconds)
