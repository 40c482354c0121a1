"""A stopwatch that stands still while its process does."""

import time

LONGEST_STEP = 1.0  # seconds


class Stopwatch:
    """Seconds during which this process ran.

    Ctrl-Z, a suspended batch job and a sleeping laptop stop the driver and its workers together, and no clock tells them that.
    But the driver reads its stopwatches several times a second, so a stop is a long gap between two readings: of a gap,
    LONGEST_STEP at most is counted. A worker that is stopped alone does not stop the driver's clock, so its trial times out.
    """

    def __init__(self):
        self.restart()

    def restart(self):
        self._seconds, self._last = 0.0, time.monotonic()

    def seconds(self):
        """Seconds since the start, without stops."""
        now = time.monotonic()
        self._seconds += min(now - self._last, LONGEST_STEP)
        self._last = now
        return self._seconds
