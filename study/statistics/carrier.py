"""What a record says of words, in plain sentences: which unit carries the cue."""

KNOWN = 0.1  # above chance: with less, a net does not know the cue
CARRIED = 0.5  # of what a net knows above chance: units carry the cue if at least this much is lost without them
FEW = 8  # units that are named, at most


def noun(task):
    """What the cue of a task is called: "country" of language/country, "number" of language/number/2."""
    return task.split("/")[1] if "/" in task else "cue"


def carrier(words, task):
    """Which unit carries the cue, or which few do together, in one sentence. `words`: study.probes.words.explain."""
    right, chance, cue = words["accuracy"], words["chance"], noun(task)
    if right - chance < KNOWN:
        return f"The net does not know the {cue}: {percent(right)} right, chance is {percent(chance)}."
    least = right - CARRIED * (right - chance)
    counts, without = words["together"].values()
    enough = next((k for k, share in enumerate(without) if share <= least and counts[k] <= FEW), None)
    if enough is None:
        return f"No few units carry the {cue}: without the {counts[-1]} that matter most, {percent(right)} -> {percent(without[-1])} right."
    units = [str(unit) for unit in words["units"]["unit"][: counts[enough]]]
    falls = f"the {cue}: without {'it' if len(units) == 1 else 'them'} {percent(right)} -> {percent(without[enough])} right."
    if len(units) == 1:
        return f"Unit {units[0]} carries {falls}"
    return f"No single unit carries the {cue}. Units {', '.join(units[:-1])} and {units[-1]} together carry {falls}"


def percent(share):
    """A share as text."""
    return f"{100 * share:.3g} %"
