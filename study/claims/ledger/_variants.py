"""Variants of the LSTM with peepholes on two tasks, on which several claims rest."""

from study.claims.ledger._setup import Setup

CELLS = {"vanilla": "peephole", "coupled gates": "coupled_peephole", "no peepholes": "lstm", "no input gate": "nig", "no forget gate": "nfg",
         "no output gate": "nog", "no input activation": "niaf", "no output activation": "noaf", "full gate recurrence": "fgr"}
VARIANTS = [Setup(knobs={"task": task, "budget": 64_000}, arms={name: {"cell": cell} for name, cell in CELLS.items()}, gaps=(50,), seeds=15)
            for task in ("recall/past", "temporal_order/6a")]
SETUPS = {"default": tuple(VARIANTS)}


def vanilla_and(setup, runs, name):
    """The arms of the LSTM with peepholes and of a variant."""
    return setup.of(runs, "vanilla", name)
