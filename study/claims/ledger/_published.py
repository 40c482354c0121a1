"""Claims as they were published: setups by the papers' protocols, and verdicts on how many runs solve the task."""

from dataclasses import replace

import numpy as np

from study.claims._protocols import PROTOCOLS
from study.claims.ledger._setup import Setup
from study.statistics.arms import all_nets


def published(arm, name, seeds, **knobs):
    """The Setup of a published protocol, with one arm; `knobs` differ from it."""
    protocol = PROTOCOLS[name]
    own = protocol.knobs | knobs
    changed = {"budget" if knob == "budget" else "optimiser": f"{knob} {value:g} here" for knob, value in knobs.items()}
    fidelity = tuple((aspect, changed.get(aspect, how)) for aspect, how in protocol.fidelity)
    return Setup({knob: value for knob, value in own.items() if knob != "gap"}, {arm: {}}, (own["gap"],), seeds, fidelity)


def every_run_solves(setup, runs, name):
    """Verdict: all runs of a Setup solve the task, as protocol `name` was published, with the sequences of both.

    It says that at least half do; the number of runs tells no more.
    """
    (arm,), paper = setup.of(runs), PROTOCOLS[name]
    solved = arm.runs["solved"].eq(True)
    comparison = all_nets("share of runs that solve it", list(solved))
    if comparison:
        middle = np.median(np.where(solved, arm.runs["counted"].astype(float), np.inf))
        ours = f"median {middle:,.0f} sequences" if np.isfinite(middle) else "less than half solve it"
        comparison = replace(comparison, beside=f"{ours}; paper {paper.solved} of {paper.runs}, mean {paper.sequences:,}")
    return setup.verdict(f"{arm.name}: every run solves it", comparison)
