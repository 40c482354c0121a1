"""The table of all claims: one row for each claim and protocol, also for those that no trial bears on yet."""

from collections import defaultdict

import pandas as pd

from study.report.sentences import fared
from study.statistics.verdict import NOW, PUBLISHED, overall

NEVER = "–"  # of a protocol by which a claim is not to be judged


def ledger(plan, runs, settled, verdicts, ablation):
    """The table `ledger`: its trials and their sequences count those that tune learning rates; several claims may share a trial.

    Parameters
    ----------
    plan : study.plan.plan.Plan, whose grids bear the names of claims
    runs : its recorded trials
    settled : its verdicts, as study.statistics.verdict.settle gives them; `verdicts` : the same as a table
    ablation : its module, with CLAIMS, PROTOCOLS and PRESETS
    """
    trials, rows = _trials(plan), []
    for id, claim in ablation.CLAIMS.items():
        of_claim = runs[runs["id"].isin(trials[id])]
        for protocol in sorted(ablation.PROTOCOLS[id], key=(NOW, PUBLISHED).index):
            own = [verdict for verdict in settled if (verdict.claim, verdict.protocol) == (id, protocol)]
            shown = verdicts[(verdicts["claim"] == id) & (verdicts["protocol"] == protocol)] if own else None
            rows.append({
                "claim": id, "text": claim.text, "protocol": protocol, "outcome": overall(own), "sentence": fared(shown) if own else "Not run yet.",
                "seeds": min(verdict.comparison.seeds for verdict in own) if own else 0, "power": claim.power,
                "trials": len(of_claim), "sequences": int(of_claim["sequences"].fillna(0).sum()),
                "command": _command(plan.study, id, ablation.PRESETS)})
    return pd.DataFrame(rows)


def _command(study, id, presets):
    """The command that runs a claim: in this preset, or else in the first that has its grids."""
    having = [name for name, preset in presets.items() if any(grid["name"] == id for grid in preset["grids"])]
    preset = study.preset if study.preset in having else having[0]
    return f"python -m study run {study.name} --preset {preset} --out again --only grid={id}"


def short(table):
    """The table for readers: a line a claim, what came out by each protocol, and the command that repeats it."""
    rows = []
    for id, lines in table.groupby("claim", sort=False):
        first, by = lines.iloc[0], {line.protocol: line for line in lines.itertuples()}
        rows.append({"claim": f"**{id}** {first['text']}",
                     **{protocol: by[protocol].outcome if protocol in by else NEVER for protocol in (NOW, PUBLISHED)},
                     "trials": f"{first['trials']:,}", "sequences": f"{first['sequences'] / 1e6:.1f} million", "command": f"`{first['command']}`"})
    return pd.DataFrame(rows)


def beside(table):
    """The table `beside` for readers: what was published and what came out here, of each experiment."""
    return pd.DataFrame({
        "experiment": table["experiment"], "protocol": table["protocol"], "whose": table["whose"],
        "theirs": [_of(row.their_solved, row.their_runs, row.their_cost) for row in table.itertuples()],
        "ours": [_of(row.solved, row.runs, _cost(row)) if row.runs else "not run" for row in table.itertuples()],
        "followed": table["followed"], "command": table["command"].map(lambda command: command and f"`{command}`")})


def _of(solved, runs, cost):
    if pd.isna(solved):
        return "not known"
    return f"{solved:.0f} of {'?' if pd.isna(runs) else f'{runs:.0f}'}" + (f"; {cost}" if cost else "")


def _cost(row):
    if pd.isna(row.mean):
        return ""
    numbers = (f"{number:.4f}" if row.measure == "test loss" else f"{number:,.0f}" for number in (row.mean, row.median))
    return "mean {}, median {} {}".format(*numbers, row.measure)


def _trials(plan):
    """{name of a grid: ids of its trials}, with those that tune its learning rates."""
    ids = defaultdict(set)
    for point, trial in plan.rated:
        for name in plan.study.places[point]:
            ids[name].add(trial.id)
            ids[name].update(other.id for other in plan.selecting.get(point.rate_key, ()))
    return ids
