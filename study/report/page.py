"""REPORT.md and REPRODUCE.md, and what a page says of a preset besides."""

from pathlib import Path
from types import SimpleNamespace

import jinja2
import pandas as pd

from kernels import CELLS
from study.report import claim_table, searches, sentences
from study.report.figures import FIGURES
from study.report.gradient_norms import WHEN
from study.report.names import FAMILIES, by_registry, init_label
from study.report.samples import samples
from study.report.short_answer import short_answer
from study.report.tables import outcomes
from study.report.trials import NET, attempts, forward
from study.statistics.verdict import INCONCLUSIVE, PUBLISHED, UNTUNED
from study.tasks import TASKS

TEMPLATES = jinja2.Environment(loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates", encoding="utf-8"),
                               trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=jinja2.StrictUndefined,
                               autoescape=lambda name: name.endswith(".html.j2"))
TABLES = {
    "learning_rates": "Learning rates selected (edge: the smallest or largest of the grid)",
    "tuning": "Learning rates tuned, with the seeds that each one solved of those that it was tried on",
    "parameters": "Number of weights of each net",
    "outcomes": "How the trials ended",
    "equal_parameters": "Nets with equal numbers of weights instead of equal numbers of units",
    "real": "Real sequences: loss on the test part, in nats an answer, with its range over seeds, and in bits (characters: bits per "
            "character; chorales: negative log-likelihood of a frame), and the share of right answers; chance: the loss of the best "
            "constant answer",
    "guessing": "Weights drawn at random, within the same budget",
    "importance": "Importance of the knobs of a random search: shares of the variance of its results, with intervals (rest: luck, and three "
                  "knobs or more together)",
    "probes": "Fitted slope of log |dL/dh| with its interval and R^2, and the leading Lyapunov exponents, in nats a step "
              "(medians over seeds; bound: log of the largest singular value of U)",
    "decay": "Fitted slope of the log gradient norm with each step back (recall, cue in the past, largest gap; direct: c by its "
             "own path alone; f: the product of the gates that hold the state)",
}


def facts(found):
    """What the templates of REPORT.md and of a page say of a preset's Findings."""
    study, frame, tables, ablation = found.study, found.frame, found.tables, found.ablation
    folder = f"results/{found.place}"
    shown = tables | {"outcomes": _outcomes(frame), "decay": _decay(tables.get("decay")), "tuning": _tuned(tables.get("tuning", ())),
                      "parameters": _parameters(tables.get("parameters", ()))}
    verdicts = tables.get("verdicts")
    reached = gaps(tables["half_success"], frame) if "half_success" in tables else ()
    return {
        "study": study.name, "preset": study.preset, "title": found.title, "claim": ablation and ablation.CLAIM,
        "trained": (frame["purpose"].eq("train") & frame["method"].ne("probe")).any(), "training": "" if "ledger" in tables else sentences.training(frame),
        "probing": "" if "ledger" in tables else sentences.probing(frame), "drawn": searches.drawn(frame),
        "shown_nets": "" if "ledger" in tables else sentences.shown(frame), "layers": sentences.layers(frame),
        "fresh": not frame["after"].any(), "crossed": bool(set(frame["init"]) - set(FAMILIES)), "recorded": len(frame),
        "planned": found.planned, "counts": sentences.counts(frame), "folder": folder,
        "source": f"{study.name} --preset {study.preset}" if ablation else f"{folder}/plan.toml",
        "takes": ablation and ablation.TAKES[study.preset], "digests": found.digests,
        "gaps": reached, "crossed_gaps": len(reached) and "half-success gap" not in reached,
        "figures": [SimpleNamespace(name=name, title=FIGURES[name].TITLE, caption=found.caption(name)) for name in found.numbers],
        "claims": [] if verdicts is None else [_claim(id, ablation.CLAIMS[id], rows) for id, rows in verdicts.groupby("claim", sort=False)],
        "ledger": claim_table.short(tables["ledger"]) if "ledger" in tables else None,
        "beside": claim_table.beside(tables["beside"]) if "beside" in tables else None,
        "withdrawn": getattr(ablation, "WITHDRAWN", ()),
        "shown": [SimpleNamespace(name=name, title=title, frame=_readable(shown[name]))
                  for name, title in TABLES.items() if len(shown.get(name, ()))],
        "tables": list(tables), "tuning": study.tuning, "selection": study.selection, "doubted": sentences.doubted(frame),
        "selected": study.selection and sentences.selected(study.selection.gap), "inits": set(frame["init"]),
        "odd_rules": sentences.odd_rules(frame), "scaled": sentences.scaled(frame),
        "short_answer": None if hasattr(ablation, "SHOWN") else short_answer(frame),
        "samples": samples(frame), "terms": getattr(ablation, "TERMS", ()),
    }  # fmt: skip


def markdown(found):
    """The text of REPORT.md."""
    return TEMPLATES.get_template("report.md.j2").render(facts(found))


def reproduction(found):
    """The text of REPRODUCE.md."""
    return TEMPLATES.get_template("reproduce.md.j2").render(facts(found))


def table(frame):
    """A DataFrame as a Markdown table."""
    rows = [list(frame.columns), ["---"] * frame.shape[1], *frame.astype(str).to_numpy().tolist()]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def gaps(half, frame):
    """Half-success gaps of forward nets at the usual number of units, to be read."""
    usual = forward(frame)["units"].max()
    kept = half[(half["direction"] == "forward") & (half["units"] == usual)]
    names = {name: task.title if task.axis == "gap" else f"{task.title} ({task.axis})" for name, task in TASKS.items()}
    if crossed_gaps(kept):
        return _crossed(kept, names)
    return pd.DataFrame({
        "task": kept["task"].map(names), "cell": kept["cell"].map(lambda cell: CELLS[cell].title),
        "initialisation": kept["init"].map(lambda init: init_label(init).removesuffix(" initialisation")),
        **{knob: kept[knob] for knob in NET if knob in kept},
        "half-success gap": kept["shown"],
        "seeds that solved each gap": [_each(row) for row in kept.itertuples()],
        "seeds between gaps": [_between(row) for row in kept.itertuples()],
        **({"untuned": kept["lr_doubt"]} if any(kept["lr_doubt"]) else {})})


def crossed_gaps(half):
    """Whether half-success gaps fit a grid of tasks by cells: several tasks, one initialisation, one kind of net."""
    return half["task"].nunique() > 1 and len(half) == len(half.drop_duplicates(["task", "cell"]))


def _crossed(kept, names):
    """The grid: for each task and cell the half-success gap, and how many seeds solved each gap."""
    shown = kept.assign(
        task=[f"{names[row.task]}, gaps {', '.join(str(row.gaps).split())}" for row in kept.itertuples()],
        text=[f"{row.shown}: {', '.join(str(row.solved).split())} of {row.seeds}" for row in kept.itertuples()])
    grid = shown.pivot(index="task", columns="cell", values="text").fillna("-")
    grid = grid.loc[list(dict.fromkeys(shown["task"])), by_registry(kept["cell"])].rename(columns=lambda cell: CELLS[cell].title)
    return grid.rename_axis(columns=None).reset_index()


def _between(row):
    return "; ".join(filter(None, [row.brackets, row.not_monotone and f"{row.not_monotone} not monotone"]))


def _each(row):
    gaps, solved, trials = (str(column).split() for column in (row.gaps, row.solved, row.trials))
    last = f" of {trials[0]}" if len(set(trials)) == 1 else ""
    return ", ".join(f"{gap}: {n}" + ("" if last else f" of {m}") for gap, n, m in zip(gaps, solved, trials, strict=True)) + last


def _outcomes(frame):
    keys = ["task", "direction", "init", "method"]
    rows = [dict(zip(keys, values, strict=True)) | outcomes(runs)
            for values, runs in attempts(frame).groupby(keys, sort=False)]
    return pd.DataFrame(rows)


def _parameters(parameters):
    """The table of weights without the tasks, where all tasks of a study need the same nets."""
    if not len(parameters):
        return ()
    nets = parameters.drop(columns="task").drop_duplicates()
    return nets if not nets.drop(columns="parameters").duplicated().any() else parameters


def _decay(decay):
    if decay is None:
        return ()
    kept = decay[decay["task"] == "recall/past"]
    wide = kept.pivot_table(index=["cell", "init"], columns=["state", "when"], values="slope", sort=False)
    wide.columns = [f"{state}, {WHEN[when]}" for state, when in wide.columns]
    return wide.reset_index()


def _tuned(tuning):
    """The table of tuned rates with one row for each arm at a gap."""
    if not len(tuning):
        return ()
    knobs = list(tuning.columns[: tuning.columns.get_loc("lr")])
    rows = []
    for _, tried in tuning.groupby(knobs, sort=False, dropna=False):
        rates = "; ".join(f"{row.lr:g}: {_came_to(row)}" for row in tried.itertuples())
        chosen = tried[tried["chosen"]].iloc[0]
        rows.append({**chosen[knobs].to_dict(), "lr": f"{chosen['lr']:g}", "rates tried": rates, "untuned": chosen["lr_doubt"]})
    return pd.DataFrame(rows)


def _came_to(rate):
    return f"loss {rate.loss:.3g}" if pd.isna(rate.solved) else f"{rate.solved:.0f}/{rate.seeds}"


def _claim(id, claim, verdicts):
    """A claim with its verdicts, by protocol."""
    parts = [SimpleNamespace(protocol=protocol, sentence=sentences.fared(rows), frame=_verdicts(rows),
                             fidelity=list(dict.fromkeys(filter(None, rows["fidelity"]))))
             for protocol, rows in verdicts.groupby("protocol", sort=False)]
    return SimpleNamespace(id=id, claim=claim, parts=parts, published=PUBLISHED in set(verdicts["protocol"]))


def _verdicts(verdicts):
    return pd.DataFrame({
        "statement": verdicts["statement"],
        "outcome": [_outcome(row) for row in verdicts.itertuples()],
        "solved": verdicts["counts"],
        "effect": verdicts["shown"] + verdicts["beside"].map(lambda text: text and f"; {text}"),
        "power": [f"{row.power:.2f} to find {row.to_find}" for row in verdicts.itertuples()],
        "seeds": verdicts["seeds"].astype(str) + " of " + verdicts["planned"].astype(str),
        "p": [f"{p:.2g}" for p in verdicts["p_holm"]]})


def _outcome(row):
    why = {UNTUNED: row.doubt, INCONCLUSIVE: _needed(row.seeds_needed)}.get(row.outcome)
    return row.outcome + (f" ({why})" if why else "") + (", provisional" if row.provisional else "")


def _needed(seeds):
    return f"{seeds:.0f} seeds an arm would decide" if seeds == seeds and seeds else ""


def _readable(frame):
    """Numbers to three digits, without the columns that are the same in all of several rows."""
    always = ("lr", "trials", "solved", "censored", "diverged", "parameters", "loss", "bits", "right", "chance")
    kept = [name for name in frame if len(frame) == 1 or frame[name].nunique() > 1 or name in always]
    return frame[kept].map(lambda value: ("-" if value != value else f"{value:.3g}") if isinstance(value, float) else value)


TEMPLATES.filters["table"] = table
