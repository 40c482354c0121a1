"""Whether a peer computes the same numbers: before it is timed, and once in float64 for each kind of work and cell."""

from dataclasses import replace

import numpy as np

import kernels
from study.bench.inputs import inputs
from study.bench.peer_process import Lost

TOLERANCE = {"float64": 1e-9, "float32": 1e-4}  # relative to the largest number of a result
SMALL = {"T": 7, "B": 5, "I": 3, "H": 11, "dtype": "float64"}


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


def agreement(case, peers, names):
    """{name: (difference from ours or None, what is wrong or None)} for the peers named. Leaves the case prepared in each.

    Parameters
    ----------
    peers : {name: study.bench.peer_process.PeerProcess}, "ours" among them
    """
    given = inputs(case)
    expected = peers["ours"].ask("prepare", case, given)
    results = {}
    for name in names:
        try:
            off = difference(peers[name].ask("prepare", case, given), expected)
            agrees = off <= TOLERANCE[case.dtype]
            results[name] = off, None if agrees else f"disagrees with ours by {off:.1e} of the largest number in {case.dtype}"
        except (Lost, ValueError) as error:
            results[name] = None, str(error)
    return results


def small(case):
    """The same work in float64, of small and odd size, where a swapped or missing gate shows."""
    if case.task is not None:
        return replace(case, dtype="float64")
    return replace(case, **SMALL | ({"I": SMALL["H"]} if kernels.CELLS[case.cell].direct else {}))
