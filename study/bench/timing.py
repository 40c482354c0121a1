"""Rounds: every peer in turn, again and again, beside the machine's peak; medians with quartiles, after agreement."""

from collections import defaultdict
from dataclasses import asdict, dataclass, field, replace

import numpy as np

import kernels
from study.bench.cases import given, operations
from study.bench.workers import Lost

WIDE = 0.1  # quartiles further apart than this part of the median are reported
TOLERANCE = {"float64": 1e-9, "float32": 1e-4}  # of the largest number of a result
SMALL = {"T": 7, "B": 5, "I": 3, "H": 11, "dtype": "float64"}
PEAK = 0.02  # seconds


@dataclass(frozen=True)
class Effort:
    """How many rounds of a case, in how many visits to it, and how many seconds a peer's part of a round takes at least."""

    rounds: int = 9
    visits: int = 3
    seconds: float = 0.1

    def shares(self):
        """The rounds of each visit that has any."""
        ends = [self.rounds * n // self.visits for n in range(self.visits + 1)]
        return [end - start for start, end in zip(ends, ends[1:]) if end > start]


@dataclass
class Taken:
    """What the rounds of a case have taken so far: the peak in operations a second, seconds by peer, of an iteration its inside."""

    peak: list = field(default_factory=list)
    seconds: dict = field(default_factory=lambda: defaultdict(list))
    inside: list = field(default_factory=list)


def difference(got, expected):
    """The largest |got - expected| over the results {name: array}, each relative to the largest |expected| of its array.

    Raises
    ------
    ValueError
        They do not have the same names and shapes.
    """
    shapes = [{name: np.shape(array) for name, array in results.items()} for results in (got, expected)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"expected results {shapes[1]}, got {shapes[0]}")
    worst = 0.0
    for name, array in expected.items():
        scale = max(np.abs(array).max(), np.finfo(float).tiny)
        off = np.abs(np.asarray(got[name], float) - array).max() / scale
        worst = max(worst, off if np.isfinite(off) else np.inf)
    return float(worst)


def quartiles(values):
    """{"median", "q1", "q3"}"""
    low, middle, high = np.percentile(values, [25, 50, 75])
    return {"median": float(middle), "q1": float(low), "q3": float(high)}


def spread(summary):
    return (summary["q3"] - summary["q1"]) / summary["median"]


def agreement(case, running, wanted):
    """{peer: (difference from ours or None, what is wrong or None)} of the case; leaves it prepared in ours and the peers."""
    inputs = given(case)
    expected = running["ours"].ask("prepare", case, inputs)
    found = {}
    for name in wanted:
        try:
            off = difference(running[name].ask("prepare", case, inputs), expected)
            agrees = off <= TOLERANCE[case.dtype]
            found[name] = off, None if agrees else f"disagrees with ours by {off:.1e} of the largest number in {case.dtype}"
        except (Lost, ValueError) as error:
            found[name] = None, str(error)
    return found


def exact(case):
    """The same work in float64, of small and odd size: where a wrong gate shows."""
    if case.gap is not None:
        return replace(case, dtype="float64")
    return replace(case, **SMALL | ({"I": SMALL["H"]} if kernels.CELLS[case.cell].direct else {}))


class Timer:
    """Times cases with the peers that run; remembers what they took, and which have agreed in float64.

    Parameters
    ----------
    running : {name: study.bench.workers.Peer}, "ours" among them
    effort : Effort
    """

    def __init__(self, running, effort):
        self.running, self.effort = running, effort
        self._agreed, self._taken = {}, defaultdict(Taken)

    def measure(self, case, names, rounds):
        """So many more rounds of a case, timed by ours and those named; what a record holds of it after all so far.

        Returns
        -------
        dict
            The case's fields; rounds; operations; peak: quartiles in operations a second; peers: {name: {"median", "q1", "q3"
            of a step's seconds, "calls" a round, and of a peer the "difference" from ours in this case, and "difference64" in
            a small and odd one in float64 (None where it has none)} or {"refused": why}}; of an iteration, "inside": share of
            our time in the time loop; warnings: lines.
        """
        others = [name for name in names if self._can(name, case)]
        exact = {name: self._exact(case, name) for name in others}
        wrong = {name: why for name, (_, why) in exact.items() if why}
        checked = agreement(case, self.running, [name for name in others if name not in wrong])
        wrong |= {name: why for name, (_, why) in checked.items() if why}
        timed = {name: self.running[name] for name in ["ours", *others] if name not in wrong}
        calls = {name: peer.ask("calls", self.effort.seconds) for name, peer in timed.items()}
        taken = self._taken[case]
        for _ in range(rounds):
            turn = len(taken.peak)
            taken.peak.append(self.running["ours"].ask("once", "peak", case.dtype, case.threads, PEAK)[0])
            for name in rotated(list(timed), turn):
                taken.seconds[name].append(timed[name].ask("block", calls[name]))
        found = {name: {**quartiles(taken.seconds[name]), "calls": calls[name]} for name in timed}
        for name in timed.keys() & exact.keys():
            found[name] |= {"difference": checked[name][0], "difference64": exact[name][0]}
        found |= {name: {"refused": why} for name, why in wrong.items()}
        wide = [f"{case}: {name} varies by {spread(found[name]):.0%}" for name in timed if spread(found[name]) > WIDE]
        if case.work == "iteration":
            taken.inside.append(self._inside(case, rounds * calls["ours"]))
        more = {"inside": float(np.median(taken.inside))} if taken.inside else {}
        return {**asdict(case), "rounds": len(taken.peak), "operations": operations(case), "peak": quartiles(taken.peak),
                "peers": found, **more, "warnings": wide + [f"{case}: {name}: {why}" for name, why in wrong.items()]}

    def _can(self, name, case):
        """Whether a peer has the case; no longer, once its process has ended."""
        try:
            return self.running[name].ask("can", case)
        except Lost:
            return False

    def _inside(self, case, calls):
        """The share of our iteration that is spent in the time loop and weight-gradient products."""
        return self.running["ours"].ask("once", "inside", case, given(case), calls)[0]

    def _exact(self, case, name):
        """(difference from ours, what is wrong or None) of a peer's float64 results for this kind of work and cell."""
        key = name, case.work, case.cell
        if key not in self._agreed:
            small = exact(case)
            self._agreed[key] = agreement(small, self.running, [name])[name] if self._can(name, small) else (None, None)
        return self._agreed[key]


def rotated(names, turn):
    """Each round begins with another peer."""
    start = turn % len(names)
    return names[start:] + names[:start]


def trial(case, names, running):
    """Run a trial by each of the names in turn: the case's fields, and peers {name: {"seconds", and the trial's outcome}}."""
    inputs, found = given(case), {}
    for name in names:
        outcome, seconds = running[name].ask("once", "study", case, inputs)
        found[name] = {"seconds": seconds, **outcome}
    return {**asdict(case), "peers": found, "warnings": []}
