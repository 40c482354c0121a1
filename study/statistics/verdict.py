"""What a study says about a published claim: reproduced, contradicted or inconclusive, and the interval that decides.

A verdict compares two arms, or an arm with a number, by a rule fixed before the trials run. It is reproduced or contradicted
when the interval says so and the p-value, Holm-corrected over all verdicts of its claim, is below 0.05; with fewer seeds than
planned it is provisional. Inconclusive is an answer too: its evidence shows how wide the interval still is.
"""

from dataclasses import dataclass, field, replace

from scipy import stats

from study.statistics import LEVEL
from study.statistics.p_values import holm
from study.statistics.success import wilson

REPRODUCED, CONTRADICTED, INCONCLUSIVE = "reproduced", "contradicted", "inconclusive"
ALPHA = 1 - LEVEL


@dataclass(frozen=True)
class Claim:
    """What was published, where, and the rule that judges it."""

    text: str
    source: str
    rule: str


@dataclass(frozen=True)
class Verdict:
    """One comparison of a claim.

    `p` is the p-value of the decision before the correction (1 where the interval decides nothing), `holm` the one after it;
    `only` names the trials that the verdict rests on, as {axis: values}.
    """

    claim: str
    statement: str
    outcome: str
    evidence: str
    seeds: int
    planned: int
    p: float = 1.0
    holm: float = 1.0
    only: dict = field(default_factory=dict)

    @property
    def provisional(self):
        return self.seeds < self.planned

    def command(self, study, preset):
        """The command that trains again what the verdict rests on, into an empty folder."""
        axes = " ".join(f"--only {axis}={','.join(map(str, values))}" for axis, values in self.only.items())
        return f"python -m study run {study} --preset {preset} --out again {axes}".strip()


def decide(reproduced, contradicted):
    """(outcome, p) from two pairs (the interval says so, p-value)."""
    for outcome, (decided, p) in ((REPRODUCED, reproduced), (CONTRADICTED, contradicted)):
        if decided:
            return outcome, p
    return INCONCLUSIVE, 1.0


def settle(verdicts):
    """Correct the p-values of each claim by Holm; a decision that does not survive becomes inconclusive."""
    settled = list(verdicts)
    for claim in {verdict.claim for verdict in settled}:
        places = [k for k, verdict in enumerate(settled) if verdict.claim == claim]
        for k, p in zip(places, holm([settled[k].p for k in places]), strict=True):
            outcome = settled[k].outcome if p < ALPHA else INCONCLUSIVE
            settled[k] = replace(settled[k], outcome=outcome, holm=p)
    return settled


def all_or_none(few, many, names):
    """Judge "success 0 against more than 90 %" from two counts (solved, n) and the names of their arms.

    Returns (outcome, p, evidence). Reproduced: none of the first, more than 90 % of the second, and the Wilson intervals
    apart (p: Fisher's exact test). Contradicted: the interval of the second lies below 90 %, or that of the first above
    10 % (p: exact binomial, doubled for the two ways).
    """
    (low_solved, low_n), (high_solved, high_n) = few, many
    if not low_n or not high_n:
        return INCONCLUSIVE, 1.0, "not run"
    low, high = wilson(*few), wilson(*many)
    table = [[low_solved, low_n - low_solved], [high_solved, high_n - high_solved]]
    too_high = stats.binomtest(low_solved, low_n, 0.1, "greater").pvalue
    too_low = stats.binomtest(high_solved, high_n, 0.9, "less").pvalue
    outcome, p = decide(
        (low_solved == 0 and high_solved > 0.9 * high_n and low[1] < high[0], stats.fisher_exact(table).pvalue),
        (high[1] < 0.9 or low[0] > 0.1, min(1.0, 2 * min(too_high, too_low))))
    evidence = "; ".join(f"{name}: {solved} of {n} [{ends[0]:.2f}, {ends[1]:.2f}]"
                         for name, (solved, n), ends in zip(names, (few, many), (low, high), strict=True))
    return outcome, float(p), evidence
