"""What is shown of timing records: tables, figures, floors and pages."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made_records import TINY, entry, made, with_fast
from uses import PROJECT

import kernels
from study.bench import figures, floors, operations, record, suites, tables
from study.bench.page import page
from study.report import csv, drawing


def test_share_ratio_and_best_peer():
    case = replace(TINY, T=100, B=32, I=2, H=32)
    table = tables.frame(made("table", [entry(case, ours=1e-3, torch=3e-3, jax=2e-3, numpy=1e-4)])).set_index("peer")
    assert table.loc["ours", "gflops"] == pytest.approx(operations.operations(case) / 1e-3 / 1e9)
    assert table.loc["ours", "share"] == pytest.approx(operations.operations(case) / 1e-3 / 100e9)
    assert list(table[table["best_peer"]].index) == ["jax"]
    shown = tables.shown(made("table", [entry(case, ours=1e-3, torch=3e-3, jax=2e-3, numpy=1e-4)])).iloc[0]
    assert (shown["best peer"], shown["ratio"]) == ("jax", "2.00")


def test_means_of_iterations_are_geometric():
    case = suites.recall("trial", "iteration", "lstm", 4, 6)
    lines = tables.summary(made("trial", [entry(case, ours=1e-3, torch=2e-3), entry(case, ours=1e-3, torch=8e-3)]))
    assert lines[0] == "Geometric mean over 2 cases: 4.00 times as fast as torch."


def test_the_limit_is_the_peak_or_the_chain_whichever_takes_longer():
    case = replace(TINY, T=100, B=1)
    peak = operations.operations(case) / 100e9
    assert tables.limit(with_fast(entry(case, ours=1.0)), "median") == pytest.approx(peak)
    assert tables.limit(with_fast(entry(case, ours=1.0), chain=peak / 50), "fast") == pytest.approx(2 * peak)
    assert tables.limit(with_fast(entry(case, ours=1.0), chain=peak / 200), "fast") == pytest.approx(peak)


def test_the_fastest_tenth_stands_beside_the_median():
    case = with_fast(entry(suites.order("lstm", 1, 8), ours=1e-3, torch=4e-3, jax=8e-3, earlier=5e-3))
    case["peers"]["jax"]["fast"] = 1e-3
    row = tables.shown(made("online", [case])).iloc[0]
    assert (row["ours, us"], row["over earlier"]) == ("1,000 (500)", "5.00 (5.00)")
    assert (row["best peer"], row["ratio"]) == ("torch", "4.00 (2.00)")


def test_steps_of_one_row_are_taken_between_two_lengths():
    cases = [replace(TINY, suite="row", B=1, T=T) for T in (100, 300)]
    entries = [with_fast(entry(case, ours=(50 + case.T) * 1e-7, earlier=case.T * 3e-7), chain=4e-8) for case in cases]
    row = tables.shown(made("row", entries)).iloc[0]
    assert (row["ns a step"], row["over the chain"], row["over earlier"]) == ("100 (50)", "2.50 (1.25)", "3.00 (3.00)")


def test_long_sequences_are_compared_with_the_shortest():
    cases = [replace(TINY, suite="long", T=T) for T in (100, 10_000)]
    entries = [with_fast(entry(case, ours=case.T * seconds)) for case, seconds in zip(cases, (1e-6, 2e-6))]
    assert list(tables.shown(made("long", entries))["over T = 100"]) == ["1.00 (1.00)", "2.00 (2.00)"]


@pytest.mark.parametrize("isa, steps, met", [("avx512", "7.00", "yes"), ("avx2", "not", "")])
def test_floors_are_judged_by_the_records(tmp_path, isa, steps, met):
    assert set(floors.table(tmp_path)["reached"]) == {"not measured"}
    peers_ = {"ours": 1e-3, "torch": 60e-3, "jax": 50e-3, "loop": 70e-3, "earlier": 7e-3}
    for suite, (cases, *_) in (suites.of_kernels(1, 1) | suites.of_trials(1) | suites.of_modules(1)).items():
        if suite in suites.FLOORS:
            times = [{name: seconds * case.T for name, seconds in peers_.items()} for case in cases]
            entries = [with_fast(entry(case, **seconds), 1e-3) for case, seconds in zip(cases, times)]
            made_record = made(suite, entries)
            made_record["machine"] = made_record["machine"] | {"kernels": made_record["machine"]["kernels"] | {"isa": isa}}
            record.write(tmp_path, made_record)
    table = floors.table(tmp_path)
    expected = ["60.00", "7.00", "7.00", "1.00", "7.00", "7.00", steps, steps, "50.00", "1.00", "0.96", "1.00", "1.00", "70.00", "60.00",
                "1.00"]
    assert [reached.split()[0] for reached in table["reached"]] == expected
    assert list(table["met"]) == ["yes", "no"] + ["yes"] * 4 + [met] * 2 + ["yes"] * 8
    assert "## Floors" in (tmp_path / "REPORT.md").read_text()


@pytest.mark.parametrize("suite", figures.FIGURES)
def test_figures_have_the_numbers_of_the_record(suite):
    cases = suites.of_kernels(1, 4)[suite].cases
    figure = figures.FIGURES[suite]
    entries = [entry(case, ours=2e-3 / case.threads, torch=6e-3, jax=5e-3) for case in cases]
    data = figure.data(tables.frame(made(suite, entries)))
    assert drawing.svg(figure.draw, data).count("<path") > len(set(data["cell"]))
    if "ratio" in data:
        assert np.allclose(data["ratio"], 2.5) and set(data["peer"]) == {"jax"}
    elif "speedup" in data:
        assert np.allclose(data["speedup"], np.where(data["peer"] == "ours", data["threads"], 1))
    elif suite in ("gap", "cells"):
        assert suite == "cells" or sorted(set(data["gap"])) == list(suites.GAPS)
        assert np.allclose(data["nanoseconds"], 2e6 / (data["T"] * data["B"]))
    else:
        ours = data[data["peer"] == "ours"] if "peer" in data else data
        assert len(ours) == len(cases) and np.allclose(ours["gflops"], [operations.operations(case) / 2e6 for case in cases])


def test_figures_of_nothing_are_empty():
    for suite, figure in figures.FIGURES.items():
        alone = figure.data(tables.frame(made(suite, [entry(TINY, ours=1.0)])))
        assert isinstance(alone, pd.DataFrame) and (suite in ("table", "double", "forward")) == (len(alone) == 0)


def test_an_unfinished_record_says_so(tmp_path):
    unfinished = made("gap", [entry(TINY, ours=1.0)]) | {"finished": False}
    record.write(tmp_path, unfinished)
    assert "interrupted before its end" in (tmp_path / "REPORT.md").read_text()
    assert (tmp_path / "gap.json").read_text() == json.dumps(unfinished, indent=1) + "\n"
    assert (tmp_path / "gap.csv").read_text() == csv(tables.frame(unfinished))


@pytest.mark.parametrize("cell", kernels.CELLS)
def test_cells_are_compared_at_equal_units_and_at_equal_parameters(cell):
    cases, rivals, *_ = suites.of_kernels(1, 1)["cells"]
    sizes = [(case.I, case.H) for case in cases if case.cell == cell]
    most = kernels.RNN("lstm", 32, 32).size
    fits = [H for H in range(1, 300) if kernels.RNN(cell, suites._inputs(cell, H), H).size <= most]
    assert {H for _, H in sizes} == {32, fits[-1]} and fits == list(range(1, fits[-1] + 1)) and not len(rivals)
    assert all(I == (H if kernels.CELLS[cell].direct else 32) for I, H in sizes)
    layer = kernels.RNN(cell, *sizes[0])
    products = [np.prod(shape) for name, shape in layer.shapes.items() if name[-1] in "WUR"]
    assert operations.multiply_adds(cell, *sizes[0]) == sum(products)
    row = tables.shown(made("cells", [entry(case, ours=1e-3) for case in cases if case.cell == cell])).iloc[0]
    assert row["parameters"] == f"{layer.size:,}" and row["training, ns a row-step"] == "312.5"


def test_the_committed_records_give_their_report():
    for folder in (PROJECT / "results" / "bench").iterdir():
        assert page(folder).startswith(f"# Speed and memory on {folder.name}")
    assert page(PROJECT / "results" / "bench" / "avx2") == (PROJECT / "results" / "bench" / "avx2" / "REPORT.md").read_text("utf-8")


def test_operations_of_layers_are_those_of_each_layer_and_of_what_it_passes_back():
    of_one, of_two, of_grid = (operations.operations(case) / (2 * case.T * case.B) for case in suites.of_trials(1)["nets"].cases[:3])
    inner = 2 * 4 * 64 * 64  # W and U of a layer whose inputs are units
    assert (of_two - of_one, of_grid) == (3 * inner, 3 * 4 * inner + 2 * 9 * 64)
