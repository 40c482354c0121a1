"""The driver and machine of a record are kept beside the records, as long as their folder exists."""

import shutil

import pytest
import toy

import study
from study.records import machine, store
from study.records.provenance import COLUMNS, Provenance, line

FACTS = {"processor": {"name": "toy"}, "kernels": {"isa": "avx2", "numerics": 1, "compiler": "12", "flags": "-O3"},
         "commit": {"name": "0123456789abcdef", "clean": False}, "versions": {"python": "3.11.7", "numpy": "2.0"}}


def fill(folder, trials, facts):
    with store.Driver(folder, facts) as driver:
        for trial in trials:
            driver.record(trial, toy.outcome(trial, seconds=0.25, host=f"node{trial.seed % 2}"))
    return driver.name


def test_each_record_has_its_driver_and_host(tmp_path):
    trials = toy.trials(4)
    first = fill(tmp_path, trials[:2], FACTS)
    second = fill(tmp_path, trials[2:], FACTS | {"hosts": {"node1": FACTS | {"kernels": {"isa": "generic"}}}})
    store.compact(tmp_path)
    shutil.rmtree(tmp_path / "segments")
    provenance = Provenance(tmp_path, store.read(tmp_path))
    rows = [provenance.row(trial.id) for trial in trials]
    assert [row["driver"] for row in rows] == [first, first, second, second]
    assert [row["host"] for row in rows] == ["node0", "node1", "node0", "node1"]
    assert [row["isa"] for row in rows] == ["avx2", "avx2", None, "generic"]  # of the second's node0 nobody said
    assert all(row["seconds"] == 0.25 for row in rows) and [row["clean"] for row in rows] == [False, False, None, False]
    assert len(provenance.makers()) == 1 and "commit 0123456789ab with changes" in provenance.makers()[0]


def test_the_only_driver_of_a_folder_made_all_of_it(tmp_path):
    """As in folders that were written before `runs.log` existed."""
    (trial,) = toy.trials(1)
    name = fill(tmp_path, [trial], FACTS)
    store.compact(tmp_path)
    shutil.rmtree(tmp_path / "segments")
    (tmp_path / "runs.log").unlink()
    provenance = Provenance(tmp_path, store.read(tmp_path))
    assert provenance.row(trial.id)["driver"] == name and provenance.row(trial.id)["processor"] == "toy"
    assert provenance.row(trial.id)["seconds"] is None


def test_unknown_facts_are_none():
    provenance = Provenance("nowhere", store.read("nowhere"))
    assert set(provenance.row("any")) == {"driver", "host", "seconds", *COLUMNS} and set(provenance.row("any").values()) == {None}
    assert line({}) == "unknown, unknown, compiler unknown, commit unknown"


def test_the_committed_study_names_its_maker():
    frame = study.load(machine.PROJECT / "results" / "gap" / "default")
    assert frame["driver"].notna().all() and frame["isa"].notna().all() and frame["commit"].str.len().eq(40).all()


@pytest.mark.parametrize("content", ["", "[]", "3", '{"drivers": 3}', '{"drivers": {"x": 3}}', "[" * 100_000])
def test_a_broken_manifest_counts_as_none(tmp_path, content):
    (tmp_path / "manifest.json").write_text(content)
    provenance = Provenance(tmp_path, store.read(tmp_path))
    assert all(value is None for key, value in provenance.row("any").items() if key != "driver")
