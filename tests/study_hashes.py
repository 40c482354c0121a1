"""A hash of each task's first batch and of each small trial's whole record; run as a program it prints them as JSON.

`python tests/study_hashes.py > tests/golden/study.json` writes the golden hashes: to add a new task's or trial's, which changes
no other, and after a change that alters bits on purpose, which raises kernels.NUMERICS too.
"""

import hashlib
import json
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = map(str, Path(__file__).parents[:2])

GOLDEN = Path(__file__).parent / "golden" / "study.json"
WRITE = "python tests/study_hashes.py > tests/golden/study.json"
TRIALS = {
    "lstm recall": {"cell": "lstm", "units": 8, "gap": 6, "init": "long", "horizon": 20, "lr": 0.01, "budget": 640, "seed": 1},
    "rnn 6a": {"cell": "rnn", "units": 12, "task": "temporal_order/6a", "gap": 20, "init": "long", "lr": 0.003, "budget": 640},
    "peephole adding learned": {
        "cell": "peephole", "units": 6, "direction": "both", "merge": "learned", "task": "adding/hs97", "gap": 40, "lr": 0.003, "budget": 320,
    },
    "coupled digits": {"cell": "coupled", "units": 8, "task": "digits", "gap": 3, "lr": 0.01, "budget": 320},
    "gru recall both": {
        "cell": "gru", "units": 7, "direction": "both", "task": "recall/both", "gap": 9, "init": "long", "horizon": 20, "lr": 0.01,
        "budget": 320, "purpose": "select",
    },
    "gru_after reverse sgd float64": {
        "cell": "gru_after", "units": 5, "direction": "reverse", "task": "recall/future", "gap": 4, "lr": 0.1, "budget": 320,
        "optimizer": "sgd", "dtype": "float64",
    },
    "rnn attention sigmoid": {
        "cell": "rnn", "units": 6, "head": "attention", "output": "sigmoid", "task": "temporal_order/6a", "gap": 20, "lr": 0.01, "budget": 320,
    },
    "lstm attention general both": {
        "cell": "lstm", "units": 5, "head": "attention", "attention": "general", "direction": "both", "gap": 6, "lr": 0.01, "budget": 320,
    },
    "gru layers residual both": {
        "cell": "gru", "units": 5, "layers": 3, "stack": "residual", "direction": "both", "merge": "sum", "task": "recall/both", "gap": 9,
        "lr": 0.01, "budget": 320,
    },
    "mut1 layers": {"cell": "mut1", "units": 5, "layers": 2, "direction": "both", "task": "recall/both", "gap": 4, "lr": 0.01, "budget": 320},
    "lstm grid": {"cell": "lstm", "units": 6, "layers": 2, "stack": "grid", "gap": 35, "lr": 0.01, "budget": 320},
    "peephole grid tied float64": {
        "cell": "peephole", "units": 5, "layers": 3, "stack": "grid", "tied": True, "gap": 6, "lr": 0.01, "budget": 320, "dtype": "float64",
    },
    "lstm language": {"cell": "lstm", "units": 8, "task": "language/gender", "gap": 4, "lr": 0.01, "budget": 640},
    "lstm_hs97 published": {
        "cell": "lstm_hs97", "units": 4, "block": 2, "task": "adding/hs97", "gap": 40, "init": "published", "lr": 0.25, "batch": 1,
        "budget": 320, "optimizer": "sgd", "clipping": "off", "truncated": True, "output": "sigmoid",
    },
    "lstm_gers streams": {
        "cell": "lstm_gers", "units": 8, "block": 2, "task": "reber_continual", "gap": 60, "init": "published", "lr": 35.0, "batch": 1,
        "budget": 320, "optimizer": "sgd", "clipping": "off", "truncated": True, "output": "sigmoid", "lr_decay": 0.99,
    },
    "rnn guess": {"cell": "rnn", "units": 8, "gap": 4, "budget": 320, "method": "guess"},
    "lstm probe": {"cell": "lstm", "units": 8, "gap": 70, "method": "probe"},
    "lstm layers probe": {"cell": "lstm", "units": 6, "gap": 30, "layers": 2, "method": "probe"},
}  # fmt: skip


def golden(kind, name):
    """The committed hash of one of the "tasks" or "trials"."""
    hashes = json.loads(GOLDEN.read_text())[kind]
    assert name in hashes, f"no golden hash of {name}; to add it: {WRITE}"
    return hashes[name]


def first_batch(task):
    """SHA-256 of 32 sequences of a task."""
    import kernels

    gap = task.smallest_gap + 40 if task.largest_gap is None else task.largest_gap
    batch = task.sample(kernels.Stream("golden"), 32, gap)
    digest = hashlib.sha256()
    optional = [array for array in (batch.offsets, batch.judged, batch.truth) if array is not None]
    for array in (batch.x, batch.lengths, batch.read, batch.target, *optional):
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def record(knobs):
    """What a trial gives, its floats in full."""
    from study.trial.knobs import Trial
    from study.trial.run import run

    result = run(Trial(**knobs))
    return json.dumps({"status": result.status, "result": result.as_dict()}, sort_keys=True, allow_nan=False)


def hashes():
    """{"tasks": {name: hash}, "trials": {name: hash}}."""
    from study.tasks import TASKS

    return {
        "tasks": {name: first_batch(task) for name, task in TASKS.items()},
        "trials": {name: hashlib.sha256(record(knobs).encode()).hexdigest()[:16] for name, knobs in TRIALS.items()},
    }


if __name__ == "__main__":
    import kernels

    print(json.dumps({"NUMERICS": kernels.NUMERICS, **hashes()}, indent=1))
