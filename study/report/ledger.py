"""The ledger: an overview of all claims, and how each fared, with the effects of its comparisons drawn beside what the claim expects."""

import re
from collections import Counter
from types import SimpleNamespace

from study.records.table import where
from study.report import sentences
from study.statistics.effect import ABOVE, BELOW
from study.statistics.verdict import NOW, PUBLISHED

PLANNED = "Planned"
SIDES = {"for": 1, "open": 0, "against": -1}  # what a comparison does for a claim, as `speaks` of the table of verdicts
HALF, MARGIN = 100, 8  # of a picture's width, which is 2 HALF; what stays free at either side


def lines(presets):
    """One line for each claim and protocol of each preset's Findings, by claim; those that are exploratory come last."""
    return sorted((line for one in presets if "verdicts" in one.tables for line in _of_preset(one)), key=_order)


def planned(presets):
    """Claims of which no comparison has been run by a protocol."""
    tables = [(found, found.tables["ledger"]) for found in presets if "ledger" in found.tables]
    return [SimpleNamespace(**_names(found, row.claim, row.protocol), text=row.text,
                            exploratory=found.ablation.CLAIMS[row.claim].exploratory, whether=PLANNED, sides=(), command=row.command)
            for found, table in tables for row in where(table, outcome="planned").itertuples()]


def overview(lines):
    """A row for each claim of these lines, planned ones among them.

    Its attributes are `id`, `text`, `study`, `exploratory`, and `by`: {protocol: its line, or None}.
    """
    rows = {}
    for line in sorted(lines, key=_order):
        row = rows.setdefault(line.claim, SimpleNamespace(
            id=line.id, text=line.text, study=line.study, exploratory=line.exploratory, by=dict.fromkeys((NOW, PUBLISHED))))
        row.by[line.protocol] = line
    return list(rows.values())


def tally(rows):
    """{protocol: how many rows of an overview fared how}, without those that are exploratory."""
    fared = {protocol: Counter(row.by[protocol].whether for row in rows if row.by[protocol] and not row.exploratory)
             for protocol in (NOW, PUBLISHED)}
    order = [*sentences.WHETHER, PLANNED]
    return {protocol: ", ".join(f"{found[said]} {said.lower().replace(', ', ' and ')}" for said in sorted(found, key=order.index))
            for protocol, found in fared.items() if found}


def _order(line):
    return bool(line.exploratory), _number(line.id)


def _names(found, id, protocol):
    """What a line is called: `claim` is its claim's name among those of all studies, `anchor` its own."""
    claim = f"{found.study.name}-{found.study.preset}-{id}"
    return {"claim": claim, "anchor": claim + ("-published" if protocol == PUBLISHED else ""), "study": found.study.name, "id": id,
            "protocol": protocol}


def _number(id):
    """Sort key of a claim's id: C2 before C10."""
    letters, number, rest = re.fullmatch(r"(\D*)(\d*)(.*)", id).groups()
    return letters, int(number or 0), rest


def _of_preset(found):
    table = found.tables["verdicts"].assign(effect_drawn=[_drawn(verdict.comparison.effect) for verdict in found.settled])
    whole = f"python -m study run {found.study.name} --preset {found.study.preset} --out again"
    for (id, protocol), rows in table.groupby(["claim", "protocol"], sort=False):
        claim, commands = found.ablation.CLAIMS[id], list(dict.fromkeys(rows["command"]))
        yield SimpleNamespace(
            **_names(found, id, protocol), text=claim.text, source=claim.source, rule=claim.rule, note=claim.note,
            exploratory=claim.exploratory,
            whether=sentences.whether(rows), fared=sentences.fared(rows), rows=list(rows.itertuples()),
            sides=[side for side, speaks in SIDES.items() if speaks in set(rows["speaks"])], commands=len(commands),
            unit="nets" if rows["counts"].str.endswith("nets").all() else "seeds",
            seeds=_range(rows["seeds"]), command=commands[0] if len(commands) == 1 else whole)


def _range(counts):
    low, high = counts.min(), counts.max()
    return f"{low}" if low == high else f"{low} to {high}"


def _drawn(effect):
    """Where the ends and the estimate of an effect stand: from HALF on to the right is what the claim expects.

    Each effect has a scale of its own, on which its farthest end just fits. The ends are None where there are too few trials for
    an interval.
    """
    middle = sum(effect.bounds) / len(effect.bounds)
    inner = min(max(middle, effect.low), effect.high)  # of the interval, what lies farthest inside of bounds
    ends = [] if effect.low != effect.low else [_inside(effect, value) for value in (effect.low, inner, effect.high)]
    value = _inside(effect, effect.value)
    farthest = max((abs(end) for end in [*ends, value] if abs(end) < float("inf")), default=0) or 1
    low, high = (_place(end(ends) if ends else value, farthest) for end in (min, max))
    return SimpleNamespace(low=low, high=high, value=_place(value, farthest), bounded=bool(ends))


def _inside(effect, value):
    """How far a value lies inside of what the claim expects; below 0: outside."""
    sides = {ABOVE: value - effect.bounds[-1], BELOW: effect.bounds[0] - value}
    return sides.get(effect.expected, min(value - effect.bounds[0], effect.bounds[-1] - value))


def _place(inside, farthest):
    return round(HALF + (HALF - MARGIN) * min(max(inside / farthest, -1), 1), 1)
