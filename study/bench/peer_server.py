"""The program of a peer's process, which answers requests until its input ends: `python -m study.bench.peer_server PEER`.

A request is a pickled (method name, arguments); an answer is a pickled (succeeded, result or message). Packages that print
print to stderr.
"""

import importlib
import os
import pickle
import sys
import time


class Server:
    """One peer and the case that it prepared last."""

    def __init__(self, peer):
        self.peer, self.step = importlib.import_module(f"study.bench.peers.{peer}"), None

    def title(self):
        return self.peer.TITLE

    def can(self, case):
        return hasattr(self.peer, case.work) and self.peer.can(case)

    def prepare(self, case, given):
        """Make the case ready to be timed; return the results that are compared."""
        self.step = None  # frees the previous case
        self.step, check = getattr(self.peer, case.work)(case, given)
        return check()

    def calls(self, seconds):
        """The number of steps that take about `seconds`, at least one."""
        self.step()
        began = time.perf_counter()
        self.step()
        return max(1, round(seconds / (time.perf_counter() - began)))

    def block(self, calls):
        """Mean seconds of a step over `calls` steps, after one that is not timed."""
        self.step()
        began = time.perf_counter()
        for _ in range(calls):
            self.step()
        return (time.perf_counter() - began) / calls

    def once(self, function, *arguments):
        """The result of a function of the peer, and the seconds that it took."""
        began = time.perf_counter()
        result = getattr(self.peer, function)(*arguments)
        return result, time.perf_counter() - began


def main():
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    server = Server(sys.argv[1])
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
