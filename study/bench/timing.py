"""Rounds: every peer in turn, again and again, beside the machine's peak. Peers that disagree with ours are not timed."""

from collections import defaultdict
from dataclasses import asdict, dataclass, field

import numpy as np

from study.bench.agreement import agreement, small
from study.bench.inputs import inputs
from study.bench.operations import operations
from study.bench.peer_process import Lost
from study.bench.suites import ROUNDS
from study.statistics.medians import quartiles

WIDE = 0.1  # quartiles further apart than this part of the median make a warning
LIMITS = 0.02  # seconds in which the peak is measured, and the dependent chain
FAST = 0.1  # the part of the rounds whose slowest is called fast
FEW = 4  # rows up to which the dependent chain may be the limit


@dataclass(frozen=True)
class Effort:
    """Rounds of a case, visits over which they are spread, and the least seconds that a peer's part of a round takes."""

    rounds: int = ROUNDS
    visits: int = 3
    seconds: float = 0.05

    def shares(self, most):
        """The rounds of each visit that has any, `most` rounds or fewer in all."""
        rounds = min(self.rounds, most)
        ends = [rounds * n // self.visits for n in range(self.visits + 1)]
        return [end - start for start, end in zip(ends, ends[1:]) if end > start]


@dataclass
class Measured:
    """A case's rounds so far: the peak in operations a second, the dependent chain in seconds a step, seconds by peer."""

    peak: list = field(default_factory=list)
    chain: list = field(default_factory=list)
    seconds: dict = field(default_factory=lambda: defaultdict(list))


def summed_up(rounds, fast=FAST):
    """Quartiles of a number's rounds, and "fast": the slowest of the fastest tenth. Of a speed, `fast` is one minus FAST."""
    return {**quartiles(rounds), "fast": float(np.quantile(rounds, fast))}


def spread(summary):
    return (summary["q3"] - summary["q1"]) / summary["median"]


class Timer:
    """Times cases; keeps the rounds of each case so far, and which peers have agreed in float64.

    Parameters
    ----------
    peers : {name: study.bench.peer_process.PeerProcess}, "ours" among them
    effort : Effort
    """

    def __init__(self, peers, effort):
        self.peers, self.effort = peers, effort
        self._agreed, self._measured = {}, defaultdict(Measured)

    def measure(self, case, names, rounds):
        """Time `rounds` more rounds of a case, ours and the peers named, and return its record over all rounds so far.

        Returns
        -------
        dict
            The case's fields; rounds; operations; peak: `summed_up`, in operations a second; chain: likewise, in seconds a
            step, None where it is not measured; peers: {name: {"median", "q1", "q3", "fast" of a call's seconds, "calls" a
            round, and of a peer the "difference" from ours in this case, and "difference64" in a small and odd one in float64
            (None where it has none)} or {"refused": why}}; warnings: lines.
        """
        others = [name for name in names if self._can(name, case)]
        exact = {name: self._exact(case, name) for name in others}
        wrong = {name: why for name, (_, why) in exact.items() if why}
        checked = agreement(case, self.peers, [name for name in others if name not in wrong])
        wrong |= {name: why for name, (_, why) in checked.items() if why}
        timed = {name: self.peers[name] for name in ["ours", *others] if name not in wrong}
        calls = {name: peer.ask("calls", self.effort.seconds) for name, peer in timed.items()}
        measured = self._measured[case]
        self._rounds(case, timed, calls, rounds)
        results = {name: {**summed_up(measured.seconds[name]), "calls": calls[name]} for name in timed}
        for name in timed.keys() & exact.keys():
            results[name] |= {"difference": checked[name][0], "difference64": exact[name][0]}
        results |= {name: {"refused": why} for name, why in wrong.items()}
        wide = [f"{case}: {name} varies by {spread(results[name]):.0%}" for name in timed if spread(results[name]) > WIDE]
        return {**asdict(case), "rounds": len(measured.peak), "operations": operations(case),
                "peak": summed_up(measured.peak, 1 - FAST), "chain": summed_up(measured.chain) if measured.chain else None,
                "peers": results, "warnings": wide + [f"{case}: {name}: {why}" for name, why in wrong.items()]}

    def _rounds(self, case, timed, calls, rounds):
        """Add rounds to what was measured of a case."""
        measured, ours = self._measured[case], self.peers["ours"]
        for _ in range(rounds):
            turn = len(measured.peak)
            measured.peak.append(ours.ask("once", "peak", case.dtype, case.threads, LIMITS)[0])
            if case.B <= FEW and case.dtype == "float32":
                measured.chain.append(ours.ask("once", "chain", case.cell, case.H, LIMITS)[0])
            for name in rotated(list(timed), turn):
                measured.seconds[name].append(timed[name].ask("block", calls[name]))

    def _can(self, name, case):
        """Whether a peer can compute the case; False once its process has ended."""
        try:
            return self.peers[name].ask("can", case)
        except Lost:
            return False

    def _exact(self, case, name):
        """(difference from ours, what is wrong or None) of a peer's float64 results for this kind of work and cell."""
        key = name, case.work, case.cell
        if key not in self._agreed:
            exact = small(case)
            self._agreed[key] = agreement(exact, self.peers, [name])[name] if self._can(name, exact) else (None, None)
        return self._agreed[key]


def rotated(names, turn):
    """The names, begun with another one in each turn."""
    first = turn % len(names)
    return names[first:] + names[:first]


def trial(case, names, peers):
    """Run a trial by each of the names in turn: the case's fields, and peers {name: {"seconds", and the trial's outcome}}."""
    given, results = inputs(case), {}
    for name in names:
        outcome, seconds = peers[name].ask("once", "study", case, given)
        results[name] = {"seconds": seconds, **outcome}
    return {**asdict(case), "peers": results, "warnings": []}
