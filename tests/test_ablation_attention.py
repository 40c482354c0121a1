"""The attention ablation: every outcome from made-up trials, and its figures."""

import pandas as pd
import pytest

from study.claims import attention
from study.report import tables, trials
from study.report.figures import FIGURES
from study.statistics.verdict import CEILING, FLOOR, INCONCLUSIVE, SAME, UNTUNED
from study.trial.knobs import Trial

GAPS = (12, 25, 50, 100)
CHOICES = {("recall/past", cell, "standard"): {"lr": 0.003, "edge": False, "candidates": [{"lr": 0.003, "solved": 3}]}
           for cell in attention.CELLS}


def arm(cell, head, reached, cost=9000, **knobs):
    """Trials of an arm whose seeds each solve up to `reached`, in `cost` sequences, give or take a tenth."""
    rows = [Trial(cell=cell, head=head, gap=gap, seed=seed, lr=0.01, budget=64_000).model_dump()
            | {"solved": gap <= most, "sequences": cost * (1 + seed % 3 / 10) if gap <= most else 64_000, "status": "done"} | knobs
            for seed, most in enumerate(reached) for gap in GAPS]
    return pd.DataFrame(rows)


def judged(without, seeing, cell="rnn", choices=CHOICES, **knobs):
    """(outcome at the largest gap, outcome on its cost)"""
    frame = pd.concat([arm(cell, "last", without, **knobs), arm(cell, "attention", seeing, **knobs)], ignore_index=True)
    verdicts = attention.judge(frame, choices)
    assert {verdict.claim for verdict in verdicts} <= set(attention.CLAIMS)
    return tuple(verdict.outcome for verdict in verdicts)


@pytest.mark.parametrize("cell", attention.CELLS)
@pytest.mark.parametrize("without, seeing, outcomes", [
    ([12] * 10, [100] * 10, (SAME, SAME)),
    ([12] * 10, [100] * 8 + [50] * 2, (SAME, UNTUNED)),
    ([100] * 10, [12] * 10, (UNTUNED, UNTUNED)),
    ([25] * 10, [25] * 10, (FLOOR, UNTUNED)),
    ([0] * 10, [0] * 10, (FLOOR, FLOOR)),
    ([12] * 10, [100] * 7 + [0] * 3, (SAME, UNTUNED)),
    ([100] * 10, [100] * 10, (CEILING, SAME)),
    ([12] * 3, [100] * 3, (UNTUNED, SAME)),
])
def test_c26(cell, without, seeing, outcomes):
    assert judged(without, seeing, cell) == outcomes


def test_a_doubtful_rate_without_attention_leaves_the_largest_gap_untuned():
    doubtful = {key: choice | {"edge": True} for key, choice in CHOICES.items()}
    assert judged([12] * 10, [100] * 10, choices=doubtful) == (UNTUNED, SAME)
    assert INCONCLUSIVE not in judged([12] * 10, [100] * 10, choices={})


def test_trials_of_another_kind_give_no_verdict():
    for knobs in ({"task": "recall/both"}, {"init": "long"}, {"direction": "both"}, {"purpose": "select"}, {"method": "guess"}):
        assert judged([12] * 8, [100] * 8, **knobs) == ()
    assert attention.judge(arm("rnn", "last", [12] * 8), CHOICES) == []


def test_a_verdict_names_the_command_that_repeats_it():
    frame = pd.concat([arm("rnn", head, [12] * 8) for head in attention.HEADS], ignore_index=True)
    assert attention.judge(frame, CHOICES)[0].command("attention", "default") == (
        "python -m study run attention --preset default --out again --only cell=rnn --only init=standard --only gap=100")


def test_reports_tell_heads_apart(looking_frame):
    table = tables.success(looking_frame)
    assert set(table["head"]) == {"last", "attention"} and table["trials"].max() == len(attention.SEEDS)
    assert set(trials.forward(looking_frame)["head"]) == {"last"} and trials.pooled(looking_frame) == ""
    assert "head" not in tables.success(trials.forward(looking_frame))
    shown = FIGURES["heads"].data(looking_frame)
    assert len(shown) == 2 * len(attention.CELLS) * len(GAPS) and not len(FIGURES["heads"].data(trials.forward(looking_frame)))


def test_the_figure_shows_the_largest_gap_that_a_net_solved(looking_frame):
    data = FIGURES["attention"].data(looking_frame)
    for cell, shown in data.groupby("cell"):
        solved = looking_frame[(looking_frame["cell"] == cell) & (looking_frame["head"] == "attention") & looking_frame["solved"].eq(True)]
        assert set(shown["gap"]) == {solved["gap"].max()} and len(set(shown["seed"])) == 1
        assert (shown.groupby("answer")["weight"].sum() - 1).abs().max() < 1e-9
