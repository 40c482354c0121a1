"""The attention ablation: every outcome from made-up trials, and its figures."""

import pandas as pd
import pytest

from study.claims import attention
from study.report import tables, trials
from study.report.figures import FIGURES
from study.statistics.verdict import CONTRADICTED, INCONCLUSIVE, REPRODUCED
from study.trial.knobs import Trial

GAPS = (12, 25, 50, 100)


def arm(cell, head, reached, **knobs):
    """Trials of an arm whose seeds each solve up to `reached`."""
    rows = [Trial(cell=cell, head=head, gap=gap, seed=seed, lr=0.01, budget=64_000).model_dump()
            | {"solved": gap <= most, "sequences": 9000 if gap <= most else 64_000, "status": "done"} | knobs
            for seed, most in enumerate(reached) for gap in GAPS]
    return pd.DataFrame(rows)


def judged(without, seeing, cell="rnn", **knobs):
    """(outcome on critical gaps, outcome on the largest gap)"""
    frame = pd.concat([arm(cell, "last", without, **knobs), arm(cell, "attention", seeing, **knobs)], ignore_index=True)
    verdicts = attention.judge(frame)
    assert {verdict.claim for verdict in verdicts} <= set(attention.CLAIMS)
    return tuple(verdict.outcome for verdict in verdicts)


@pytest.mark.parametrize("cell", attention.CELLS)
@pytest.mark.parametrize("without, seeing, outcomes", [
    ([12] * 8, [100] * 8, (REPRODUCED, REPRODUCED)),
    ([100] * 8, [12] * 8, (CONTRADICTED, CONTRADICTED)),
    ([12] * 8, [50] * 8, (REPRODUCED, CONTRADICTED)),
    ([25] * 8, [25] * 8, (INCONCLUSIVE, CONTRADICTED)),
    ([100] * 8, [100] * 8, (INCONCLUSIVE, CONTRADICTED)),
    ([12] * 8, [100] * 6 + [50] * 2, (REPRODUCED, INCONCLUSIVE)),
    ([12] * 3, [100] * 3, (INCONCLUSIVE, INCONCLUSIVE)),
])
def test_c26(cell, without, seeing, outcomes):
    assert judged(without, seeing, cell) == outcomes


def test_trials_of_another_kind_give_no_verdict():
    for knobs in ({"task": "recall/both"}, {"init": "long"}, {"direction": "both"}, {"purpose": "select"}, {"method": "guess"}):
        assert judged([12] * 8, [100] * 8, **knobs) == ()
    assert attention.judge(arm("rnn", "last", [12] * 8)) == []


def test_a_verdict_names_the_command_that_repeats_it():
    verdict = attention.judge(pd.concat([arm("rnn", head, [12] * 8) for head in attention.HEADS], ignore_index=True))[1]
    assert verdict.command("attention", "default") == (
        "python -m study run attention --preset default --out again --only cell=rnn --only init=standard --only gap=100")


def test_reports_tell_heads_apart(looking_frame):
    table = tables.success(looking_frame)
    assert set(table["head"]) == {"last", "attention"} and table["trials"].max() == attention.PLANNED
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
