"""The tables: each a function of the trials (and the chosen learning rates) that gives a DataFrame."""

from collections import Counter
from math import inf, log

import pandas as pd

from kernels import CELLS
from study import claims
from study.records.table import at_largest_gap, where
from study.report import probes, searches
from study.report.trials import NET, attempts, forward, grouped, report_order, row_knobs, trained, with_pass_rule
from study.statistics.decay import fit_decay
from study.statistics.doubts import doubts
from study.statistics.half_success import bracket
from study.statistics.half_success import half_success as fit_half_success
from study.statistics.medians import quartiles
from study.statistics.success import survival, wilson
from study.tasks import TASKS
from study.trial.knobs import DEFAULTS


def outcomes(runs):
    """Counts of how trials ended. A diverged one is neither solved nor censored, nor is one of a task without a rule."""
    diverged = runs["status"] == "diverged"
    return {"trials": len(runs), "solved": int(runs["solved"].eq(True).sum()),
            "censored": int((runs["solved"].eq(False) & ~diverged).sum()), "diverged": int(diverged.sum())}


def half_success(frame):
    """The gap that half of the seeds solve, where there is more than one gap, and the bracket of each seed.

    `solved` counts trials at each of `gaps` that solve it, of `trials`; `not_monotone` counts those that fail a smaller gap than one that they solve.
    """
    rows = []
    for row, runs in grouped(with_pass_rule(trained(frame)), row_knobs(trained(frame))):
        gaps, solved = runs["gap"], runs["solved"].eq(True)
        if gaps.nunique() > 1 and gaps.min() > 0:
            half, counts = fit_half_success(gaps, solved), solved.groupby(gaps).agg(["sum", "size"])
            brackets = [bracket(seed["gap"], seed["solved"].eq(True)) for _, seed in runs.groupby("seed")]
            rows.append(row | {"value": half.value, "low": half.low, "high": half.high, "shown": str(half),
                               "seeds": runs["seed"].nunique(), "gaps": " ".join(map(str, counts.index)),
                               "solved": " ".join(map(str, counts["sum"])), "trials": " ".join(map(str, counts["size"])),
                               "brackets": _brackets(brackets), "not_monotone": sum(low > high for low, high in brackets), "lr_doubt": doubts(runs)})
    return pd.DataFrame(rows)


def _brackets(brackets):
    """Each bracket [largest gap solved, smallest gap failed) with the number of its seeds; a seed may solve none or all."""
    counts = sorted(Counter(pair for pair in brackets if pair[0] <= pair[1]).items())
    return "; ".join(f"{n} x [{low:g}, {'-' if high == inf else f'{high:g}'})" for (low, high), n in counts)


def success(frame):
    """Success rate at each gap, with its Wilson interval, and the median sequences to solve (Kaplan-Meier)."""
    rows = []
    for row, runs in grouped(with_pass_rule(attempts(frame)), [*row_knobs(attempts(frame)), "gap"]):
        counts = outcomes(runs)
        low, high = wilson(counts["solved"], len(runs))
        curve = survival(runs["sequences"], runs["solved"].astype(bool))
        rows.append(row | counts | {"rate": counts["solved"] / len(runs), "rate_low": low, "rate_high": high,
                                    "sequences": curve.median, "sequences_low": curve.low, "sequences_high": curve.high,
                                    "lr_doubt": doubts(runs)})
    return pd.DataFrame(rows)


def learning_rates(choices):
    """The learning rate selected for each task, cell and initialisation; `edge`: it is the smallest or largest of the grid."""
    rows = [{"task": task, "cell": cell, "init": init, "lr": choice["lr"], "edge": choice["edge"],
             "candidates": "; ".join(map(_candidate, choice["candidates"]))}
            for (task, cell, init), choice in choices.items()]
    return pd.DataFrame(sorted(rows, key=report_order))


def _candidate(tried):
    loss = "none finite" if tried["final_loss"] is None else f"{tried['final_loss']:.3g}"
    return f"{tried['lr']:g}: {tried['solved']} of {tried['seeds']}, {tried['sequences']} sequences, loss {loss}"


def tuning(outcomes):
    """What each learning rate came to that was tried for an arm at a gap, and which was `chosen`; one row a rate.

    `log_sequences` is the restricted mean of log sequences, `loss` the median of the final loss, or of the test loss for a task without a
    pass rule. Knobs are left out in which all arms are at their defaults.
    """
    named = {knob: DEFAULTS.get(knob) for outcome in outcomes for knob in outcome.knobs}
    rows = [named | outcome.knobs | rate.model_dump() | {"chosen": rate.lr == outcome.lr, "lr_doubt": outcome.doubt}
            for outcome in outcomes for rate in outcome.tried]
    return pd.DataFrame(sorted(rows, key=report_order))


def parameters(frame):
    """Number of weights of each net, head and merge included."""
    keys = ["task", "cell", "units", "direction", "merge", *(knob for knob in row_knobs(trained(frame)) if knob in NET)]
    return pd.DataFrame([net | {"parameters": int(runs["parameters"].iloc[0])} for net, runs in grouped(trained(frame), keys)])


def equal_parameters(frame):
    """Success of nets with about as many weights as the lstm, beside success at equal units."""
    runs = where(with_pass_rule(trained(frame)), direction="forward")
    usual = forward(frame)["units"].max()
    others = runs[runs["units"] != usual]
    compared = runs[runs["cell"].isin([*others["cell"], "lstm"])].merge(others[["task", "init", "gap"]].drop_duplicates())
    rows = [row | {"parameters": int(nets["parameters"].iloc[0]), **outcomes(nets)}
            for row, nets in grouped(compared, ["task", "cell", "units", "init", "gap"])]
    return pd.DataFrame(rows)


def digits(frame):
    """Accuracy on the fixed test part of the handwritten digits: median and range over seeds."""
    runs = trained(frame)
    runs = runs[runs["task"].str.startswith("digits") & runs["test_n"].notna()]
    rows = []
    for row, nets in grouped(runs, [*(knob for knob in row_knobs(runs) if knob != "method"), "gap"]):
        accuracy = nets["test_correct"] / nets["test_n"]
        rows.append(row | {"seeds": len(nets), "accuracy": accuracy.median(), "lowest": accuracy.min(),
                           "highest": accuracy.max(), "chance": TASKS[row["task"]].chance["score"]})
    return pd.DataFrame(rows)


def real(frame):
    """Loss on the test part of speech, music and text, in nats an answer: median and range over seeds; `bits`: the median in bits.

    `right` is the share of right answers: of speakers, frames or characters.
    """
    runs = trained(frame)
    runs = runs[runs["task"].isin([name for name, task in TASKS.items() if task.data]) & runs["test_loss"].notna()]
    rows = []
    for row, nets in grouped(runs, [*(knob for knob in row_knobs(runs) if knob != "method"), "gap"]):
        answers, right = nets["test_answers"].fillna(nets["test_n"]), nets["test_answers_correct"].fillna(nets["test_correct"])
        loss = nets["test_loss"]
        rows.append(row | {"seeds": len(nets), "loss": loss.median(), "lowest": loss.min(), "highest": loss.max(),
                           "bits": loss.median() / log(2), "right": (right / answers).median(),
                           "chance": TASKS[row["task"]].chance["loss"]})
    return pd.DataFrame(rows)


def conditions(frame):
    """Minimal pairs of the test by condition: the share whose right word is the largest of all outputs, and the share in which
    it is larger than the one wrong word. Means over seeds, with the lowest and the highest."""
    runs = trained(frame)
    runs = runs[runs["test_conditions"].notna()] if "test_conditions" in runs else runs[:0]
    rows = []
    for row, nets in grouped(runs, [*(knob for knob in row_knobs(runs) if knob != "method"), "gap"]):
        for name in TASKS[row["task"]].conditions:
            counts = pd.DataFrame([net[name] for net in nets["test_conditions"]], columns=["pairs", "right", "above"])
            shares = counts[["right", "above"]].div(counts["pairs"], axis=0)
            ends = {f"{share}_{end}": getattr(shares[share], end)() for share in shares for end in ("mean", "min", "max")}
            rows.append(row | {"condition": name, "seeds": len(nets), "pairs": int(counts["pairs"].sum())} | ends)
    return pd.DataFrame(rows)


def guessing(frame):
    """Nets whose weights are drawn at random until they solve the task, within the same budget of sequences."""
    runs = where(attempts(frame), method="guess")
    rows = [row | outcomes(nets) | {"median_guesses": nets["guesses"].median()}
            for row, nets in grouped(runs, ["task", "cell", "init", "gap"])]
    return pd.DataFrame(rows).drop(columns="init", errors="ignore")


def decay(frame):
    """Slope of the log gradient norm against lag, at each arm's largest gap: median and quartiles over seeds.

    `state` is h, c, "direct" (dL/dc along the states' own paths only) or "f" (the product of the gates that hold the state
    along the direct path; the update gate, for a gru). Forward nets at the usual number of units.
    """
    rows = []
    for arm, runs in grouped(where(forward(frame), record="full"), ["task", "cell", "init"]):
        runs = at_largest_gap(runs)
        for when in ("start", "end"):
            for state in (*CELLS[arm["cell"]].states, "direct", "f"):
                fits = [fit for norms in runs["norms"] if state in norms.get(when, ())
                        and (fit := fit_decay(norms[when]["lag"], norms[when][state]))]
                if fits:
                    slope, r2 = quartiles(fit.slope for fit in fits), quartiles(fit.r2 for fit in fits)
                    rows.append(arm | {"gap": int(runs["gap"].iloc[0]), "when": when, "state": state, "seeds": len(fits),
                                       "slope": slope["median"], "slope_q1": slope["q1"], "slope_q3": slope["q3"],
                                       "r2": r2["median"]})
    return pd.DataFrame(rows)


def verdicts(settled, study, preset):
    """One row a verdict: counts, effect, power and p, with the command that trains again what it rests on."""
    return pd.DataFrame([
        _verdict(verdict) | {"exploratory": claims.find(study).CLAIMS[verdict.claim].exploratory,
                             "command": verdict.command(study, preset)} for verdict in settled])


def _verdict(verdict):
    effect, comparison = verdict.comparison.effect, verdict.comparison
    return {"claim": verdict.claim, "statement": verdict.statement, "protocol": verdict.protocol,
            "fidelity": "; ".join(f"{aspect}: {how}" for aspect, how in verdict.fidelity), "outcome": verdict.outcome,
            "speaks": verdict.speaks, "counts": comparison.counts, "effect": effect.name, "value": effect.value,
            "low": effect.low, "high": effect.high, "from": effect.range[0], "to": effect.range[1], "shown": str(effect), "beside": comparison.beside,
            "doubt": verdict.doubt, "seeds": comparison.seeds,
            "planned": verdict.planned, "provisional": verdict.provisional, "power": verdict.power, "to_find": effect.worth,
            "seeds_needed": verdict.needed, "p": effect.p, "p_holm": verdict.holm}


def every(frame, plan, settled):
    """{file name without its ending: table} of all that are not empty, from the recorded trials of a plan and their verdicts."""
    study, choices = plan.study, plan.choices
    chosen = {"tuning": tuning(list(choices.values()))} if study.tuning else {"learning_rates": learning_rates(choices)}
    tables = {"half_success": half_success(frame), "success": success(frame), **chosen,
              "parameters": parameters(frame), "equal_parameters": equal_parameters(frame), "digits": digits(frame), "real": real(frame),
              "conditions": conditions(frame),
              "guessing": guessing(frame), "decay": decay(frame), "probes": probes.slopes(frame), "importance": searches.importance(frame),
              "verdicts": verdicts(settled, study.name, study.preset)}
    return {name: table for name, table in tables.items() if len(table)}
