"""The tables: each a function of the trials (and the chosen rates) that gives a DataFrame, one row an arm or a verdict."""

import pandas as pd

from kernels import CELLS
from study.report import probed
from study.report.arms import ARM, learned, passable, plain, trained, where
from study.report.style import place, started
from study.statistics import intervals
from study.tasks import TASKS

PARTS = {"whole": 1.0, "half": 0.5}


def grouped(frame, keys):
    """(keys' values as a dict, rows) for each group: in the order of the registry."""
    groups = [(dict(zip(keys, values, strict=True)), runs) for values, runs in frame.groupby(keys, sort=True)]
    return sorted(groups, key=lambda group: registry(group[0]))


def registry(arm):
    """Where an arm stands: by task, cell, then family of starts; what is left keeps its order."""
    return (arm["task"], place(arm["cell"]), started(arm.get("init", "standard")))


def outcomes(runs):
    """Counts of how trials ended. A diverged one is neither solved nor censored, nor is one of a task without a rule."""
    diverged = runs["status"] == "diverged"
    return {"trials": len(runs), "solved": int(runs["solved"].eq(True).sum()),
            "censored": int((runs["solved"].eq(False) & ~diverged).sum()), "diverged": int(diverged.sum())}


def critical_gap(frame):
    """Critical gap of each arm with more than one gap, within the budget and within half of it; 0: below the smallest."""
    rows = []
    for arm, runs in grouped(passable(trained(frame)), ARM):
        for part, share in PARTS.items():
            gap = intervals.critical_gap(runs, share) if runs["gap"].nunique() > 1 else None
            if gap:
                rows.append(arm | {"part": part, "median": gap.median, "low": gap.low, "high": gap.high, "seeds": gap.seeds,
                                   "smallest": gap.grid[0], "largest": gap.grid[-1], "shown": str(gap)})
    return pd.DataFrame(rows)


def success(frame):
    """Each arm's success rate at each gap, with its Wilson interval, and the median sequences to solve (Kaplan-Meier)."""
    rows = []
    for arm, runs in grouped(passable(learned(frame)), [*ARM, "gap"]):
        low, high = intervals.wilson(outcomes(runs)["solved"], len(runs))
        curve = intervals.survival(runs["sequences"], runs["solved"].astype(bool))
        rows.append(arm | outcomes(runs) | {"rate": outcomes(runs)["solved"] / len(runs), "rate_low": low, "rate_high": high,
                                            "sequences": curve.median, "sequences_low": curve.low,
                                            "sequences_high": curve.high})
    return pd.DataFrame(rows)


def rates(choices):
    """The learning rate chosen for each task, cell and start; `edge`: at the grid's edge, a better one may lie outside."""
    rows = [{"task": task, "cell": cell, "init": init, "lr": choice["lr"], "edge": choice["edge"],
             "candidates": "; ".join(map(_tried, choice["candidates"]))}
            for (task, cell, init), choice in choices.items()]
    return pd.DataFrame(sorted(rows, key=registry))


def _tried(rate):
    loss = "none finite" if rate["final_loss"] is None else f"{rate['final_loss']:.3g}"
    return f"{rate['lr']:g}: {rate['solved']} of {rate['seeds']}, {rate['sequences']} sequences, loss {loss}"


def parameters(frame):
    """Weights of each net, read-out and merge included."""
    keys = ["task", "cell", "units", "direction", "merge"]
    rows = [net | {"parameters": int(runs["parameters"].iloc[0])} for net, runs in grouped(trained(frame), keys)]
    return pd.DataFrame(rows)


def equal_parameters(frame):
    """Success at the units that give about the lstm's number of weights, beside success at equal units."""
    runs = where(passable(trained(frame)), direction="forward")
    usual = plain(frame)["units"].max()
    keys = ["task", "init", "gap"]
    others = runs[runs["units"] != usual]
    compared = runs[runs["cell"].isin([*others["cell"], "lstm"])].merge(others[keys].drop_duplicates())
    rows = [arm | {"parameters": int(some["parameters"].iloc[0]), **outcomes(some)}
            for arm, some in grouped(compared, ["task", "cell", "units", "init", "gap"])]
    return pd.DataFrame(rows)


def digits(frame):
    """Accuracy on the fixed test part of the handwritten digits: median and range over seeds."""
    runs = trained(frame)
    runs = runs[runs["task"].str.startswith("digits") & runs["test_n"].notna()]
    rows = []
    for arm, some in grouped(runs, [*ARM[:-1], "gap"]):
        share = some["test_correct"] / some["test_n"]
        rows.append(arm | {"seeds": len(some), "accuracy": share.median(), "lowest": share.min(), "highest": share.max(),
                           "chance": TASKS[arm["task"]].chance["score"]})
    return pd.DataFrame(rows)


def guessing(frame):
    """Weights drawn at random until some solve the task, within the same budget of sequences."""
    runs = where(frame, method="guess", purpose="train")
    rows = [arm | outcomes(some) | {"median_guesses": some["guesses"].median()}
            for arm, some in grouped(runs, ["task", "cell", "init", "gap"])]
    return pd.DataFrame(rows).drop(columns="init", errors="ignore")


def decay(frame):
    """Fitted decay of the gradient with the lag, at each arm's largest gap: median and quartiles over seeds.

    `slope` is that of the log norm, for a step back in time; `state` is h, c, "direct" (dL/dc along the states'
    own paths only) or "f" (the product of the gates that hold the state along the direct path; the update gate, for a gru).
    Forward arms at the usual number of units.
    """
    rows = []
    for arm, runs in grouped(plain(frame), ["task", "cell", "init"]):
        runs = runs[runs["gap"] == runs["gap"].max()]
        for when in ("start", "end"):
            for state in (*CELLS[arm["cell"]].states, "direct", "f"):
                fits = [fit for norms in runs["norms"] if state in norms.get(when, ())
                        and (fit := intervals.decay(norms[when]["lag"], norms[when][state]))]
                if fits:
                    slopes = pd.Series([fit.slope for fit in fits]).quantile([0.25, 0.5, 0.75])
                    rows.append(arm | {"gap": int(runs["gap"].iloc[0]), "when": when, "state": state, "seeds": len(fits),
                                       "slope": slopes[0.5], "slope_q1": slopes[0.25], "slope_q3": slopes[0.75],
                                       "r2": pd.Series([fit.r2 for fit in fits]).median()})
    return pd.DataFrame(rows)


def verdicts(settled, study, preset):
    """One row a verdict, with the command that repeats what it rests on."""
    return pd.DataFrame([{"claim": verdict.claim, "statement": verdict.statement, "verdict": verdict.outcome,
                          "provisional": verdict.provisional, "evidence": verdict.evidence, "seeds": verdict.seeds,
                          "planned": verdict.planned, "p": verdict.p, "p_holm": verdict.holm,
                          "command": verdict.command(study, preset)} for verdict in settled])


def every(frame, choices, settled, study, preset):
    """{file name without its ending: table} of all that are not empty."""
    tables = {"critical_gap": critical_gap(frame), "success": success(frame), "rates": rates(choices),
              "parameters": parameters(frame), "equal_parameters": equal_parameters(frame), "digits": digits(frame),
              "guessing": guessing(frame), "decay": decay(frame), "probes": probed.table(frame),
              "verdicts": verdicts(settled, study, preset)}
    return {name: table for name, table in tables.items() if len(table)}
