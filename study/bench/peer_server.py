"""The program of a peer's process, which answers requests until its input ends: `python peer_server.py PEER PROJECT`.

A request is a pickled (method name, arguments); an answer is a pickled (succeeded, result or message). Packages that print
print to stderr. `kernels` and `study` are those of the folder PROJECT, a clone of this project that may be at another commit;
study.bench is always the one beside this file, so that all clones are asked for the same work.
"""

import importlib
import importlib.util
import os
import pickle
import sys
import time
from pathlib import Path

LONG = 0.5  # seconds of a call from which on calls are timed without one before them


class Server:
    """One peer and the case that it prepared last."""

    def __init__(self, peer):
        self.peer, self.run, self.length = importlib.import_module(f"study.bench.peers.{peer}"), None, 0.0

    def title(self):
        return self.peer.TITLE

    def can(self, case):
        return hasattr(self.peer, case.work) and self.peer.can(case)

    def prepare(self, case, given):
        """Make the case ready to be timed; return the results that are compared."""
        self.run = None  # frees the previous case
        self.run, check = getattr(self.peer, case.work)(case, given)
        return check()

    def calls(self, seconds):
        """The number of calls that take about `seconds`, at least one."""
        calls, took = 1, self._timed(1)
        while took < min(seconds / 4, LONG):
            calls *= 2
            took = self._timed(calls)
        self.length = took / calls
        return max(1, round(seconds / self.length))

    def block(self, calls):
        """Mean seconds of a call over `calls` of them, after one that is not timed unless it is long."""
        if self.length < LONG:
            self.run(1)
        return self._timed(calls) / calls

    def _timed(self, calls):
        began = time.perf_counter()
        self.run(calls)
        return time.perf_counter() - began

    def once(self, function, *arguments):
        """The result of a function of the peer, and the seconds that it took."""
        began = time.perf_counter()
        result = getattr(self.peer, function)(*arguments)
        return result, time.perf_counter() - began


def use(project):
    """Let `kernels` and `study` be those of a folder, and study.bench the one beside this file."""
    sys.path.insert(0, project)
    here = Path(__file__).parent
    spec = importlib.util.spec_from_file_location("study.bench", here / "__init__.py", submodule_search_locations=[str(here)])
    sys.modules["study.bench"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["study.bench"])


def main():
    peer, project = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    use(project)
    server = Server(peer)
    while True:
        try:
            method, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer = True, getattr(server, method)(*arguments)
        except Exception as error:
            answer = False, f"{type(error).__name__}: {error}"
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    main()
