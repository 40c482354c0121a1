"""Buffers that outlive a tape, so that a training loop's steady state neither allocates nor touches new pages."""

import threading

import numpy as np


class Workspace:
    """Buffers of bytes to take and to give back. One that is larger than asked serves too."""

    def __init__(self):
        self._free, self._lock = [], threading.Lock()

    def take(self, n):
        """A uint8 array of at least n bytes, whatever they hold."""
        with self._lock:
            self._free.sort(key=len)
            for i, buffer in enumerate(self._free):
                if len(buffer) >= n:
                    return self._free.pop(i)
            if self._free:
                self._free.pop()    # too small even so: the one taken now replaces it
        return np.empty(n + n // 8, np.uint8)

    def give(self, buffer):
        with self._lock:
            self._free.append(buffer)
