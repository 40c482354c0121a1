"""Comparing two folders: trials in one only, numbers that differ and by how much, and exit codes."""

import json
import shutil

import pytest
import toy

from study.records import compare, store
from study.records.compare import differences, words


def fill(folder, trials, change=lambda result: {}):
    with store.Driver(folder, {}) as driver:
        for trial in trials:
            driver.record(trial, toy.outcome(trial, **change(toy.work(trial))))
    store.compact(folder)
    return folder


@pytest.mark.parametrize("other, says", [
    ({"a": [1, 2.5], "b": {"c": True}}, "a.2: only a"),
    ({"a": [1, 2.5, None]}, "b: only a"),
    ({"a": [1, 2.5, None], "b": {"c": True}, "d": 1}, "d: only b"),
    ({"a": [1, 2.5, None], "b": {"c": 1}}, "b.c: a true, b 1"),
    ({"a": [1, 2.5, 0], "b": {"c": True}}, "a.2: a null, b 0"),
    ({"a": [1.0, 2.5, None], "b": {"c": True}}, "a.0: a 1, b 1.0"),
    ({"a": [1, 2.25, None], "b": {"c": True}}, "a.1: a 2.5, b 2.25 (-0.25)"),
    ({"a": {}, "b": {"c": True}}, "a: a [1, 2.5, null], b {}"),
])
def test_a_difference_is_named_with_its_place_and_size(other, says):
    first = {"a": [1, 2.5, None], "b": {"c": True}}
    assert [words(difference) for difference in differences(first, other)] == [says]
    assert not list(differences(first, json.loads(json.dumps(first))))


def test_numbers_that_differ_in_one_bit_differ():
    places = list(differences({"x": [0.1, 0.0, 3]}, {"x": [0.1 + 2**-56, -0.0, 3]}))
    assert [one["at"] for one in places] == ["x.0", "x.1"]
    assert places[0]["by"] == 2**-56


def test_order_and_folder_make_no_difference(tmp_path, call):
    trials = toy.trials(5)
    a, b = fill(tmp_path / "a", trials), fill(tmp_path / "b", trials[::-1])
    code, out, _ = call("compare", a, b)
    assert code == 0 and "same: 5" in out and "differ" not in out and "only" not in out
    assert call("compare", a, b / "runs.jsonl")[0] == 0


def test_differences_are_printed_as_text_and_as_json(tmp_path, call):
    def change(result):
        return {"sequences": 1012, "final_loss": 2 * result.final_loss} if result.sequences == 1002 else {}

    trials = toy.trials(6)
    a, b = fill(tmp_path / "a", trials[:5]), fill(tmp_path / "b", trials[1:], change)
    code, out, _ = call("compare", a, b)
    assert code == 1
    assert f"only in a: 1\n  {trials[0].id}" in out and f"only in b: 1\n  {trials[5].id}" in out and "same: 3" in out
    assert f"differ: 1\n  {trials[2].id}\n    result.sequences: a 1002, b 1012 (+10)\n    result.final_loss: " in out
    code, out, _ = call("compare", a, b, "--json")
    data = json.loads(out)
    assert code == 1 and data["only_a"] == [trials[0].id] and data["only_b"] == [trials[5].id] and data["same"] == 3
    places = data["differ"][trials[2].id]
    assert places[0] == {"at": "result.sequences", "a": 1002, "b": 1012, "by": 10}
    assert places[1]["by"] == places[1]["b"] - places[1]["a"] == toy.number(trials[2])


def test_trials_from_before_a_change_of_numerics_are_matched_by_their_knobs(tmp_path, monkeypatch):
    from study.trial import knobs

    before = fill(tmp_path / "before", toy.trials(2))
    monkeypatch.setattr(knobs, "NUMERICS", knobs.NUMERICS + 1)
    after = fill(tmp_path / "after", toy.trials(2))
    comparison = compare.compare(store.read(before), store.read(after))
    assert not comparison["only_a"] and not comparison["only_b"]
    assert all(places[0]["at"] == "id" for places in comparison["differ"].values()) and len(comparison["differ"]) == 2


def test_a_long_list_is_shortened_as_text_and_whole_as_json(tmp_path, call):
    a, b = fill(tmp_path / "a", toy.trials(40)), fill(tmp_path / "b", toy.trials(1))
    assert "and 27 more trials; --json names all" in call("compare", a, b)[1]
    assert len(json.loads(call("compare", a, b, "--json")[1])["only_a"]) == 39


def test_nothing_to_compare_is_a_mistake_and_damage_is_named(tmp_path, call):
    a = fill(tmp_path / "a", toy.trials(2))
    code, _, err = call("compare", a, tmp_path / "nowhere")
    assert code == 2 and "nowhere: no records" in err
    shutil.copytree(a, tmp_path / "b")
    with open(tmp_path / "b" / "runs.jsonl", "ab") as file:
        file.write(b"torn")
    code, out, err = call("compare", a, tmp_path / "b")
    assert code == 0 and "runs.jsonl:3" in err and "same: 2" in out
