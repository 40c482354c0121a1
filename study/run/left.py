"""What a run of a plan would still have to do: the trials that are missing, and those that tuning may want later."""

from study.plan.plan import missing
from study.run.estimate import grouped


class Left:
    """The trials that a plan lacks.

    Attributes
    ----------
    trials : those that are missing, or wait for a learning rate
    fewest, most : bounds of how many trials there will be in all
    """

    def __init__(self, plan, contents, retry=False):
        self.trials = [*missing(plan.trials, contents, retry), *plan.waiting]
        self._ahead = plan.ahead
        self.fewest = len(self.trials) + sum(least for _, least, _ in self._ahead)
        self.most = len(self.trials) + sum(most for *_, most in self._ahead)

    def span(self, estimate, workers):
        """(expected, at most) seconds by a study.run.estimate.Estimate, as its `span`."""
        known = list(grouped(self.trials).values())
        expected, _ = estimate.span([*known, *((trial, least) for trial, least, _ in self._ahead if least)], workers)
        _, at_most = estimate.span([*known, *((trial, most) for trial, _, most in self._ahead if most)], workers)
        return expected, at_most
