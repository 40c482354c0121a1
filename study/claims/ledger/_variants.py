"""Variants of the LSTM with peepholes on two tasks, on which several claims rest."""

from study.claims.ledger._setup import Setup

CELLS = {"vanilla": "peephole", "coupled gates": "coupled_peephole", "no peepholes": "lstm", "no input gate": "nig", "no forget gate": "nfg",
         "no output gate": "nog", "no input activation": "niaf", "no output activation": "noaf", "full gate recurrence": "fgr"}
SEEDS = 22
VARIANTS = {what: Setup({"task": task, "init": "long", "horizon": 100, "budget": 128_000}, {name: {"cell": cell} for name, cell in CELLS.items()},
                        (50,), SEEDS) for what, task in (("recall", "recall/past"), ("temporal order", "temporal_order/6a"))}
RULE = (
    "Recall over gap 50, and temporal order 6a at half of its published scale, long start with a horizon of 100, H = 32, at most 128,000 sequences, "
    "against the LSTM with peepholes."
)
