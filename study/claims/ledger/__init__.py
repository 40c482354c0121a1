"""The ledger: every published claim, each in a file of its own, in one study.

A claim's file has CLAIM, SETUPS ({preset: setups}; a preset that it lacks has those of `default`) and judge(runs), which gets the
trials that are done or diverged and returns Verdicts; `settled` gives them their claim. The claim's name is that of its file.
`_setup.py` says which trials a comparison rests on. All claims share one folder, so trials that two of them need run once.
"""

import importlib
import pkgutil
from dataclasses import replace
from functools import partial

from study.claims.ledger import _beside, _check
from study.claims.ledger._setup import of_preset
from study.records.table import where
from study.statistics.verdict import settle

MODULES = [(f"C{int(file.name[1:])}", importlib.import_module(f"{__name__}.{file.name}"))
           for file in pkgutil.iter_modules(__path__) if not file.name.startswith("_")]
FILES = dict(MODULES)

CLAIM = (
    "Claims about recurrent nets that the literature makes and tutorials repeat. Each is judged on seeds that nobody had looked at, by a "
    "rule that was committed before its trials ran: as practised now (batches, Adam, a learning rate tuned for each arm at each gap), "
    "and, where its paper's protocol is known, as published. There are three exceptions. When C1 and C12 had been tuned and judged, "
    "searches that had ended at an edge of the rates went on: no chosen rate changed, but five comparisons are no longer untuned, four of C1 "
    "and one of C23, of which four speak for their claims. C19, whose judge at first found none of its draws, was mended after these had "
    "run. And when the rule of C2 was written, it was known that no run of adding with a logistic output meets the pass rule."
)
CLAIMS = {id: file.CLAIM for id, file in FILES.items()}
PROTOCOLS = {id: {setup.protocol for setups in file.SETUPS.values() for setup in setups} for id, file in FILES.items()}
"""{claim: the protocols by which it is judged, or is to be}"""
SHOWN = ("half_success", "forest", "tuning", "importance", "ledger", "beside", "verdicts")
"""The figures and tables of its report; the others would draw the arms of all claims together."""
TABLES = {"beside": partial(_beside.table, files=FILES)}
"""{name: function(runs)} of the tables that this study alone has."""


MEASURED = {"probe", "words", "test_conditions"}  # columns that only some kinds of trials have

TUNING = {"extend": 4}  # far enough for nearly all best rates to lie inside; it was 2 until C1 and C12 had been tuned


def _preset(title, setups):
    tuned = any(setup.tuned for _, setup in setups)
    grids = [grid for name, setup in setups for grid in setup.grids(name)]
    return {"title": title, "knobs": {}, "grids": grids} | ({"tuning": TUNING} if tuned else {})


TITLE = "Which published claims about recurrent nets hold?"
PRESETS = {
    "quick": _preset("One published claim", of_preset({"C4": FILES["C4"]}, "quick")),
    "default": _preset(TITLE, of_preset(FILES, "default") + _beside.COLLECTED),
    "full": _preset(TITLE + " The long study", of_preset(FILES, "full") + _beside.COLLECTED),
}
TAKES = {"quick": "under a minute", "default": "about 4 hours", "full": "several days"}
"""Estimates for two cores with AVX2."""


def judge(frame, choices):
    """Verdicts on all claims that the trials bear on, Holm-corrected within each claim and protocol.

    Parameters
    ----------
    frame : DataFrame, one row a trial, as `study.load` gives it.
    choices : not used; the column `lr_doubt` says what is known of a learning rate.
    """
    runs = where(frame.assign(**dict.fromkeys(MEASURED - {*frame})), purpose="train")
    return settle(settled(id, verdict) for id, file in FILES.items() for verdict in file.judge(runs))


def mistakes(study):
    """One line for each mistake in the files of the claims, or in the seeds that a preset's Study judges."""
    return _check.mistakes(MODULES, study)


def settled(id, verdict):
    """The verdict of claim `id`, with the trials that it rests on."""
    return replace(verdict, claim=id, only={"grid": (id,)})
