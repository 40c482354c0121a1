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
        return f"This net does not know the {cue}: {percent(right)} right, chance is {percent(chance)}."
    counts, without = words["together"].values()
    units = [str(unit) for unit in carriers(words)]
    if not units:
        return f"No few units carry the {cue}: without the {counts[-1]} that matter most, {percent(right)} -> {percent(without[-1])} right."
    left = without[counts.index(len(units))]
    falls = (f"most of the {cue}: without {'it' if len(units) == 1 else 'them'} {percent(right)} -> {percent(left)} right, chance is "
             f"{percent(chance)}.")
    if len(units) == 1:
        return f"Unit {units[0]} carries {falls}"
    return f"No single unit carries most of the {cue}. Units {', '.join(units[:-1])} and {units[-1]} together carry {falls}"


def carriers(words):
    """The fewest of the most important units without which at least CARRIED of what the net knows is lost; [] if FEW do not do."""
    least = words["accuracy"] - CARRIED * (words["accuracy"] - words["chance"])
    enough = [count for count, right in zip(*words["together"].values()) if right <= least and count <= FEW]
    return words["units"]["unit"][: enough[0]] if enough else []


def percent(share):
    """A share as text."""
    return f"{100 * share:.3g} %"
