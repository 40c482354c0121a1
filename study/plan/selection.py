"""Learning rates, chosen on trials of their own.

The best learning rate solves the most seeds; ties are broken by the fewest sequences (an unsolved trial counts its budget), then
by the smallest median of the final loss, then by the smaller rate. A diverged trial is unsolved and has an infinite loss. `edge`
marks a best rate at the edge of the grid, because a better one may lie outside.

The table `selection.json` is {"schema": 1, "choices": [{"task", "cell", "init", "lr", "edge", "candidates", "from"}]}. "from" is
None, or the committed table that the choice was taken from.
"""

import json
from pathlib import Path

from study.plan import chosen

SCHEMA, TABLE = 1, "selection.json"
CHOICE = ("task", "cell", "init", "lr", "edge", "candidates", "from")
COMMITTED = Path(__file__).with_name("committed")  # tables that are installed with the package


def complete(study, results):
    """{rate key: choice} for each key whose selection trials are all in results {id: Result}."""
    return {key: choose(study, key, results) for key, trials in study.selecting.items() if all(trial.id in results for trial in trials)}


def choose(study, key, results):
    """The choice for a rate key (task, cell, init), from the results {id: Result} of all its selection trials."""
    groups = {}
    for trial in study.selecting[key]:
        groups.setdefault(trial.lr, []).append((trial, results[trial.id]))
    candidates = [_score(lr, group) for lr, group in sorted(groups.items())]
    best = min(candidates, key=_rank)["lr"]
    edge = len(candidates) > 1 and best in (min(groups), max(groups))
    return _choice(key, best, edge, candidates, None)


def _score(lr, group):
    solved = [bool(result.status == "done" and result.solved) for _, result in group]
    spent = [result.sequences if won else trial.budget for won, (trial, result) in zip(solved, group)]
    losses = [result.final_loss if result.status == "done" else None for _, result in group]
    middle = sorted(losses, key=_worst_last)[len(losses) // 2]
    return {"lr": lr, "seeds": len(group), "solved": sum(solved), "sequences": sum(spent), "final_loss": middle}


def _worst_last(loss):
    return (loss is None, loss or 0.0)


def _rank(candidate):
    return (-candidate["solved"], candidate["sequences"], *_worst_last(candidate["final_loss"]), candidate["lr"])


def _choice(key, lr, edge, candidates, taken_from):
    return dict(zip(CHOICE, (*key, lr, edge, candidates, taken_from), strict=True))


def committed(study):
    """The choices {rate key: choice} that a study takes from its committed table; empty if it names none.

    The package's own tables come first, then those below `results` in the working directory.
    """
    name = study.selection and study.selection.committed
    tables = [folder / name / TABLE for folder in (COMMITTED, Path("results"))] if name else []
    path = next(filter(Path.exists, tables), None)
    if path is None:
        return {}
    choices = read(path)
    return {key: choices[key] | {"from": name} for key in study.selecting if key in choices}


def read(path):
    """{rate key: choice} of a table. Raises SpecError if the file is not one."""
    return chosen.read(path, SCHEMA, _parsed)


def _parsed(table):
    found = {(choice["task"], choice["cell"], choice["init"]): choice for choice in table["choices"]}
    wrong = [choice for choice in found.values() if set(choice) != set(CHOICE) or not choice["lr"] > 0]
    if wrong:
        raise ValueError(f"not a choice: {wrong[0]}")
    return found


def dumps(choices):
    """The table of {rate key: choice} as text, sorted by rate key."""
    table = {"schema": SCHEMA, "choices": [choices[key] for key in sorted(choices)]}
    return json.dumps(table, indent=1) + "\n"


def doubt(choice):
    """Why another learning rate could do better than the chosen one; "" if nothing speaks for it, or no rate was chosen."""
    if choice and not any(candidate["solved"] for candidate in choice["candidates"]):
        return f"{chosen.UNSOLVED} at the gap where rates were chosen"
    if choice and choice["edge"]:
        return chosen.at_edge(choice["lr"], [candidate["lr"] for candidate in choice["candidates"]])
    return ""


def rates(choices):
    """{rate key: learning rate} of {rate key: choice}."""
    return {key: choice["lr"] for key, choice in choices.items()}
