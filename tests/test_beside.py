"""The table `beside`: experiments of a public collection are valid trials, and our runs are counted as theirs are."""

import pandas as pd
import pytest
import synthetic
from test_ledger import trials

from study import claims
from study.claims import ledger
from study.claims._collection import ASPECTS, COLLECTION
from study.claims._protocols import PROTOCOLS
from study.claims.ledger import _beside, c04, c20
from study.claims.ledger._setup import FIRST
from study.report import claim_table, findings, page
from study.tasks import TASKS
from study.trial.knobs import Trial

SETUPS = {name: setup for _, setup in _beside.COLLECTED for name in setup.arms}


def made(name, **columns):
    """Ten made-up trials of an experiment; the values of each column, one for each."""
    return trials(SETUPS[name], lambda *_: 1000).assign(**columns)


def row(runs, name):
    table = ledger.TABLES["beside"](runs)
    return table.set_index("protocol").loc[name]


def trial(knobs):
    return Trial.model_validate(knobs, context={"tasks": TASKS})


@pytest.mark.parametrize("preset", ["default", "full"])
def test_each_experiment_is_planned_for_ten_new_seeds_and_nothing_else_is_in_its_grid(preset):
    planned = [point.trial.id for point, grids in claims.resolve("ledger", preset).places.items() if _beside.GRID in grids]
    wanted = [trial(theirs.knobs | {"seed": seed, "record": "brief"}).id for theirs in COLLECTION.values() for seed in range(FIRST, FIRST + _beside.SEEDS)]
    assert sorted(planned) == sorted(wanted)


def test_an_experiment_says_what_differs():
    for theirs in COLLECTION.values():
        assert theirs.solved <= theirs.runs and theirs.differs and set(theirs.differs) <= set(ASPECTS)
        assert theirs.score == f"{len(ASPECTS) - len(theirs.differs)} of {len(ASPECTS)} as published"


def test_knobs_that_are_at_their_default_are_left_out():
    for theirs in COLLECTION.values():
        assert trial(theirs.knobs).knobs(always=("task", "gap", "lr")).keys() == {"lr", *theirs.knobs}


def test_runs_that_meet_the_pass_rule_are_counted_with_their_sequences():
    taken = [4000, 5000, 6000, 9000, *[12_000] * 6]
    ours = row(made("embedded-reber", solved=[True] * 4 + [False] * 6, sequences=taken), "embedded-reber")
    assert (ours["runs"], ours["solved"], ours["measure"], ours["mean"], ours["median"]) == (10, 4, "sequences", 6000, 5500)
    assert (ours["their_runs"], ours["their_solved"], ours["their_cost"]) == (10, 10, "mean 4,800, median 4,750 sequences")


def test_guesses_are_counted_where_weights_are_guessed():
    ours = row(made("rs-two-sequence", solved=[True] * 3 + [False] * 7, guesses=[10, 20, 60, *[9999] * 7]), "rs-two-sequence")
    assert (ours["solved"], ours["measure"], ours["mean"], ours["median"]) == (3, "guesses", 30, 20)


def test_losses_are_compared_in_the_units_of_the_collection():
    losses = [0.001, 0.0099, 0.0101, *[0.02] * 6, None]
    runs = made("adding-problem/lstm", test_loss=losses, solved=False)
    ours = row(runs, "adding-problem/lstm")
    assert (ours["runs"], ours["solved"], ours["measure"]) == (10, 2, "test loss")
    assert ours["mean"] == pytest.approx(4 * sum(losses[:-1]) / 9) and ours["median"] == pytest.approx(0.08)
    product = row(made("multiplication-problem", test_loss=[0.029] * 4 + [0.031] * 6, solved=True), "multiplication-problem")
    assert product["solved"] == 4


def test_a_paper_is_beside_the_trials_that_a_claim_ran_with_a_budget_of_its_own():
    name, setup = "multiplication/13/100/linear", c20.MULTIPLICATION[13]
    assert setup.knobs["budget"] != PROTOCOLS[name].knobs["budget"]
    ours = row(trials(setup, lambda *_: 1_000_000), name)
    assert (ours["runs"], ours["solved"], ours["their_cost"]) == (setup.seeds, setup.seeds, "mean 1,273,000 sequences")
    assert ours["command"] == ("python -m study run ledger --preset default --out again --only grid=C20 --only task=multiplication/13 "
                               "--only cell=lstm_hs97 --only gap=100")


@pytest.mark.parametrize("change", [{"seed": 900}, {"lr": 0.5}, {"units": 9}, {"window": None}, {"gap": 1}])
def test_other_trials_are_not_counted(change):
    wanted, other = made("two-sequence-noise"), made("two-sequence-noise").assign(**change)
    assert row(pd.concat([wanted, other]), "two-sequence-noise")["runs"] == len(wanted)


def test_what_nobody_ran_is_not_run_and_stands_beside_its_own_task():
    table = ledger.TABLES["beside"](made("embedded-reber"))
    assert set(table["protocol"]) == set(PROTOCOLS) | set(COLLECTION)
    kinds = [(PROTOCOLS | COLLECTION)[name].knobs["task"].partition("/")[0] for name in table["protocol"]]
    assert len([kind for kind, before in zip(kinds, [None, *kinds]) if kind != before]) == len(set(kinds))
    shown = claim_table.beside(table).set_index("protocol")
    assert shown.loc["reber/3x2/0.5", ["theirs", "ours", "command"]].tolist() == ["30 of 30; mean 8,440 sequences", "not run", ""]
    assert shown.loc["lag_random/rnn", "theirs"] == "0 of ?" and shown.loc["temporal_order/6b/2000", "theirs"] == "not known"
    assert not len(ledger.TABLES["beside"](made("embedded-reber")[:0]))


def test_the_report_shows_it_after_the_table_of_claims(tmp_path, monkeypatch):
    grids = SETUPS["embedded-reber"].grids(_beside.GRID) + c04.QUICK.grids("C4")
    monkeypatch.setattr(findings, "FIGURES", {})
    monkeypatch.setitem(ledger.PRESETS, "default", {"title": "a part", "knobs": {}, "grids": grids})
    synthetic.write(tmp_path, "default", study="ledger")
    found = findings.find(tmp_path)
    before, _, after = page.markdown(found).partition("### Beside the papers and a public collection")
    ours = found.tables["beside"].set_index("protocol").loc["embedded-reber"]
    assert ours["solved"] == found.frame.loc[found.frame["task"] == "reber", "solved"].sum() > 0
    assert "**C4**" in before and f"| {ours['solved']} of 10; mean {ours['mean']:,.0f}" in after and "(tables/beside.csv)" in after
