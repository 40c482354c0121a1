"""Tuning of learning rates, simulated: made-up results drive searches through all stages to their end."""

import itertools
import json
import random
from math import log

import numpy as np
import pytest
import tuned
from tuned import Law

from study.errors import SpecError
from study.plan import subset, toml, tuning
from study.plan.plan import Plan, missing
from study.plan.spec import read
from study.plan.tuning import Tuning, beyond
from study.tasks import TASKS
from study.trial.knobs import Trial
from study.trial.result import Evaluation, Result

RATES = [0.0003, 0.001, 0.003, 0.01, 0.03]


def seeds(outcome):
    return {rate.lr: rate.seeds for rate in outcome.tried}


def doubts(outcomes):
    return {outcome.doubt for outcome in outcomes.values()}


# The search


@pytest.mark.parametrize("best", [0.001, 0.003, 0.01])
def test_the_best_interior_rate_is_found_after_all_rates_on_few_seeds_and_two_on_more(best):
    found = tuned.outcomes(tuned.study(), Law(best * 1.05))
    assert {outcome.lr for outcome in found.values()} == {best} and doubts(found) == {""}
    for outcome in found.values():
        assert sorted(seeds(outcome)) == RATES and sorted(seeds(outcome).values()) == [3, 3, 3, 8, 8] and seeds(outcome)[best] == 8


def test_the_chosen_rate_has_the_smallest_restricted_mean_of_logs_of_the_finalists():
    law, whole = Law(noise=1.5), tuned.study(grids=[{"name": "g", "axes": {"cell": ["rnn", "lstm", "gru"], "gap": list(range(5, 25))}}])
    plan = tuned.plan_of(whole, tuned.driven(whole, law))
    assert len(plan.choices) == 60 and len({outcome.lr for outcome in plan.choices.values()}) > 2
    for key, outcome in plan.choices.items():
        means = {}
        for rate in outcome.tried:
            runs = [law(Trial(**dict(key), lr=rate.lr, seed=seed, purpose="select")) for seed in range(rate.seeds)]
            means[rate.lr] = np.mean([log(run.sequences) for run in runs])
            assert rate.log_sequences == pytest.approx(means[rate.lr], abs=1e-6) and rate.solved == sum(run.solved for run in runs)
            assert rate.loss == pytest.approx(np.median([run.final_loss for run in runs]))
        assert outcome.lr == min((lr for lr, count in seeds(outcome).items() if count == 8), key=means.get)


@pytest.mark.parametrize("best, tried, doubt", [
    (0.0001, [0.00003, 0.0001, *RATES], ""), (0.3, [*RATES, 0.1, 0.3], "its learning rate, 0.3, is the largest that was tried"),
    (0.1, [*RATES, 0.1, 0.3], ""), (1e-6, [0.00003, 0.0001, *RATES], "its learning rate, 3e-05, is the smallest that was tried")])
def test_rates_are_extended_until_the_best_is_interior_or_two_were_added(best, tried, doubt):
    found = tuned.outcomes(tuned.study(), Law(best, least=100, steep=0.5, noise=0.01))
    assert doubts(found) == {doubt}
    assert all(sorted(seeds(outcome)) == tried for outcome in found.values())


def test_finals_that_move_the_best_to_an_end_extend_it_again():
    """On the first three seeds .01 is best, on all eight .03 is."""
    def law(trial):
        needs = {0.01: 100 if trial.seed < 3 else 9000, 0.03: 200, 0.1: 100 if trial.seed > 3 else 201, 0.3: 300}.get(trial.lr, 50_000)
        return Result(solved=True, sequences=needs, final_loss=0.1)

    outcome = tuned.outcomes(tuned.study(), law)[12]
    assert seeds(outcome) == {0.0003: 3, 0.001: 3, 0.003: 3, 0.01: 8, 0.03: 8, 0.1: 3}
    assert outcome.lr == 0.03 and outcome.doubt == ""
    outcome = tuned.outcomes(tuned.study({"extend": 0}), law)[12]
    assert outcome.lr == 0.03 and outcome.doubt.endswith("is the largest that was tried")


def test_a_task_that_no_rate_solves_is_untuned_and_has_the_rate_of_the_smallest_loss():
    found = tuned.outcomes(tuned.study(), Law(0.01, least=1e9))
    assert doubts(found) == {"no learning rate solved the task"} and {outcome.lr for outcome in found.values()} == {0.01}
    assert all(rate.solved == 0 and rate.log_sequences == pytest.approx(log(128_000), abs=1e-6)
               for outcome in found.values() for rate in outcome.tried)


def ranked(runs, tuning_={"rates": [0.001, 0.003], "seeds": 2, "final_seeds": 2, "extend": 0}):
    """The rate chosen by {rate: [Result of each seed]}, at a budget of 100."""
    one = tuned.study(tuning_, knobs={"budget": 100}, grids=[{"name": "g", "axes": {"cell": ["lstm"], "gap": [12]}}])
    return tuned.outcomes(one, lambda trial: runs[trial.lr][trial.seed])[12]


def won(sequences, loss=0.5):
    return Result(solved=True, sequences=sequences, final_loss=loss)


def lost(loss=0.5, **more):
    return Result(solved=False, sequences=100, final_loss=loss, **more)


def test_ties_are_broken_by_solved_seeds_then_by_the_loss_then_by_the_smaller_rate():
    assert ranked({0.001: [won(10), won(90)], 0.003: [won(29), won(31)]}).lr == 0.003  # 899 < 900
    assert ranked({0.001: [won(30), won(30)], 0.003: [won(10), won(90)]}).lr == 0.001
    assert ranked({0.001: [won(100), lost()], 0.003: [won(100), won(100, 0.9)]}).lr == 0.003
    assert ranked({0.001: [won(30, 0.5), won(30, 0.4)], 0.003: [won(30, 0.3), won(30, 0.5)]}).lr == 0.003
    assert ranked({0.001: [won(30), won(30)], 0.003: [won(30), won(30)]}).lr == 0.001


def test_a_diverged_trial_counts_its_budget_and_an_infinite_loss():
    outcome = ranked({0.001: [lost(9.0), lost(9.0)], 0.003: [lost(0.1, diverged_at=7), lost(0.1, diverged_at=7)]})
    assert outcome.lr == 0.001 and [rate.loss for rate in outcome.tried] == [9.0, None]
    assert [rate.log_sequences for rate in outcome.tried] == [pytest.approx(log(100), abs=1e-6)] * 2
    assert ranked({0.001: [lost(), won(99)], 0.003: [won(1), lost(diverged_at=3)]}).lr == 0.003


def test_a_task_without_a_pass_rule_is_tuned_by_its_test_loss_alone():
    def run(test, final, **more):
        return Result(sequences=100, final_loss=final, test=None if more else Evaluation(9, 9, test), **more)

    outcome = ranked({0.001: [run(0.2, 0.1)] * 2, 0.003: [run(0.1, 0.9)] * 2})
    assert outcome.lr == 0.003 and [(rate.solved, rate.log_sequences, rate.loss) for rate in outcome.tried] == [(None, None, 0.2), (None, None, 0.1)]
    assert outcome.doubt == "its learning rate, 0.003, is the largest that was tried"
    assert ranked({0.001: [run(0.2, 0.1)] * 2, 0.003: [run(None, 0.1, diverged_at=3)] * 2}).lr == 0.001


@pytest.mark.parametrize("law", [Law(noise=1.0), Law(0.0001, noise=0.5, steep=1.0), Law(0.01, least=1e5, noise=1.0), Law(0.3, largest=0.2)])
def test_a_search_that_is_killed_after_any_record_ends_with_the_same_records(law):
    whole = tuned.study()
    undisturbed = tuned.driven(whole, law)
    end = tuned.plan_of(whole, undisturbed)
    assert {trial.id for trial in end.choosing} == set(undisturbed) and not end.ahead
    recorded = list(tuned.driven(whole, law, shuffle=random.Random(1).shuffle).items())
    assert dict(recorded) == undisturbed
    for count in range(len(recorded)):
        begun = dict(recorded[:count])
        plan = tuned.plan_of(whole, begun)
        assert {trial.id for trial in plan.choosing} <= set(undisturbed)
        assert plan.bounds[0] <= len(undisturbed) <= plan.bounds[1]
        assert bool(missing(plan.choosing, tuned.contents(begun))) == (len(plan.choices) < 2) == bool(plan.waiting)
    for count in range(0, len(recorded), 7):
        again = tuned.driven(whole, law, recorded[:count], shuffle=random.Random(count).shuffle)
        assert again == undisturbed and tuned.plan_of(whole, again).choices == end.choices


def test_a_search_whose_first_rates_have_an_interior_best_takes_the_fewest_trials():
    whole = tuned.study()
    fewest, most = Plan(whole, {}).bounds
    assert (fewest, most) == (2 * (5 * 3 + 2 * 5), 2 * (9 * 3 + 6 * 5)) and len(tuned.driven(whole, Law())) == fewest


@pytest.mark.parametrize("rate, below, above", [
    (0.03, 0.01, 0.1), (0.1, 0.03, 0.3), (0.002, 0.001, 0.003), (1.0, 0.3, 3.0), (1e-9, 3e-10, 3e-9), (0.001, 0.0003, 0.003), (999.0, 300.0, 1000.0)])
def test_the_series_goes_on_in_half_decades(rate, below, above):
    assert (beyond(rate, min), beyond(rate, max)) == (below, above)


# Keys and plans


def test_a_key_is_an_arm_at_a_gap_and_its_trials_differ_from_those_that_are_judged():
    axes = {"cell": ["rnn", "lstm"], "gap": [12, 25], "units": [16, 32], "init": ["long"]}
    whole = tuned.study(grids=[{"name": "g", "seeds": 20, "axes": axes}, {"name": "rated", "axes": {"cell": ["gru"], "gap": [12], "lr": [0.1]}}])
    plan = Plan(whole, {})
    assert len(plan.rate_keys) == 8 and len(plan.training) == 1 and len(plan.waiting) == 160
    assert [(trial.lr, trial.seed) for trial in plan.selecting[plan.rate_keys[0]]] == list(itertools.product(RATES, range(3)))
    assert {trial.purpose for trial in plan.choosing} == {"select"} and {trial.horizon for trial in plan.choosing} == {None, 25}
    law = Law(noise=1)
    rated = tuned.plan_of(whole, tuned.driven(whole, law))
    assert len(rated.training) == 161 and not rated.waiting
    for point, trial in zip(rated.points, rated.training, strict=True):
        assert point.rate_key is None or trial.lr == rated.choices[point.rate_key].lr
    assert not {trial.id for trial in rated.training} & {trial.id for trial in rated.choosing}


def test_a_net_that_is_probed_is_tuned_as_one_that_learns_as_long():
    axes = {"cell": ["lstm"], "gap": [12]}
    grids = [{"name": "probed", "axes": axes | {"method": ["probe"], "after": [0, 960]}},
             {"name": "trained", "axes": axes | {"budget": [960], "test_gap": [1, 2]}}]
    plan = Plan(tuned.study(grids=grids), {})
    assert len(plan.rate_keys) == 1 and len(plan.training) == 1 and len(plan.waiting) == 3  # a fresh net needs no rate
    assert {(trial.method, trial.budget, trial.test_gap) for trial in plan.choosing} == {("bptt", 960, 1)}


def test_a_part_of_a_study_tunes_its_own_keys_as_the_whole_does():
    whole = tuned.study()
    part = Plan.from_records(whole, tuned.contents({}), subset.parse(["gap=12"], 1, whole))
    assert {trial.gap for trial in part.choosing} == {12} and len(part.choosing) == 15
    results = tuned.driven(whole, Law())
    assert "lr=0.5: the plan has 3e-05, 0.0001" in str(pytest.raises(SpecError, subset.parse, ["lr=0.5"], None, whole).value)
    rated = Plan.from_records(whole, tuned.contents(results), subset.parse(["lr=0.003", "gap=12"], 1, whole))
    assert [(trial.lr, trial.gap, trial.seed) for trial in rated.training] == [(0.003, 12, 0)]


def test_a_failed_trial_leaves_its_key_waiting():
    whole = tuned.study()
    results = tuned.driven(whole, Law())
    failed = next(id for id in results if "gap12" in id)
    plan = Plan.from_records(whole, tuned.contents({id: result for id, result in results.items() if id != failed}))
    assert {trial.gap for trial in plan.waiting} == {12} and {trial.gap for trial in plan.training} == {25}


def test_a_plan_says_what_was_chosen_for_each_trial():
    whole = tuned.study()
    plan = tuned.plan_of(whole, tuned.driven(whole, Law(0.01, least=1e9)))
    assert plan.rates == {trial.id: (0.01, "no learning rate solved the task") for trial in plan.trials}


# Files


def test_a_table_reads_back(tmp_path):
    whole = tuned.study(grids=[{"name": "g", "axes": {"cell": ["lstm", "rnn"], "gap": [12], "init": ["long"], "clip": [1.0, 2.0]}}])
    outcomes = tuned.plan_of(whole, tuned.driven(whole, Law(noise=1, largest=0.02))).choices
    (tmp_path / "tuning.json").write_text(tuning.dumps(outcomes))
    assert tuning.read(tmp_path / "tuning.json") == outcomes and len(outcomes) == 4
    assert list(json.loads(tuning.dumps(outcomes))["outcomes"][0]) == ["knobs", "lr", "doubt", "tried"]


@pytest.mark.parametrize("old, new, says", [
    ('"schema": 1', '"schema": 2', "written by a newer version"), ('"lr"', '"rl"', "0.lr: Field required"), ('"solved": 3', '"solved": "3"', "solved"),
    ('"outcomes"', '"outcome"', "outcomes"), ('"lr": 0.003', '"lr": 0.004', "tried"), ('"cell": "lstm"', '"cell": "lsmt"', "cell"), ('"gap": 12', '"gap": 1.5', "gap"), ("{", "[", "not a table")])
def test_a_damaged_or_newer_table_is_refused_by_name(tmp_path, old, new, says):
    whole, path = tuned.study(), tmp_path / "tuning.json"
    text = tuning.dumps(tuned.plan_of(whole, tuned.driven(whole, Law())).choices)
    assert old in text
    path.write_text(text.replace(old, new, 1) if old in ("{", '"lr": 0.003') else text.replace(old, new))
    with pytest.raises(SpecError, match=says) as refusal:
        tuning.read(path)
    assert str(refusal.value).startswith(f"{path}: ") and "\n" not in str(refusal.value)


def test_a_study_file_keeps_its_tuning(tmp_path):
    whole = tuned.study({"rates": [0.01, 0.1], "extend": 1})
    (tmp_path / "plan.toml").write_text(toml.dumps(whole))
    again = toml.load(tmp_path / "plan.toml", TASKS)
    assert again.tuning == whole.tuning and again.points == whole.points and toml.dumps(again) == toml.dumps(whole)
    assert read({"name": "s", "grids": tuned.GRIDS, "tuning": {}}).tuning == Tuning()
    assert whole.with_seeds(5).tuning == whole.tuning and whole.with_seeds(5).rate_keys == whole.rate_keys


@pytest.mark.parametrize("table, says", [
    ({"rates": [0.01, 0.001]}, "tuning.rates: expected ascending rates, each once, got 0.01 before 0.001"),
    ({"rates": [0.01, 0.01]}, "tuning.rates: expected ascending rates"), ({"rates": []}, "tuning.rates: "), ({"rates": [-1.0]}, "tuning.rates.0: "),
    ({"rates": [1e6]}, "tuning.rates.0: "), ({"rates": [float("nan")]}, "tuning.rates.0: "),
    ({"finalists": 6}, "tuning.finalists: expected at most the number of rates, 5, got 6"), ({"rates": [0.1]}, "tuning.finalists: "),
    ({"finalists": 0}, "tuning.finalists: "), ({"final_seeds": 2}, "tuning.final_seeds: expected at least the number of seeds of the first stage, 3, got 2"),
    ({"seeds": 9}, "tuning.final_seeds: "), ({"extend": -1}, "tuning.extend: "), ({"extend": 11}, "tuning.extend: "), ({"seeds": 0}, "tuning.seeds: "),
    ({"sedes": 3}, "tuning.sedes: unknown key 'sedes'; did you mean 'seeds'?"),
    ({"seeds": 1000, "final_seeds": 1000, "rates": [0.001 * k for k in range(1, 101)]}, "tuning: 208,000 trials to choose 2 learning rates; at most 100,000")])
def test_a_wrong_tuning_is_refused_with_the_path_of_its_key(table, says):
    assert any(line.startswith(says) for line in str(pytest.raises(SpecError, tuned.study, table).value).splitlines())


def test_tuning_and_selection_exclude_each_other_and_need_something_to_choose():
    selection = {"rates": [0.1], "seeds": 1, "gap": {"recall/past": 12}}
    with pytest.raises(SpecError, match="^tuning: expected either tuning or selection, got both$"):
        tuned.study(selection=selection)
    assert tuned.study().idle() == []
    for name, given in (("tuning", {"tuning": {}}), ("selection", {"selection": selection})):
        line, = read({"name": "s", "grids": tuned.GRIDS, "knobs": {"lr": 0.1}} | given).idle()
        assert line.startswith(f"{name}: every trial that learns has an lr")
