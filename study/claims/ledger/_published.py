"""Claims as they were published: setups by the papers' protocols, and verdicts on how many runs solve the task."""

from dataclasses import replace

import numpy as np

from study.claims._protocols import PROTOCOLS
from study.claims.ledger._setup import Setup
from study.statistics.arms import all_nets
from study.statistics.verdict import PUBLISHED


def published(arms, seeds, **knobs):
    """The Setup of published protocols at one gap, `arms` {name of an arm: name of its protocol}; `knobs` differ from all of them."""
    own = {arm: PROTOCOLS[name].knobs | knobs for arm, name in arms.items()}
    gap, = {of_arm["gap"] for of_arm in own.values()}
    return Setup({}, {arm: {knob: value for knob, value in of_arm.items() if knob != "gap"} for arm, of_arm in own.items()}, (gap,), seeds,
                 PUBLISHED)


def every_run_solves(setup, runs, arm, name):
    """Verdict: all runs of an arm solve the task, as its protocol `name` was published, with the mean of sequences of both."""
    trials, paper = setup.of(runs, arm)[0].runs, PROTOCOLS[name]
    solved = list(trials["solved"].eq(True))
    comparison = all_nets("share of runs that solve it", solved)
    if any(solved):
        mean = np.mean(trials["sequences"][trials["solved"].eq(True)].astype(float))
        comparison = replace(comparison, beside=f"mean of those that do {mean:,.0f} sequences; paper {paper.solved} of {paper.runs}, {paper.sequences:,}")
    return setup.verdict(f"{arm}: every run solves it", comparison)
