"""Exported tables have a row for each trial, and every number reads back with the same bits."""

import csv
import io
import json
import sqlite3
import subprocess
import sys

import pytest
import toy
from hypothesis import given, settings, strategies

import study
from study.records import export, store

FLOATS = strategies.floats(allow_nan=False, allow_infinity=False)
CELLS = strategies.one_of(strategies.none(), FLOATS)
ROWS = strategies.lists(strategies.fixed_dictionaries(
    {"id": strategies.text("abc,\"'\n ü", min_size=1, max_size=9)},
    optional={"x": CELLS, "n": strategies.integers(-(2**62), 2**62), "yes": strategies.booleans(), "commit": CELLS}), min_size=1)


def from_csv(data, columns):
    read = {bool: lambda text: text == "True", int: int, float: float, str: str}
    rows = csv.DictReader(io.StringIO(data.decode(), newline=""))
    return [{name: None if text == "" else read[columns[name]](text) for name, text in row.items()} for row in rows]


def from_sqlite(data, columns):
    base = sqlite3.connect(":memory:")
    base.deserialize(data)
    names = [f'"{name}"' for name in columns]
    rows = [dict(zip(columns, row)) for row in base.execute(f"SELECT {', '.join(names)} FROM trials")]
    return [{name: bool(v) if columns[name] is bool and v is not None else v for name, v in row.items()} for row in rows]


def from_parquet(data, columns):
    parquet = pytest.importorskip("pyarrow.parquet")
    return parquet.read_table(io.BytesIO(data)).to_pylist()


READ = {"csv": from_csv, "sqlite": from_sqlite, "parquet": from_parquet}


def bits(value):
    return value.hex() if isinstance(value, float) else value


@pytest.mark.parametrize("form", export.FORMATS)
@settings(deadline=None)
@given(rows=ROWS)
def test_what_is_exported_reads_back_to_the_bit(form, rows):
    columns, flat = export.table(rows)
    again = READ[form](export.FORMATS[form](columns, flat), columns)
    assert [{name: bits(row.get(name)) for name in columns} for row in rows] == [
        {name: bits(value) for name, value in row.items()} for row in again]


@pytest.mark.parametrize("form", export.FORMATS)
def test_a_folder_is_exported_as_study_load_gives_it(ran, call, tmp_path, form):
    _, _, folder = ran
    to = tmp_path / f"trials.{form}"
    code, out, err = call("export", folder, "--format", form, "--to", to)
    assert code == 0 and out == "" and "24 trials" in err
    columns, _ = export.table(study.records.table.rows(folder))
    rows = READ[form](to.read_bytes(), columns)
    frame = study.load(folder)
    assert [row["id"] for row in rows] == list(frame["id"]) and list(rows[0]) == list(frame.columns)
    for row, (_, expected) in zip(rows, frame.iterrows(), strict=True):
        record = store.read(folder).record(row["id"])["result"]
        assert (row["final_loss"], row["solved"], row["test_n"]) == (record["final_loss"], record["solved"], 2560)
        assert json.loads(row["curve"]) == record["curve"] and row["driver"] == expected["driver"] and row["host"] and row["isa"]


def test_csv_goes_to_standard_output(ran, call):
    _, _, folder = ran
    code, out, err = call("export", folder)
    assert code == 0 and err == "" and len(list(csv.DictReader(io.StringIO(out)))) == 24


def test_a_reader_that_leaves_early_causes_no_message(ran):
    command = f"{sys.executable} -m study export {ran[2]} | head -c 10"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, env=toy.environment())
    assert done.stdout.startswith("id,cell") and done.stderr == ""


def test_mistakes_of_export(ran, call, tmp_path, monkeypatch):
    _, _, folder = ran
    assert call("export", folder, "--format", "xls")[0] == 2
    code, _, err = call("export", folder, "--to", tmp_path / "no" / "x.csv")
    assert code == 2 and "--to" in err and not (tmp_path / "no").exists()
    (tmp_path / "link").symlink_to(folder / "runs.jsonl")
    for own in (folder / "runs.jsonl", folder / "plan.toml", folder / "segments" / "x.jsonl", tmp_path / "link"):
        own.parent.mkdir(exist_ok=True)
        before = own.read_bytes() if own.exists() else None
        code, _, err = call("export", folder, "--to", own)
        assert code == 2 and "keeps its records" in err and before == (own.read_bytes() if own.exists() else None)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    code, _, err = call("export", folder, "--format", "parquet", "--to", tmp_path / "x")
    assert code == 2 and "pip install pyarrow" in err and not (tmp_path / "x").exists()
    (folder / "runs.jsonl").write_bytes(b"")
    assert call("export", folder)[0] == 2
