"""The ablation `language`: every outcome from made-up trials, its table and its figure."""

import pandas as pd
import pytest

from study.claims import language, resolve
from study.report import tables
from study.report.figures import FIGURES
from study.statistics.verdict import FLOOR, INCONCLUSIVE, OPPOSITE, SAME
from study.tasks import TASKS
from study.trial.knobs import Trial

PAIRS = 200


def nets(task, cell, wrong, gaps=language.GAPS):
    """Nets of each gap and seed; `wrong`: (gap, seed) -> {end of a condition's name: wrong pairs of PAIRS, else 0}"""
    rows = []
    for gap in gaps:
        for seed in language.SEEDS:
            counts = wrong(gap, seed)
            tested = {name: [PAIRS, PAIRS - n, PAIRS - n] for name in TASKS[task].conditions
                      for n in [next((n for end, n in counts.items() if name.endswith(end)), 0)]}
            solved = not any(counts.values())
            knobs = Trial(task=task, cell=cell, gap=gap, seed=seed, lr=0.01, init="long", horizon=40, budget=64_000).model_dump()
            rows.append(knobs | {"solved": solved, "sequences": 9000 if solved else 64_000, "drawn": "", "status": "done",
                                 "test_conditions": tested})
    return pd.DataFrame(rows)


def outcomes(*frames):
    """{(claim, statement): outcome}"""
    verdicts = language.judge(pd.concat(frames, ignore_index=True), {})
    assert {verdict.claim for verdict in verdicts} <= set(language.CLAIMS)
    return {(verdict.claim, verdict.statement): verdict.outcome for verdict in verdicts}


def up_to(reach):
    return lambda gap, seed: {"": 100 if gap > reach else 0}


def test_a_verdict_on_chosen_nets_is_provisional_only_while_nets_are_missing():
    """Ten of twenty nets know the single name; then a seed is missing."""
    whole = nets("language/gender", "gru", lambda gap, seed: {"": 0 if gap > 10 else 150})
    for runs, seeds, provisional in ((whole, 10, False), (whole[whole["seed"] > whole["seed"].min()], 8, True)):
        found = [verdict for verdict in language.judge(runs, {}) if verdict.claim == "L4"]
        assert [(verdict.comparison.seeds, verdict.provisional) for verdict in found] == [(seeds, provisional)]


@pytest.mark.parametrize("lstm, rnn, outcome", [(40, 5, SAME), (5, 40, OPPOSITE), (20, 20, INCONCLUSIVE), (0, 0, FLOOR)])
def test_l1_who_keeps_the_word_longer(lstm, rnn, outcome):
    found = outcomes(nets("language/number/0", "lstm", up_to(lstm)), nets("language/number/0", "rnn", up_to(rnn)))
    assert found == {("L1", "the LSTM keeps the number over more words than the tanh RNN"): outcome}


@pytest.mark.parametrize("wrong, outcome", [(0, SAME), (2, SAME), (3, OPPOSITE)])
def test_l2_every_net_knows_the_near_word(wrong, outcome):
    found = outcomes(nets("language/country", "gru", lambda gap, seed: {"near": wrong, "": 50}))
    assert found[("L2", "GRU: the near word is right")] == outcome


@pytest.mark.parametrize("opposite, same, outcome", [(30, 10, SAME), (10, 30, OPPOSITE), (0, 0, None), (100, 100, None)])
def test_l3_errors_by_the_number_of_attractors(opposite, same, outcome):
    wrong = {"opposite attractors": opposite, "same attractors": same}
    found = outcomes(nets("language/number/2", "lstm", lambda gap, seed: wrong, language.WIDE))
    assert found.get(("L3", "LSTM: attractors of the other number raise the error")) == outcome


@pytest.mark.parametrize("other, single, outcome", [(4, 2, SAME), (60, 2, OPPOSITE), (100, 100, None)])
def test_l4_errors_after_a_name_of_the_other_gender(other, single, outcome):
    wrong = {"other gender before": other, "no name before": single}
    found = outcomes(nets("language/gender", "lstm", lambda gap, seed: wrong))
    assert found.get(("L4", "LSTM: after a name of the other gender the pronoun is wrong no more often than after one name")) == outcome


def test_its_default_preset_has_every_version_where_attractors_fit():
    points = [point.trial for point in resolve("language").points]
    assert {trial.task for trial in points} == {name for name in TASKS if name.startswith("language/")}
    assert len(points) == 5 * 5 * (4 * 4 + 2 * 3) and {trial.horizon for trial in points} <= {40, None}


def test_table_and_figure_tell_conditions_apart():
    wrong = {"opposite attractors": 50, "same attractors": 10}
    frame = pd.concat([nets("language/number/1", cell, lambda gap, seed: wrong) for cell in ("rnn", "lstm")], ignore_index=True)
    table = tables.conditions(frame)
    assert set(table["condition"]) == set(TASKS["language/number/1"].conditions) and set(table["pairs"]) == {5 * PAIRS}
    shares = table.groupby(table["condition"].str.partition(", ")[2])["right_mean"].unique()
    assert {kind: list(share) for kind, share in shares.items()} == {"opposite attractors": [0.75], "same attractors": [0.95]}
    shown = FIGURES["language"].data(frame)
    assert len(shown) == 2 * 2 * 4 and set(shown["seeds"]) == {5} and set(shown["right"]) == {0.75, 0.95}
    assert not len(FIGURES["language"].data(frame.drop(columns="test_conditions"))) and not len(tables.conditions(frame[:0]))
