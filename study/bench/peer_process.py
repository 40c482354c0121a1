"""The peers' processes: started, pinned, asked and ended."""

import os
import pickle
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from kernels.processor import affinity
from study.bench import peer_server, peers
from study.records.machine import PROJECT

POOLS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")  # read by the peers' thread pools
INSTALL = 'in the project\'s folder: .venv/bin/python -m pip install -c constraints.txt -e ".[peers]"'

USES = """import sys
sys.path.insert(0, sys.argv[1])
import kernels, numpy, study
layer = kernels.RNN("rnn", 1, 1)
layer.forward(layer.init(seed=0), numpy.zeros((1, 1, 1), "float32"))
print(kernels.__file__, study.__file__, sep="\\n")"""


class Lost(Exception):
    """A peer could not answer a request; the message says why."""


class PeerProcess:
    """The process of one peer, pinned to the processors `cpus`, with one thread for each.

    `project` is the folder whose kernels it imports.
    """

    def __init__(self, name, cpus, project=PROJECT):
        threads = dict.fromkeys(POOLS, str(len(cpus)))
        peer = "ours" if name == peers.EARLIER else name
        self._process = subprocess.Popen(
            [sys.executable, "-P", peer_server.__file__, peer, str(project)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, **threads}, preexec_fn=lambda: pin(cpus),
            start_new_session=True)  # Ctrl-C reaches the parent alone
        self.title = self.ask("title")

    def ask(self, method, *arguments):
        """The result of a method of study.bench.peer_server.Server. Raises Lost."""
        try:
            pickle.dump((method, arguments), self._process.stdin)
            self._process.stdin.flush()
            done, answer = pickle.load(self._process.stdout)
        except (OSError, EOFError):
            raise Lost(f"its process ended (exit code {self._process.wait()})") from None
        if not done:
            raise Lost(answer)
        return answer

    def close(self):
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def unusable(folder):
    """Why the kernels and the study of a folder cannot be used, None if they can. Another process tries them."""
    tried = subprocess.run([sys.executable, "-P", "-c", USES, folder], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    inside = Path(folder).resolve()
    if tried.returncode == 0 and all(inside in Path(path).resolve().parents for path in tried.stdout.splitlines()):
        return None
    return tried.stderr.strip().rpartition("\n")[2]     # nothing where Python found them elsewhere


def pinned(threads):
    """The processors for that many threads: the last ones, because the first serves most interrupts."""
    return affinity()[-threads:]


def pin(cpus):
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cpus)


def available(names):
    """({peer: version} of the installed peers, {peer: why it is left out})"""
    versions = {name: peers.version(name) for name in names}
    missing = {name: f"not installed; to compare with it: {INSTALL}" for name, version in versions.items() if version is None}
    return {name: version for name, version in versions.items() if version is not None}, missing


@contextmanager
def running(names, threads, earlier=None):
    """{peer: PeerProcess} while the block lasts, all pinned to the same processors; `earlier`: the folder of the peer EARLIER."""
    started = {}
    try:
        for name in names:
            started[name] = PeerProcess(name, pinned(threads), earlier if name == peers.EARLIER else PROJECT)
        yield started
    finally:
        for peer in started.values():
            peer.close()
