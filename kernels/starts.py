"""How published cells start parameters of their own, whatever the scheme for W and U."""

import numpy as np

from kernels.processor import build

_draws = build("draws", "float64")


def indrnn(stream, units):
    """p of the diagonal recurrence, uniform in [0, 1] (Li et al. 2018, with no longest sequence given)."""
    return stream.uniform(units, 0.0, 1.0)


def lru(stream, units):
    """nu, theta, gamma: eigenvalues uniform in the unit disc, inputs that keep the size of q (Orvieto et al. 2023, 3.3, 3.4)."""
    area, turn = stream.uniform(units, 2.0**-32, 1.0), stream.uniform(units, 2.0**-32, 1.0)     # |l|^2; the angle over 2 pi
    return np.stack([_draws.log(-0.5 * _draws.log(area)), _draws.log(6.283185307179586 * turn), 0.5 * _draws.log(1 - area)])


STARTS = {"indrnn": indrnn, "lru": lru}
"""{cell: from a kernels.Stream and H to p, with a row for each peephole or parameter of the cell's own}."""
