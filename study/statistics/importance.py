"""Which share of the variance over a random search each knob explains, alone and together with one other knob.

Functional analysis of variance (Hutter, Hoos & Leyton-Brown 2014; Greff et al. 2017): a regression of the results on the knobs is split
into its mean, a function of each knob, a function of each pair, and so on, whose variances add up. Their regression is a forest. Here it
is a Gaussian process (Rasmussen & Williams 2006), whose shares are twice as near to the truth at these numbers of draws
(`tests/test_importance.py` has both). Its kernel is a product over knobs, so means over the other knobs are sums over the draws.
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
@threadpool_limits.wrap(limits=1)  # the matrices are small
def shares(results, **knobs):
    """{term: (share, low, high)} of the variance of the results; terms are "lr", "lr x units" and REST, what is left.

    Parameters
    ----------
    results : tuple of floats, one of each draw
    knobs : {knob: tuple of its values}, numbers (by their rank), or names

    The intervals are percentiles over resampled draws, with the kernel of all draws, by which REST has none (NaN). Shares are NaN, too,
    for fewer than FEWEST draws, and where all results are the same. Of more than MOST draws the first count.
    """
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
    """({knob: its columns}, the columns (draws, columns)): ranks of numbers and of two names, a column for each of several names."""
    columns = {name: pd.get_dummies(values, dtype=float) if values.nunique() > 2 and not pd.api.types.is_numeric_dtype(values)
               else values.rank(pct=True, na_option="bottom").to_frame() for name, values in knobs.items()}
    ends = np.cumsum([0, *(part.shape[1] for part in columns.values())])
    return dict(zip(columns, map(slice, ends, ends[1:]))), np.hstack(list(columns.values()))


def _standard(y):
    return (y - y.mean()) / (y.std() or 1.0)


def _compass(objective, theta, bounds):
    """(theta, objective) at a minimum that no step along one axis improves, on a lattice: the last bits of sums decide nothing."""
    least = objective(theta, eval_gradient=False)
    for step in STEPS:
        moved = True
        while moved:
            moved = False
            for axis in range(2 * len(theta)):
                to = theta.copy()
                to[axis // 2] = np.clip(to[axis // 2] + (-step if axis % 2 else step), *bounds[axis // 2])
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
    parts = [*alone.values(), *(together(a, b) - alone[a] - alone[b] for a, b in combinations(places, 2))]
    whole = together(*places) + process.kernel_.k2.noise_level
    return [*(part / whole for part in parts), 1 - sum(parts) / whole]
