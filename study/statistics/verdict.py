"""What a study says about a published claim: one of seven outcomes, with counts, effect, interval, p-value and power.

A verdict rests on one comparison, whose rule is fixed before its trials run. Its outcome is

- same direction, no difference or opposite, when the 95 % interval of the effect lies wholly on one side of what the claim
  expects, and the p-value, Holm-corrected over all verdicts of the claim, is below 0.05;
- untuned, when an arm whose learning rate is in doubt came out behind or even: a better rate could change the result;
- floor or ceiling, when both arms fail or both succeed, so that there is nothing to compare;
- inconclusive else, with the number of seeds an arm that would decide.

A claim may be judged twice: as published, by the paper's own protocol as far as it is known, and as practised now. That a paper is
contradicted takes its own protocol, followed closely, and a positive control that learns in the same set-up. Then, and only then,
opposite becomes contradicted.
"""

from collections import Counter
from dataclasses import dataclass, field, replace

from study.statistics import LEVEL
from study.statistics.effect import EQUAL, Effect
from study.statistics.p_values import holm

SAME, NO_DIFFERENCE, OPPOSITE = "same direction", "no difference", "opposite"
FLOOR, CEILING, UNTUNED, INCONCLUSIVE, CONTRADICTED = "floor", "ceiling", "untuned", "inconclusive", "contradicted"
ALPHA = 1 - LEVEL
NOW, PUBLISHED = "as practised now", "as published"
FAITHFUL = 0.8  # of the aspects of a published protocol


@dataclass(frozen=True)
class Claim:
    """What was published, where, and the rule that judges it.

    `exploratory` : why the rule does not come before its results
    `power` : what the planned seeds can find, and with which probability
    `note` : what a sceptic must know of how it was judged
    """

    text: str
    source: str
    rule: str
    exploratory: str = ""
    power: str = ""
    note: str = ""


@dataclass(frozen=True)
class Comparison:
    """An effect with the counts behind it.

    `doubts` : why a result for the claim, and why one against it, could be due to a learning rate ("" if nothing is known)
    `floor`, `ceiling` : whether both arms fail, or both succeed
    `beside` : another estimate, as text
    """

    effect: Effect
    counts: str
    seeds: int
    doubts: tuple = ("", "")
    beside: str = ""
    floor: bool = False
    ceiling: bool = False

    def outcome(self, p):
        """(outcome, the doubt that makes it untuned), given the corrected p-value."""
        lean = self.effect.lean if p < ALPHA else 0
        doubts = self.doubts[lean < 0] if lean else "; ".join(dict.fromkeys(filter(None, self.doubts)))
        if not lean and (self.floor or self.ceiling):
            return (FLOOR if self.floor else CEILING), ""
        if doubts:
            return UNTUNED, doubts
        agrees = NO_DIFFERENCE if self.effect.expected == EQUAL else SAME
        return {1: agrees, -1: OPPOSITE, 0: INCONCLUSIVE}[lean], ""


@dataclass(frozen=True)
class Verdict:
    """One comparison of a claim, below `planned` seeds an arm provisional. `settle` fills the last five.

    `only` : the trials that the verdict rests on, as {axis: values}
    `protocol` : NOW or PUBLISHED
    `fidelity` : how the published protocol is followed, as pairs (aspect, "as published", "from memory" or what differs)
    `control` : whether something learns in the same set-up
    `doubt` : what makes it untuned
    `power` : probability of finding what the effect calls worth finding
    `needed` : seeds an arm that would decide an inconclusive verdict; None for others, and where more than 200 would not
    """

    claim: str
    statement: str
    comparison: Comparison
    planned: int
    only: dict = field(default_factory=dict)
    protocol: str = NOW
    fidelity: tuple = ()
    control: bool = False
    outcome: str = INCONCLUSIVE
    doubt: str = ""
    holm: float = 1.0
    power: float = float("nan")
    needed: int | None = None

    @property
    def followed(self):
        """(aspects of the published protocol that are followed to the letter, all aspects)"""
        return sum(how == PUBLISHED for _, how in self.fidelity), len(self.fidelity)

    @property
    def faithful(self):
        """Whether it can contradict a paper: nearly all of its protocol is followed, and something learns in the same set-up."""
        followed, aspects = self.followed
        return self.control and followed >= FAITHFUL * aspects > 0

    @property
    def provisional(self):
        return self.comparison.seeds < self.planned

    @property
    def speaks(self):
        """1: for the claim; -1: against it; 0: it decides nothing."""
        return {SAME: 1, NO_DIFFERENCE: 1, OPPOSITE: -1, CONTRADICTED: -1}.get(self.outcome, 0)

    def command(self, study, preset):
        """The command that trains again what the verdict rests on, into an empty folder."""
        axes = " ".join(f"--only {axis}={','.join(map(str, values))}" for axis, values in self.only.items())
        return f"python -m study run {study} --preset {preset} --out again {axes}".strip()


def settle(verdicts):
    """Give each verdict its outcome, after Holm's correction within its claim and protocol, and the power that its seeds had.

    Power and seeds are those at the strictest level of the correction. Comparisons without trials (None) are left out.
    """
    settled = [verdict for verdict in verdicts if verdict.comparison]
    for family in {(verdict.claim, verdict.protocol) for verdict in settled}:
        places = [k for k, verdict in enumerate(settled) if (verdict.claim, verdict.protocol) == family]
        level = ALPHA / len(places)
        for k, p in zip(places, holm([settled[k].comparison.effect.p for k in places]), strict=True):
            effect, (outcome, doubt) = settled[k].comparison.effect, settled[k].comparison.outcome(p)
            needed = effect.needed(level) if outcome == INCONCLUSIVE else None
            if outcome == OPPOSITE and settled[k].faithful:
                outcome = CONTRADICTED
            settled[k] = replace(settled[k], outcome=outcome, doubt=doubt, holm=p, power=effect.power(level), needed=needed)
    return settled


def overall(verdicts):
    """What the verdicts of one claim and protocol come to: an outcome that all share, else how many had each."""
    counts = Counter(verdict.outcome for verdict in verdicts)
    return ", ".join(f"{n} {outcome}" for outcome, n in counts.most_common()) if len(counts) > 1 else next(iter(counts), "planned")
