"""Sentences of a report about the trials that it rests on."""

from types import SimpleNamespace

from kernels import CELLS
from study.records.table import where
from study.report import probes
from study.report.names import init_label
from study.report.tables import outcomes
from study.report.trials import NET, attempts, crossed, forward, grouped, pooled, trained
from study.statistics.doubts import doubts
from study.statistics.verdict import CEILING, FLOOR, INCONCLUSIVE, UNTUNED
from study.tasks import TASKS
from study.tasks._rule import Rule

UNDECIDED = {UNTUNED: "untuned", FLOOR: "at the floor", CEILING: "at the ceiling", INCONCLUSIVE: "inconclusive"}
WHETHER = ("Holds", "Holds in part", "Holds in part, fails in part", "Fails in part", "Fails", "Not decided")
"""What `whether` can say, the best first."""
CLIPPED = {"norm": "the gradient's norm clipped at {:g}", "value": "each number of the gradient clipped at {:g}",
           "off": "gradients not clipped"}


def counts(frame):
    """How the trials ended."""
    runs = frame[frame["method"] != "probe"]
    if not len(runs):
        return f"{len(frame)} probed."
    ended = outcomes(runs[runs["purpose"] == "train"])
    rest = ended["trials"] - ended["solved"] - ended["censored"] - ended["diverged"]
    chose, probed = outcomes(runs[runs["purpose"] != "train"]), len(frame) - len(runs)
    return (f"Of {ended['trials']:,} trials {ended['solved']:,} solved their task, {ended['censored']:,} did not (censored), "
            f"{ended['diverged']:,} diverged" + (f", {rest:,} are of tasks without a pass rule." if rest else ".")
            + (f" {chose['trials']:,} more chose learning rates; {chose['solved']:,} of these solved it." if chose["trials"] else "")
            + (f" {probed:,} more were probed." if probed else ""))


def training(frame):
    """What most trained trials have in common; "" if there are none."""
    runs = forward(frame)
    if not len(runs):
        return ""
    usual = runs[["units", "batch", "optimizer", "clip", "clipping", "budget", "dtype"]].mode().iloc[0]
    others = runs[runs["budget"] != usual["budget"]].groupby("task")["budget"].max()
    budgets = "".join(f", {budget:,} on {TASKS[task].title}" for task, budget in others.items())
    clipped = CLIPPED[usual["clipping"]].format(usual["clip"])
    horizons = " or ".join(f"{horizon:,.0f}" for horizon in sorted(runs["horizon"].dropna().unique()))
    setting = (f"Here: H = {int(usual['units'])} units, batches of {int(usual['batch'])}, {usual['optimizer'].capitalize()}, "
               f"{clipped}, at most {int(usual['budget']):,} sequences{budgets} ({usual['dtype']}).")
    horizon = f"The horizon of the long initialisation is {horizons} steps; the largest gap is {runs['gap'].max():,}."
    return " ".join(filter(None, [setting, horizons and horizon, pooled(attempts(frame))]))


def shown(frame):
    """Which trained nets a figure shows where several kinds are recorded; "" where it shows all of them."""
    kinds, usual = trained(frame), forward(frame)
    differing = [knob for knob in ("direction", "units", *NET) if len(usual) and kinds[knob].nunique() > 1]
    values = ", ".join(f"`{knob}` {usual[knob].iloc[0]}" for knob in differing)
    return values and f"Unless its caption says otherwise, a figure shows nets with {values} only (`list knobs` explains the knobs)."


def doubted(frame):
    """The trained arms whose learning rate is in doubt: their `number`, of `arms`, and `lines`, one for each doubt, that name them."""
    arms = grouped(trained(frame), ["task", "cell", "init"])
    several = trained(frame)["init"].nunique() > 1
    names = {}
    for arm, runs in arms:
        if doubt := doubts(runs):
            cell = CELLS[arm["cell"]].title + (f", {init_label(arm['init'])}" if several else "")
            names.setdefault(doubt, {}).setdefault(cell, []).append(TASKS[arm["task"]].title)
    lines = [f"{doubt}: " + "; ".join(f"{cell} ({' and '.join(tasks)})" for cell, tasks in cells.items()) for doubt, cells in names.items()]
    return SimpleNamespace(arms=len(arms), number=sum(len(tasks) for cells in names.values() for tasks in cells.values()), lines=lines)


def selected(gaps):
    """At which gaps learning rates were chosen, from {task: gap}."""
    if len(set(gaps.values())) == 1:
        return f"at gap {next(iter(gaps.values()))}"
    return f"at one gap each ({', '.join(f'{TASKS[task].title}: {gap}' for task, gap in gaps.items())})"


def odd_rules(frame):
    """Titles of the tasks whose pass rule is not the usual one, or that have none."""
    tasks = [TASKS[name] for name in dict.fromkeys(trained(frame)["task"])]
    return [task.title for task in tasks if task.rule != Rule()]


def scaled(frame):
    """Titles of the tasks that grow by another axis than a gap, with their smallest lag as a part of it."""
    tasks = [TASKS[name] for name in dict.fromkeys(trained(frame)["task"])]
    return [f"{task.title}: {task.lag:g}" for task in tasks if task.axis != "gap"]


def layers(frame):
    """How many layers the nets have."""
    counts = sorted(set(frame["layers"]))
    return "one layer" if counts == [1] else f"{' or '.join(map(str, counts))} layers"


def probing(frame):
    """Which probed nets are shown, and which are left out; "" if there are none."""
    runs = where(crossed(frame), method="probe")
    if not len(runs):
        return ""
    shown, finished = probes.usual(frame), probes.finished(frame)
    size = f"H = {shown['units'].max()} units, lags to {shown['gap'].max():,}, float64"
    nets = f"{len(shown)} nets of {size}" if len(shown) else "none"
    diverged = f"{len(runs) - len(finished)} diverged in training." if len(finished) < len(runs) else ""
    others = finished.drop(shown.index).groupby(["task", "units", "gap"]).size()
    left_out = "; ".join(f"{n} of {TASKS[task].title} at H = {units}, gap {gap:,}" for (task, units, gap), n in others.items())
    left_out = left_out and f"Left out of figures and tables, but in `export`: {left_out}."
    return " ".join(filter(None, [f"Here: {nets}.", diverged, left_out, pooled(shown)]))


def fared(verdicts):
    """How a claim fared, from the table of its verdicts."""
    whole, speak, against = len(verdicts), *spoken(verdicts)
    undecided = [f"{n} {words}" for outcome, words in UNDECIDED.items() if (n := (verdicts["outcome"] == outcome).sum())]
    return (f"{whether(verdicts)}: of {whole} comparison{'s' * (whole > 1)}, {speak} {'speaks' if speak == 1 else 'speak'} for the claim and "
            f"{against} against it" + "".join(f", {words}" for words in undecided) + ".")


def whether(verdicts):
    """Whether a claim holds, in a word or two, from the table of its verdicts."""
    speak, against = spoken(verdicts)
    if not speak and not against:
        return "Not decided"
    parts = [f"{verb} in part" for verb, count in (("holds", speak), ("fails", against)) if count]
    said = "holds" if speak == len(verdicts) else "fails" if against == len(verdicts) else ", ".join(parts)
    return said.capitalize()


def spoken(verdicts):
    """How many comparisons of a table of verdicts speak for the claim, and how many against it."""
    return [int((verdicts["speaks"] == side).sum()) for side in (1, -1)]
