"""A peer in a process of its own, which answers requests until its input ends: `python -m study.bench.worker PEER`.

A request is a pickled (method's name, arguments), an answer a pickled (done, result or what went wrong). Whatever a package
prints goes to stderr.
"""

import importlib
import os
import pickle
import sys
import time


class Worker:
    """One peer and the case that it was given last."""

    def __init__(self, peer):
        self.peer, self.step = importlib.import_module(f"study.bench.peers.{peer}"), None

    def title(self):
        return self.peer.TITLE

    def can(self, case):
        return hasattr(self.peer, case.work) and self.peer.can(case)

    def prepare(self, case, given):
        """Make the case ready to be timed; the results that are compared."""
        self.step = None  # frees the case before
        self.step, check = getattr(self.peer, case.work)(case, given)
        return check()

    def calls(self, seconds):
        """How many steps fill about that time, one at least."""
        self.step()
        began = time.perf_counter()
        self.step()
        return max(1, round(seconds / (time.perf_counter() - began)))

    def block(self, calls):
        """Seconds of a step, the mean over so many after one that is not timed."""
        self.step()
        began = time.perf_counter()
        for _ in range(calls):
            self.step()
        return (time.perf_counter() - began) / calls

    def once(self, function, *arguments):
        """A function of the peer's, and the seconds that it takes."""
        began = time.perf_counter()
        result = getattr(self.peer, function)(*arguments)
        return result, time.perf_counter() - began


def main():
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    worker = Worker(sys.argv[1])
    while True:
        try:
            method, arguments = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer = True, getattr(worker, method)(*arguments)
        except Exception as error:
            answer = False, f"{type(error).__name__}: {error}"
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    main()
