"""An effect: by how much two arms differ, or where one number of an arm lies, beside what the claim expects of it."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

ABOVE, BELOW, EQUAL, WITHIN = "above", "below", "equal", "within"
POWER = 0.8
"""The power that decides how many seeds a study needs."""
MOST_SEEDS = 200
"""Where the search for that number ends."""


@dataclass(frozen=True)
class Effect:
    """An estimate with its 95 % interval and the two-sided p-values of both decisions.

    `expected` is what the claim says: the effect lies ABOVE or BELOW `bounds`, one number, or inside `bounds`, a pair: EQUAL
    if that means that two arms do not differ, else WITHIN. `power` gives the probability, at a significance level, of finding
    what `worth` names; `needed` the number of seeds an arm that would decide, if the effect is as estimated.
    """

    name: str
    value: float
    low: float
    high: float
    expected: str
    bounds: tuple
    p_for: float
    p_against: float
    worth: str
    power: Callable
    needed: Callable

    @property
    def range(self):
        """(low, high), between which the claim expects the effect."""
        return {ABOVE: (self.bounds[-1], inf), BELOW: (-inf, self.bounds[0])}.get(self.expected, self.bounds)

    @property
    def lean(self):
        """1: the interval lies wholly where the claim expects it; -1: wholly elsewhere; 0: it decides nothing."""
        inside = self.bounds[0] < self.low and self.high < self.bounds[-1]
        above, below = self.low > self.bounds[-1], self.high < self.bounds[0]
        sides = {ABOVE: (above, below), BELOW: (below, above)}
        agrees, disagrees = sides.get(self.expected, (inside, above or below))
        return int(agrees) - int(disagrees)

    @property
    def p(self):
        """The p-value of the decision that the interval leans to; undecided, that of the claim's."""
        return self.p_against if self.lean < 0 else self.p_for

    def __str__(self):
        value, low, high = (f"{number:z.2f}" for number in (self.value, self.low, self.high))
        return f"{self.name} {value} " + ("(too few for an interval)" if self.low != self.low else f"[{low}, {high}]")


def fewest(power, least=2):
    """About the smallest n from `least` to MOST_SEEDS with power(n) of at least POWER, by bisection; None if there is none."""
    return bisect_left(range(MOST_SEEDS), POWER, lo=least, key=power) if power(MOST_SEEDS - 1) >= POWER else None
