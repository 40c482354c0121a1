"""Which share of the variance over a random search each knob explains, alone and together with one other knob.

Functional analysis of variance (Hutter, Hoos & Leyton-Brown 2014; Greff et al. 2017): a regression of the results on the knobs
is split into its mean, a function of each knob, a function of each pair, and so on, whose variances add up. Theirs is a forest
of trees. A Gaussian process (Rasmussen & Williams 2006) is nearer to the truth at up to 200 draws, unless results jump from one
value to another (`tests/test_importance.py` compares them). Its kernel is a product over knobs, so a mean over other knobs, each
as it was drawn, is a sum over the draws.
"""

from functools import lru_cache
from itertools import combinations
from math import log, prod
from warnings import catch_warnings

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from threadpoolctl import threadpool_limits

from kernels import Stream
from study.statistics import LEVEL
from study.tasks import TASKS

FEWEST, MOST = 10, 300  # draws: fewer say nothing, more take minutes
RESAMPLES = 200
REST = "rest"
STEPS = (log(4), log(2), log(2) / 2)  # of the logs of a kernel's parameters


def judged(runs):
    """The result of each trial, smaller is better; None if some tasks of the search have a pass rule and others have none.

    With a pass rule: the log of the sequences, where an unsolved trial counts its budget. Without: the test loss, where a net that
    diverged, or is worse than the best constant answer, counts as that answer.
    """
    ruled = [TASKS[task].rule is not None for task in runs["task"]]
    if all(ruled):
        return np.log(runs["sequences"].where(runs["solved"].eq(True), runs["budget"]).astype(float))
    chance = [TASKS[task].at(gap).chance["loss"] for task, gap in zip(runs["task"], runs["gap"])]
    return None if any(ruled) else runs["test_loss"].astype(float).fillna(np.inf).clip(upper=pd.Series(chance, runs.index))


@lru_cache(maxsize=100)  # the table and the figure of a report both ask
@threadpool_limits.wrap(limits=1)  # matrices are small, and more threads would change last bits
def shares(results, **knobs):
    """{term: (share, low, high)} of the variance of the results; terms are "lr", "lr x units" and REST, what is left.

    Parameters
    ----------
    results : tuple of floats, one of each draw
    knobs : {knob: tuple of its values}, numbers (by their rank), or names

    The intervals are percentiles over resampled draws, with the kernel of all draws, which gives none (NaN) for REST. Shares are
    NaN, too, for fewer than FEWEST draws, and where all results are the same. Of more than MOST draws the first count.
    """
    knobs = dict(sorted(knobs.items()))  # the search for the likeliest parameters goes from knob to knob
    places, x = _places(pd.DataFrame(knobs)[:MOST])
    y = np.array(results)[:MOST]
    if len(y) < FEWEST or np.ptp(y) == 0:
        return dict.fromkeys(_terms(knobs), (np.nan,) * 3)
    process = _process(x, _standard(y))
    resampled = Stream("importance").integers(RESAMPLES * len(y), len(y)).reshape(RESAMPLES, len(y))
    again = (GaussianProcessRegressor(process.kernel_, optimizer=None).fit(x[draws], _standard(y[draws])) for draws in resampled)
    ends = np.quantile([_split(one, places) for one in again], [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    ends[:, -1] = np.nan
    return dict(zip(_terms(knobs), zip(_split(process, places), *ends, strict=True), strict=True))


def _process(x, y):
    """The Gaussian process whose parameters make the results y likeliest: one length for each column of x, and the noise."""
    kernel = ConstantKernel(1, (1 / 16, 16)) * RBF(np.ones(x.shape[1]), (1 / 8, 64)) + WhiteKernel(1 / 4, (1 / 256, 2))
    with catch_warnings(action="ignore", category=ConvergenceWarning):  # a knob without effect has the greatest length
        return GaussianProcessRegressor(kernel, optimizer=_compass).fit(x, y)


def _terms(knobs):
    return [*knobs, *map(" x ".join, combinations(knobs, 2)), REST]


def _places(knobs):
    """({knob: its columns}, (draws, columns) of numbers between 0 and 1)."""
    parts = {knob: _columns(values) for knob, values in knobs.items()}
    ends = np.cumsum([0, *(part.shape[1] for part in parts.values())])
    return dict(zip(parts, map(slice, ends, ends[1:]))), np.hstack(list(parts.values()))


def _columns(values):
    """The ranks of numbers, or of two names; a column for each of several names."""
    if values.nunique() > 2 and not pd.api.types.is_numeric_dtype(values):
        return pd.get_dummies(values, dtype=float)
    return values.rank(pct=True, na_option="bottom").to_frame()


def _standard(y):
    return (y - y.mean()) / (y.std() or 1.0)


def _compass(objective, theta, bounds):
    """(theta, objective) at a minimum that no step along one axis improves, on a lattice: the last bits of sums decide nothing."""
    least, directions = objective(theta, eval_gradient=False), [*np.eye(len(theta)), *-np.eye(len(theta))]
    for step in STEPS:
        moved = True
        while moved:
            moved = False
            for direction in directions:
                to = np.clip(theta + step * direction, *bounds.T)
                if (value := objective(to, eval_gradient=False)) < least - 1e-6:
                    theta, least, moved = to, value, True
    return theta, least


def _split(process, places):
    """The shares of the parts of a process, in the order of _terms; each knob has the values that were drawn, equally often."""
    x, kernel = process.X_train_, process.kernel_.k1
    weights = kernel.k1.constant_value * process.alpha_
    lengths = np.broadcast_to(kernel.k2.length_scale, x.shape[1])
    factors = {knob: RBF(lengths[columns])(x[:, columns]) for knob, columns in places.items()}
    means = {knob: factor.mean(axis=0) for knob, factor in factors.items()}
    products = {knob: factor @ factor / len(x) for knob, factor in factors.items()}

    def together(*knobs):
        """The variance of the mean over all but these knobs."""
        rest = weights * prod(mean for knob, mean in means.items() if knob not in knobs)
        return rest @ prod(products[knob] for knob in knobs) @ rest - (weights @ prod(means.values())) ** 2

    alone = {knob: together(knob) for knob in places}
    pairs = [together(a, b) - alone[a] - alone[b] for a, b in combinations(places, 2)]
    whole = together(*places) + process.kernel_.k2.noise_level
    parts = np.maximum([*alone.values(), *pairs], 0) / whole  # rounding takes some below 0
    return [*parts, 1 - parts.sum()]
