"""The ledger: each claim's file is complete, finds its own trials, and can come out for and against its claim."""

from dataclasses import replace
from io import StringIO
from types import ModuleType, SimpleNamespace

import pandas as pd
import pytest

from study import claims
from study.claims import ledger
from study.claims.ledger._setup import FIRST
from study.plan.plan import Plan
from study.plan.spec import read
from study.report import claim_table, drawing, tables
from study.report import ledger as ledger_of_page
from study.report.figures import FIGURES
from study.report.page import TEMPLATES
from study.statistics.verdict import NOW, PUBLISHED, settle
from study.tasks import TASKS
from study.trial.knobs import Trial

NORMS = {"lag": [0, 100, 200, 300], "h": [1.0, 1e-3, 1e-6, 1e-9], "direct": [1.0, 1e-2, 1e-4, 1e-6], "f": [1.0, 1e-2, 1e-4, 1e-6]}
CURVED = NORMS | {"h": [1.0, 1e-9, 1e-3, 1e-4], "direct": [1.0, 1e-4, 1e-8, 1e-12]}
PROBE = {"norms": NORMS, "U": {"h": 0.9}, "jacobian": {"lag": [1, 2], "values": [[0.8], [0.6]]}, "lyapunov": [-0.4]}
BEYOND = PROBE | {"norms": CURVED, "lyapunov": [0.4]}
WORDS = {"accuracy": 1.0, "chance": 0.5, "together": {"units": [1, 2], "right": [0.5, 0.5]}, "units": {"unit": [3, 4]}}
DISTRIBUTED = WORDS | {"together": {"units": [1, 16], "right": [1.0, 0.95]}}


def of_setups(preset="default"):
    """The Setups of a preset by claim."""
    return {id: file.SETUPS.get(preset, file.SETUPS["default"]) for id, file in ledger.FILES.items()}


def trials(setup, learns, **columns):
    """Made-up trials of a Setup. learns(arm's name, gap, task): sequences to solve, or None; `columns`: of (name, sequences, gap)."""
    rows = []
    for name in setup.arms:
        for gap in setup.gaps:
            for seed in range(FIRST, FIRST + setup.seeds):
                trial = Trial(**{"lr": 0.003} | setup._knobs(name), gap=gap, seed=seed)
                spent = learns(name, gap, trial.task)
                row = {"id": trial.id, **trial.model_dump(), "init": trial.initialisation, "status": "done", "lr_doubt": "", "search": "",
                       "solved": spent is not None, "sequences": trial.budget if spent is None else spent * (1 + seed % 5 / 50), "test_loss": 0.5 if spent is None else 1e-5}
                rows.append(row | {key: value(name, spent, gap) for key, value in columns.items()})
    return pd.DataFrame(rows)


def sensitive(gap, grows):
    """A probe whose gradient keeps its size, and grows with the gap by the weights, or falls."""
    return {"norms": {"lag": [0, gap], "h": [1.0, 0.5]}, "weights": float(gap if grows else 1 / gap)}


def frame(id, learns, good=True, preset="default"):
    """All made-up trials of a claim; `good`: probes, norms and words are as the claim has them."""
    after = {"single, no name before": [100, 100, 100], "one, other gender before": [100, 100, 100 if good else 60]}
    attractors = {"1 opposite attractors": [100, 60, 60 if good else 99], "1 same attractors": [100, 99, 99 if good else 60]}
    probe = PROBE if good else BEYOND
    columns = {"probe": lambda name, _, gap: sensitive(gap, (name == "minGRU") != good) if id == "C24" else probe,
               "words": lambda *_: WORDS if good else DISTRIBUTED, "test_conditions": lambda *_: after | attractors}
    return pd.concat([trials(setup, learns, **columns) for setup in of_setups(preset)[id]], ignore_index=True).drop_duplicates("id")


def winning(*names):
    """Arms whose names begin so learn everything in 9,000 sequences, the others nothing."""
    return lambda arm, gap, task: 9000 if arm.startswith(names) else None


FOR = {
    "C1": lambda arm, gap, task: 9000 if gap <= {"RNN": 25}.get(arm[:3], 400) and arm != "RNN" else None, "C2": winning("LSTM"),
    "C3": lambda arm, gap, task: 60_000 + 5 * gap,
    "C4": winning("LSTM"), "C5": winning("LSTM, chrono"), "C6": lambda arm, gap, task: None if arm == "forget bias 0" and gap > 25 else 9000,
    "C7": lambda arm, gap, task: 9000 if arm == "forget bias 5" else 40_000,
    "C8": lambda arm, gap, task: 9000 if gap == 0 or arm == "with forget gate" else None,
    "C9": lambda arm, gap, task: 20_000 if arm.startswith(("no forget", "no output")) else 9000,
    "C10": lambda arm, gap, task: 9000 if arm == "with peepholes" or task == "timing/msd" else None, "C11": lambda arm, gap, task: 9000,
    "C12": lambda arm, gap, task: None if arm.startswith("RNN") else 9000, "C13": lambda arm, gap, task: 9000,
    "C14": lambda arm, gap, task: 9000 if "both" in arm or task == "recall/past" else None,
    "C15": lambda arm, gap, task: 0, "C17": lambda arm, gap, task: 0,
    "C18": lambda arm, gap, task: None if arm == "guessed weights" else 1000 if "guessed" in arm else 27_000,
    "C20": lambda arm, gap, task: 1_273_000 if arm.endswith(" 13 wrong") else 482_000 if arm.endswith("140 wrong") else 74_000,
    "C21": lambda arm, gap, task: 9000 if arm.startswith(("clipped", "LSTM, not")) else None, "C22": winning("IRNN"),
    "C23": lambda arm, gap, task: 9000 if gap <= (25 if arm.endswith("standard start") else 400) else None,
    "C24": lambda arm, gap, task: 0,
    "C25": winning("RNN", "LSTM", "sLSTM"), "C26": lambda arm, gap, task: 9000 if arm == "RNN with attention" or gap == 25 else None,
    "C27": winning("grid", "residual"), "C28": lambda arm, gap, task: 9000,
}
"""{claim: (name of an arm, gap, task) -> sequences, or None where it does not learn}, as the claim has it"""


def judged(id, runs):
    return settle(ledger.settled(id, verdict) for verdict in ledger.FILES[id].judge(runs))


@pytest.mark.parametrize("id", FOR)
def test_a_claim_can_hold(id):
    verdicts = judged(id, frame(id, FOR[id]))
    assert verdicts and {verdict.speaks for verdict in verdicts} == {1}


@pytest.mark.parametrize("id", FOR)
def test_a_claim_can_fail(id):
    arms = {name for setup in of_setups()[id] for name in setup.arms}
    wins = FOR[id]

    def reversed_(arm, gap, task):
        """What the claim has learn does not, or late; what it has fail does."""
        return 9000 if wins(arm, gap, task) is None else None

    verdicts = judged(id, frame(id, reversed_, good=False))
    assert arms and not any(verdict.speaks == 1 for verdict in verdicts)


@pytest.mark.parametrize("id", ledger.FILES)
def test_a_claim_is_complete(id):
    claim = ledger.CLAIMS[id]
    assert claim.text and claim.source and claim.rule and claim.power
    for setups in ledger.FILES[id].SETUPS.values():
        assert all((setup.seeds >= 3 or setup.draws) and list(setup.gaps) == sorted(setup.gaps) for setup in setups)
    assert not judged(id, frame(id, lambda *_: 9000)[:0]) if of_setups()[id] else True


def test_records_of_one_kind_are_enough():
    probes = frame("C17", FOR["C17"]).drop(columns=["words", "test_conditions"])
    assert "C17" in {verdict.claim for verdict in ledger.judge(probes, {})}
    assert not ledger.judge(probes[:0], {})


def test_judged_seeds_choose_no_learning_rate():
    for preset in ledger.PRESETS:
        study = read({"name": "ledger", "preset": preset} | ledger.PRESETS[preset], TASKS)
        assert not ledger.mistakes(study) and all(point.trial.seed >= FIRST for point in study.points)


def test_a_setup_finds_its_own_trials_and_no_others():
    setups = [(id, setup) for id, setups in of_setups().items() for setup in setups if not setup.draws]
    everything = pd.concat([trials(setup, lambda *_: 9000) for _, setup in setups], ignore_index=True).drop_duplicates("id")
    for _, setup in setups:
        for name, arm in zip(setup.arms, setup.of(everything, *setup.arms), strict=True):
            own = {row["id"] for row in trials(setup, lambda *_: 9000).to_dict("records")}
            assert set(arm.runs["id"]) <= own and len(arm.runs) == setup.seeds * len(setup.gaps), name
            assert not len(setup.of(everything.assign(budget=17), name)[0].runs)


@pytest.mark.parametrize("far", [0.05, 20.0, None])
def test_nets_whose_gradient_vanishes_or_explodes_tell_nothing_of_sensitivity(far):
    runs = frame("C24", FOR["C24"])
    lost = [probe | {"norms": probe["norms"] | {"h": [1.0, far]}} for probe in runs["probe"]]
    assert len(judged("C24", runs)) == 4 and not judged("C24", runs.assign(probe=lost))
    one = judged("C24", runs.assign(probe=runs["probe"].where(runs["seed"] > FIRST, pd.Series(lost))))
    assert {(verdict.comparison.seeds, verdict.provisional) for verdict in one} == {(21, True)}


def draws(id, sequences):
    """The trials that a claim draws in the preset `default`, as they are recorded; sequences(trial): what they need to learn."""
    study = claims.resolve("ledger", "default")
    drawn = [trial for point, trial in Plan(study, {}).rated if study.searches[point] and id in study.places[point]]
    return pd.DataFrame({"id": trial.id, **trial.model_dump(), "init": trial.initialisation, "status": "done", "lr_doubt": "", "search": id,
                         "solved": True, "sequences": sequences(trial)} for trial in drawn)


@pytest.mark.parametrize("sequences, speaks", [(lambda trial: 9000 + 90_000 * trial.lr, 1), (lambda trial: 9000 + 500 * trial.units, -1)])
def test_the_share_of_a_knob_is_that_of_all_draws(sequences, speaks):
    first, small, *others = judged("C19", draws("C19", sequences))
    assert first.speaks == speaks and small.speaks == 1 and len(others) == 2
    assert {verdict.comparison.seeds for verdict in (first, small, *others)} == {80}


def test_a_doubtful_rate_leaves_an_arm_that_came_out_behind_untuned():
    runs = frame("C4", winning("LSTM"))
    edge = "the best rate, 0.1, is the largest that was tried"
    assert [verdict.outcome for verdict in judged("C4", runs.assign(lr_doubt=edge))][0] == "untuned"
    assert [verdict.doubt for verdict in judged("C4", runs.assign(lr_doubt=edge))][0] == f"RNN, uniform U: gap 50: {edge}"


def test_validate_refuses_files_that_lack_parts_and_seeds_that_chose_rates():
    study = read({"name": "ledger", "preset": "p", "tuning": {}, "grids": [
        {"name": "C1", "axes": {"cell": ["rnn"], "gap": [5], "seed": [3, 7, 8, 100]}}]}, TASKS)
    whole = ledger.FILES["C4"]
    bare = ModuleType("c05")
    bare.CLAIM, bare.SETUPS = replace(whole.CLAIM, source="", power=""), {}
    assert ledger._check.mistakes([("C4", whole), ("C4", bare)], study) == [
        "c05: expected judge", "c05: CLAIM.source: expected a text, got ''", "c05: CLAIM.power: expected a text, got ''",
        "c05: C4 is the claim of c04", "C1: seed: expected seeds that choose no learning rate, which 0 to 7 do, got 3, 7"]
    assert not ledger.mistakes(claims.resolve("ledger", "quick"))


def test_the_report_has_a_line_for_each_claim_and_a_row_for_each_comparison():
    plan = Plan(claims.resolve("ledger", "quick"), {})
    runs = pd.concat([frame(id, FOR[id]) for id in FOR] + [frame("C4", FOR["C4"], preset="quick")], ignore_index=True).drop_duplicates("id")
    settled = ledger.judge(runs, {})
    table = tables.verdicts(settled, "ledger", "quick")
    of_claims = claim_table.ledger(plan, runs, settled, table, ledger)
    assert set(of_claims["claim"]) == set(ledger.CLAIMS) and of_claims.set_index("claim").loc["C4", "trials"] == 12
    by_protocol = of_claims.set_index(["claim", "protocol"])
    assert by_protocol.loc[("C1", PUBLISHED), "outcome"] == "same direction" and by_protocol.loc[("C16", NOW), "sentence"] == "Not run yet."
    assert by_protocol.loc[("C4", NOW), "command"] == "python -m study run ledger --preset quick --out again --only grid=C4"
    commands = of_claims.set_index("claim")["command"]
    assert "--preset default " in commands["C2"].iloc[0] and "--preset full " in commands["C16"]
    planned = ledger_of_page.planned([SimpleNamespace(tables={"ledger": of_claims}, study=plan.study, ablation=ledger), SimpleNamespace(tables={})])
    everything = {(id, protocol) for id, protocols in ledger.PROTOCOLS.items() for protocol in protocols}
    assert {(claim.id, claim.protocol) for claim in planned} == everything - {(verdict.claim, verdict.protocol) for verdict in settled}
    page = TEMPLATES.overlay(autoescape=True).from_string('{% import "parts.html.j2" as parts %}{% include "ledger.html.j2" %}').render(
        ledger=[], planned=planned, overview=ledger_of_page.overview(planned), tally={})
    assert all(page.count(f"<strong>{claim.id}</strong>") > 1 and claim.command in page for claim in planned)
    assert all(f'<a href="#claim-{claim.anchor}">Planned</a>' in page and f'<li id="claim-{claim.anchor}">' in page for claim in planned)
    short = claim_table.short(of_claims)
    assert len(short) == len(ledger.CLAIMS) and list(short[PUBLISHED][short["claim"].str.startswith(("**C4**", "**C18**"))]) == ["–", "same direction"]
    assert list(short[NOW][short["claim"].str.startswith(("**C16**", "**C18**"))]) == ["planned", "–"]
    shown = FIGURES["forest"].data(table)
    assert len(shown) == len(settled) and set(shown["claim"]) == {verdict.claim for verdict in settled}
    inside = shown[shown["speaks"] == 1]
    assert ((inside["from"] < inside["low"]) & (inside["high"] < inside["to"])).all()
    text = drawing.svg(FIGURES["forest"].draw, pd.read_csv(StringIO(shown.to_csv(index=False))))
    assert all(f"{id}  " in text for id in set(shown["claim"])) and not len(FIGURES["forest"].data(table[table["claim"] == "C1"]))
