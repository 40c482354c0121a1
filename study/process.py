"""The process of a command: its signals, standard streams and environment, however the parent left them.

Imports the standard library only, so that it takes effect before slow imports.
"""

import errno
import io
import os
import select
import signal
import sys
import warnings

FAILED, DISK, INTERRUPTED = 1, 74, 130


def start():
    """Before the imports: open what the parent closed, and let Ctrl-C end the process without a traceback."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets this number, the lowest free one; else the next file of records would
            os.set_inheritable(number, True)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not if the parent ignores SIGINT
        signal.signal(signal.SIGINT, _leave)
    warnings.simplefilter("ignore")  # those of dependencies do not concern a user, and PYTHONWARNINGS=error makes them fatal


def _leave(number, frame):
    try:
        os.write(2, b"interrupted before anything began\n")
    finally:
        os._exit(INTERRUPTED)


def run(command):
    """Call `command`, which returns an exit code, and exit with it.

    A standard stream that fails never ends the command: what is written to it is dropped. At the end, a stdout that failed
    gives the code 74 and a line on stderr; one whose reader left gives 1 and no line.
    """
    _listen()
    before = sys.stdout, sys.stderr
    out, err = _Stream(1, "w", closefd=False), _Stream(2, "w", closefd=False)
    sys.stdout, sys.stderr = _text(out, sys.stdout, out.isatty()), _text(err, sys.stderr, True)
    try:
        code = command()
        sys.stdout.flush()
        if out.error is not None and out.error.errno != errno.EPIPE:
            print(f"error: standard output: {out.error.strerror}", file=sys.stderr)
            code = DISK
    finally:
        sys.stdout, sys.stderr = before
    sys.exit(code or (FAILED if out.error else 0))


def _listen():
    """SIGINT and SIGTERM raise KeyboardInterrupt, unless the parent has them ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def stdout_failed():
    """Whether nobody gets what is written to stdout any more."""
    return getattr(getattr(sys.stdout.buffer, "raw", None), "error", None) is not None


class _Stream(io.FileIO):
    """A standard stream whose writes never raise. `error` is the first OSError; later data are dropped."""

    error = None

    def write(self, data):
        while self.error is None:
            try:
                written = super().write(data)
            except OSError as error:
                self.error = error
                break
            if written is not None:
                return written
            select.select([], [self], [])  # the parent set it non-blocking, and it is full
        return len(data)


def _text(stream, like, line_buffering):
    """A text stream over `stream` in the encoding of `like`; what it cannot encode is written as escapes."""
    encoding = getattr(like, "encoding", None) or "utf-8"
    return io.TextIOWrapper(io.BufferedWriter(stream), encoding, "backslashreplace", line_buffering=line_buffering)
