"""The table of all claims: one row for each claim and protocol, also for those that no trial bears on yet."""

from collections import Counter

import pandas as pd

from study.plan.arm import ARM
from study.report.sentences import fared
from study.run.cost import cost
from study.statistics.verdict import overall
from study.trial.knobs import Trial

LEARNED = tuple(knob for knob in ARM if knob not in ("lr", "purpose"))


def ledger(plan, settled, verdicts, claims):
    """The table `ledger`.

    Parameters
    ----------
    plan : study.plan.plan.Plan, whose grids bear the names of claims
    settled : its verdicts, as study.statistics.verdict.settle gives them; `verdicts` : the same as a table
    claims : {id: Claim}
    """
    planned = _core_minutes(plan)
    rows = []
    for id, claim in claims.items():
        protocols = dict.fromkeys(verdict.protocol for verdict in settled if verdict.claim == id) or ["planned"]
        for protocol in protocols:
            own = [verdict for verdict in settled if (verdict.claim, verdict.protocol) == (id, protocol)]
            shown = verdicts[(verdicts["claim"] == id) & (verdicts["protocol"] == protocol)] if own else None
            rows.append({
                "claim": id, "text": claim.text, "protocol": protocol, "outcome": overall(own), "sentence": fared(shown) if own else "Not run yet.",
                "effect": str(own[0].comparison.effect) if own else "", "counts": own[0].comparison.counts if own else "",
                "seeds": min(verdict.comparison.seeds for verdict in own) if own else 0, "power": claim.power,
                "followed": "{} of {}".format(*claim.followed) if protocol == "as published" else "",
                "core_minutes": round(planned[id], 1), "command": f"python -m study run {plan.study.name} --preset {plan.study.preset} --only grid={id}"})
    return pd.DataFrame(rows)


def _core_minutes(plan):
    """{name of a grid: minutes on one core of the reference machine if all of its trials use their whole budgets}; tuning included."""
    seconds, tuned = Counter(), {}
    for trials in plan.study.selecting.values():
        for trial in trials:
            tuned.setdefault(_key(trial), []).append(trial)
    for point, grids in plan.study.places.items():
        for name in dict.fromkeys(grids):
            seconds[name] += cost(point.trial)
    return {name: value / 60 for name, value in seconds.items()} | {}


def _key(trial):
    return tuple(getattr(trial, knob) for knob in LEARNED)
