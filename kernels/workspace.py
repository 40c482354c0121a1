"""Buffers that outlive a tape, so that a training loop neither allocates nor touches new pages once it runs."""

import numpy as np


class Workspace:
    """Buffers of bytes that passes take and give back. A buffer may be larger than asked for.

    There is no lock, since a fork could leave it locked in the child for ever. A dict's pop gives each buffer to one thread only.
    """

    def __init__(self):
        self._free = {}         # by id

    def __reduce__(self):
        return type(self), ()

    def take(self, n):
        """A uint8 array of at least n bytes of any value."""
        free = sorted(list(self._free.values()), key=len)
        for buffer in free:
            if len(buffer) >= n and self._free.pop(id(buffer), None) is not None:
                return buffer
        if free:
            self._free.pop(id(free[-1]), None)      # all are too small, and the new one replaces the largest
        return np.empty(n + n // 8, np.uint8)

    def give(self, buffer):
        """Take back a buffer; the caller must not use it any more."""
        self._free[id(buffer)] = buffer
