"""Critical gaps: how far back a seed, and an arm, learned to look."""

from dataclasses import dataclass

from study.statistics.medians import median_interval


def seed_critical_gap(gaps, solved):
    """The largest gap of the grid up to which a seed solved every gap; 0 if it failed at the smallest.

    `gaps` and `solved` have one entry a trial, in any order.
    """
    reached = 0
    for gap, done in sorted(zip(gaps, solved, strict=True)):
        if not done:
            break
        reached = gap
    return reached


@dataclass(frozen=True)
class CriticalGap:
    """Critical gap of an arm. `low` and `high` are None below six seeds; 0 means below the smallest gap of `grid`."""

    median: float
    low: float | None
    high: float | None
    seeds: int
    grid: tuple
    reached: tuple
    """Each seed's critical gap, in the order of the seeds."""

    def text(self, value):
        """A value for readers: "< smallest" and ">= largest" where it leaves the grid, "-" where there is none."""
        if value is None:
            return "-"
        if value < self.grid[0]:
            return f"< {self.grid[0]:g}"
        return f">= {value:g}" if value >= self.grid[-1] else f"{value:g}"

    def __str__(self):
        if self.low is None:
            return self.text(self.median)
        return f"{self.text(self.median)} [{self.text(self.low)}, {self.text(self.high)}]"

    def apart_below(self, other):
        """Whether this interval lies wholly below the other's; False where either has none."""
        return self.high is not None and other.low is not None and self.high < other.low


def critical_gap(arm, part=1.0):
    """Critical gap of an arm within `part` of its budget; None if no seed has run every gap of the grid.

    Parameters
    ----------
    arm : DataFrame with columns gap, seed, solved, sequences and budget; one row a trial.
    part : a trial counts as solved if it was solved within `part` x budget sequences.

    The median of an even number of seeds is the lower of the two in the middle: the mean of two gaps need not be a gap of
    the grid, and has no meaning where one of them left it. Seeds that have not run every gap are left out.
    """
    grid = tuple(sorted(set(arm["gap"])))
    reached = tuple(
        seed_critical_gap(runs["gap"], runs["solved"].astype(bool) & (runs["sequences"] <= part * runs["budget"]))
        for _, runs in arm.groupby("seed") if set(runs["gap"]) == set(grid))
    if not reached:
        return None
    low, high = (None if end != end else int(end) for end in median_interval(reached)[1:])
    return CriticalGap(sorted(reached)[(len(reached) - 1) // 2], low, high, len(reached), grid, reached)
