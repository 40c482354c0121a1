"""How many nets of one arm show something: the share, its sign test, and the test's power."""

import numpy as np
from scipy import stats

from study.statistics.effect import ABOVE, Effect, fewest
from study.statistics.p_values import sign_test
from study.statistics.success import wilson

TRUE = 0.95
ALWAYS = f"what {TRUE:.0%} of nets show"


def share_of_all(name, held):
    """Effect: the share of nets in which something holds; the claim expects it in all of them, so one exception decides nothing.

    p: sign test.
    """
    n = len(held)
    p = sign_test(sum(held), n)
    return Effect(name, sum(held) / n, *wilson(sum(held), n), ABOVE, (0.5,), p if all(held) else 1.0, p, ALWAYS,
                  lambda alpha: sign_power(n, TRUE, alpha), lambda alpha: sign_seeds(1.0, alpha) if all(held) else None)


def sign_power(n, share, alpha):
    """Power of the two-sided sign test with n nets, each of which shows the claimed with probability `share`."""
    k = np.arange(n + 1)
    p = np.minimum(1, 2 * stats.binom.sf(np.maximum(k, n - k) - 1, n, 0.5))
    return float(stats.binom.pmf(k, n, share)[p < alpha].sum())


def sign_seeds(share, alpha):
    """The number of nets with which that power is enough; None where half of the nets show it."""
    return fewest(lambda n: sign_power(n, share, alpha)) if share != 0.5 else None
