"""What is seen in a figure, in words, from the numbers that it draws."""

from pandas.api.types import is_numeric_dtype

from kernels import CELLS
from study.report.names import by_family, by_registry, init_label
from study.tasks import TASKS

ACROSS = {"gap": "gap", "lag": "lag", "after": "words after the cue", "held": "units held", "from_cue": "words after the cue",
          "sequences": "sequences"}  # fmt: skip
UP = {"rate": "success rate", "right": "share of right answers", "accuracy": "accuracy", "median": "median", "slope": "slope",
      "middle": "median unit", "score": "score", "share": "share", "weight": "weight", "value": "value"}  # fmt: skip
MOST = 6  # names of a kind that are told


def alt(title, data):
    """The title of a figure, which arms it draws, and from where to where its values go at the far end of the axis."""
    across = [name for name in ACROSS if name in data and data[name].nunique() > 1]
    ends = _ends(data, across[:1], next((name for name in UP if name in data and is_numeric_dtype(data[name])), None))
    ranges = "; ".join(f"{ACROSS[name]} {data[name].min():g} to {data[name].max():g}" for name in across)
    return " ".join(f"{part}." for part in (title.rstrip(".?"), _arms(data), ranges, ends) if part)


def _arms(data):
    cells = [CELLS[cell].title for cell in by_registry(data["cell"])] if "cell" in data else []
    inits = [init_label(init) for init in by_family(data["init"])] if "init" in data else []
    tasks = [TASKS[task].title for task in dict.fromkeys(data["task"])] if "task" in data else []
    kinds = {"cells": cells, "initialisations": inits, "tasks": tasks}
    return "; ".join(", ".join(names) if len(names) <= MOST else f"{len(names)} {kind}" for kind, names in kinds.items() if names)


def _ends(data, across, up):
    """The lowest and the highest value where the horizontal axis ends, and whose they are."""
    if up is None:
        return ""
    rows = (data[data[across[0]] == data[across[0]].max()] if across else data).dropna(subset=[up])
    low, high = rows[up].min(), rows[up].max()
    at = f" at {ACROSS[across[0]]} {data[across[0]].max():g}" if across else ""
    if not low < high:
        return f"{UP[up]}{at}: {low:.3g} everywhere" if len(rows) else ""
    return f"{UP[up]}{at}: from {low:.3g} ({_whose(rows, up, low)}) to {high:.3g} ({_whose(rows, up, high)})"


def _whose(rows, up, value):
    """The arms that have a value, if they are few."""
    names = {"cell": lambda cell: CELLS[cell].title, "init": init_label, **dict.fromkeys(("head", "net", "when", "state", "name"), str)}
    having = rows[rows[up] == value]
    arms = dict.fromkeys(", ".join(name(row[key]) for key, name in names.items() if key in row) for _, row in having.iterrows())
    return "; ".join(arms) if len(arms) <= 2 else f"{len(arms)} arms"
