"""The gradients ablation and its report: every outcome from synthetic probes, and a real folder from plan to page."""

import copy

import numpy as np
import pandas as pd
import pytest

import study
from kernels import CELLS
from study import claims, report
from study.claims import gradients
from study.plan.plan import Plan
from study.records import store
from study.report import page, probes, sentences, tables, trials
from study.report.figures import FIGURES
from study.report.findings import Findings
from study.statistics import verdict
from study.trial.knobs import Trial

LAGS = list(range(0, 1000, 40))


def probe(slope=-0.5, exponent=-0.5, bent=0.0, bound=1.1, largest=0.9):
    """A synthetic probe of a tanh RNN whose log norm falls by `slope` a step, plus `bent` times a cosine."""
    return {"norms": {"lag": LAGS, "h": [float(np.exp(slope * lag + bent * np.cos(lag / 100))) for lag in LAGS]},
            "lyapunov": [exponent, -0.9], "U": {"a": bound}, "jacobian": {"lag": [1, 8], "values": [[largest, 0.1], [largest**8, None]]}}


def judged(probes, cell="rnn"):
    """{(claim, end of the statement): verdict} from one probe a seed."""
    runs = [{"cell": cell, "init": "standard", "method": "probe", "after": 0, "units": 32, "status": "done", "gap": 1000,
             "seed": seed, "probe": one} for seed, one in enumerate(probes)]
    return {(result.claim, result.statement.rpartition(" ")[2]): result for result in gradients.judge(pd.DataFrame(runs), {})}


@pytest.mark.parametrize("made, line, exponent", [
    ({}, verdict.SAME, verdict.SAME), ({"exponent": -0.46}, verdict.SAME, verdict.SAME),
    ({"exponent": -0.4}, verdict.SAME, verdict.OPPOSITE), ({"exponent": 0.5}, verdict.SAME, verdict.OPPOSITE),
    ({"exponent": None}, verdict.SAME, verdict.OPPOSITE), ({"bent": 200.0}, verdict.OPPOSITE, verdict.OPPOSITE)])
def test_c15b_compares_the_slope_with_the_exponent(made, line, exponent):
    results = judged([probe(**made)] * 10)
    assert results["C15b", "line"].outcome == line and results["C15b", "exponent"].outcome == exponent
    assert judged([probe(**made)] * 5)["C15b", "line"].outcome == verdict.INCONCLUSIVE


def test_c15b_is_inconclusive_where_seeds_disagree():
    result = judged([probe(exponent=-0.5 if seed % 2 else -0.4) for seed in range(10)])["C15b", "exponent"]
    assert result.outcome == verdict.INCONCLUSIVE and result.needed is None and not result.provisional


@pytest.mark.parametrize("made, outcome", [
    ({}, verdict.SAME), ({"largest": 1.2}, verdict.OPPOSITE), ({"exponent": 0.2}, verdict.OPPOSITE),
    ({"bound": 0.9, "largest": 0.9000001}, verdict.SAME), ({"bound": 0.9, "largest": 0.9002}, verdict.OPPOSITE),
    ({"exponent": None}, verdict.SAME), ({"exponent": None, "largest": 1.2}, verdict.OPPOSITE)])
def test_c17_is_the_bound_by_u(made, outcome):
    for cell in ("rnn", "rnn_relu"):
        assert judged([probe(**made)] * 10, cell)["C17", "U"].outcome == outcome
    assert judged([probe(**made)] * 3)["C17", "U"].outcome == verdict.INCONCLUSIVE


def test_one_net_that_breaks_a_theorem_leaves_it_undecided():
    assert judged([*[probe()] * 30, probe(largest=1.2)])["C17", "U"].outcome == verdict.INCONCLUSIVE


def test_other_trials_give_no_verdict():
    runs = pd.DataFrame([{"cell": "rnn", "init": "standard", "method": "probe", "after": after, "units": units, "status": "done",
                          "gap": 1000, "seed": 0, "probe": probe()} for after, units in ((64, 32), (0, 128))])
    assert gradients.judge(runs, {}) == []


def test_the_default_plan_probes_twenty_cells_and_trains_none():
    arms = [point.trial for point in claims.resolve("gradients").points]
    assert {trial.cell for trial in arms} == set(list(CELLS)[:20]) and {trial.gap for trial in arms} == {1000}
    assert not any(trial.learns for trial in arms) and len({trial.id for trial in arms}) == len(arms)
    tanh = [trial for trial in arms if trial.cell == "rnn"]
    assert {trial.initialisation for trial in tanh} == {"standard", "long", "identity"} and len(tanh) == 3 * gradients.PLANNED


def test_every_cell_has_one_kind():
    assert all(sum(has(cell) for has in probes.KINDS.values()) == 1 for cell in CELLS.values())
    assert [probes.kind(name) for name in ("rnn", "lstm_1997", "lstm", "gru")] == list(probes.KINDS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, probed_records):
    folder = tmp_path_factory.mktemp("gradients") / "looks"
    study_, records = probed_records
    store.put(folder / "plan.toml", study_)
    with store.Driver(folder, {"machine": "a test"}) as driver:
        for trial, outcome in records:
            driver.record(trial, outcome | {"seconds": 1.0, "host": "nowhere"})
    store.compact(folder)
    return folder


def test_a_report_of_probes_is_whole_and_the_same_again(folder):
    assert report.write(folder) == ""
    text = (folder / "REPORT.md").read_text()
    assert "A probe measures" in text and "Each trial trains" not in text and "16 probed" in text
    assert all((folder / "figures" / f"{name}.svg").exists() == (figure.PLACE >= 20) for name, figure in FIGURES.items())
    assert (folder / "tables" / "probes.csv").exists() and not (folder / "tables" / "success.csv").exists()
    assert (folder / "figures" / "reach.csv").read_text() == report.csv(FIGURES["reach"].data(study.load(folder)))
    table = pd.read_csv(folder / "figures" / "reach.csv")
    table.loc[3, "median"] *= 2
    store.put(folder / "figures" / "reach.csv", report.csv(table))
    assert [line.split(":")[0].rpartition("/")[2] for line in report.check(folder)] == ["reach.csv"]


def test_slopes_are_fitted_to_the_norms(folder):
    frame = study.load(folder)
    row = probes.slopes(frame).set_index(["cell", "init"]).loc["rnn", "standard"]
    runs = frame[(frame["cell"] == "rnn") & (frame["init"] == "standard")]
    slopes = [np.polyfit(one["norms"]["lag"], np.log(one["norms"]["h"]), 1)[0] for one in runs["probe"]]
    assert row["slope"] == pytest.approx(np.median(slopes), rel=1e-9) and row["low"] < row["slope"] < row["high"]
    assert row["exponent"] == pytest.approx(np.median([one["lyapunov"][0] for one in runs["probe"]]))


def test_trained_and_untrained_nets_are_shown_apart(probed_frame):
    learned = probed_frame.assign(after=640)
    both = pd.concat([probed_frame, learned], ignore_index=True)
    assert list(dict.fromkeys(init for (_, init), _ in probes.groups(both, inits=2))) == ["standard", "long"]
    assert {"standard-after 640", "long-after 640"} < set(probes.with_training_named(both)["init"])
    assert sorted(set(FIGURES["truncation"].data(both)["after"])) == [0, 640]


def test_nets_of_another_width_or_task_are_left_out_and_named(probed_frame):
    gated = probed_frame[probed_frame["cell"] != "rnn"]
    changed = []
    for one in gated["probe"]:
        changed.append(copied := copy.deepcopy(one))
        copied["constants"] = [3 * constant for constant in one["constants"]] * 2
        copied["norms"]["h"] = copied["norms"]["x"] = [0.3**k for k in range(len(one["norms"]["lag"]))]
        copied["lyapunov"], copied["cosine"], copied["trace"] = [2.0] * 4, one["cosine"] and -1.0, one["trace"] | {"lag": one["trace"]["lag"][::-1]}
        copied["jacobian"]["values"] = [[7.0 for _ in values] for values in one["jacobian"]["values"]]
        copied["gates"] = {name: [1 + share for share in shares] for name, shares in one["gates"].items()}
    others = [gated.assign(probe=changed, units=16), gated.assign(probe=changed, task="recall/both"), gated.assign(probe=changed, gap=30)]
    both = pd.concat([*others, probed_frame], ignore_index=True)
    for figure in (figure for figure in FIGURES.values() if figure.PLACE >= 20):
        pd.testing.assert_frame_equal(figure.data(both), figure.data(probed_frame))
    pd.testing.assert_frame_equal(probes.slopes(both), probes.slopes(probed_frame))
    assert np.isfinite(FIGURES["time_constants"].data(both)[["least", "middle", "most"]]).all(axis=None)
    assert sentences.probing(both) == (
        "Here: 16 nets of H = 8 units, lags to 40, float64. Left out of figures and tables, but in `export`: "
        "12 of recall, cues on both sides at H = 8, gap 40; 12 of recall, cue in the past at H = 8, gap 30; "
        "12 of recall, cue in the past at H = 16, gap 40.")


def test_probes_that_no_table_tells_apart_and_those_that_diverged_are_named(probed_frame):
    learned = [probed_frame.assign(after=640, lr=lr) for lr in (0.01, 0.03)]
    assert trials.pooled(pd.concat([probed_frame, learned[0]], ignore_index=True)) == ""
    both = pd.concat([*learned, learned[0].head(3).assign(status="diverged", probe=None)], ignore_index=True)
    assert sentences.probing(both) == ("Here: 32 nets of H = 8 units, lags to 40, float64. 3 diverged in training. Trials that differ in lr "
                                  "share a row or a line here; `export` tells them apart.")
    assert sentences.probing(both[both["status"] == "diverged"]).startswith("Here: none. 3 diverged")


def test_the_report_says_whether_nets_are_untrained(probed_frame, folder):
    plan = Plan.from_folder(folder)
    for after in (0, 640):
        text = page.markdown(Findings(plan, probed_frame.assign(after=after), [], {}, {}, {}, {}))
        assert ("are untrained" in text) == (after == 0)


def test_norms_that_left_float64_end_their_line(probed_frame):
    frame = probed_frame[probed_frame["cell"] == "rnn"].copy()
    frame["probe"] = [copy.deepcopy(one) for one in frame["probe"]]
    for one in frame["probe"]:
        one["norms"]["h"][-3:] = [None] * 3
    curves = FIGURES["reach"].data(frame)
    assert curves["lag"].max() == frame["probe"].iloc[0]["norms"]["lag"][-4] and curves["median"].notna().all()
    assert np.isfinite(probes.slopes(frame)["slope"]).all()


def test_probes_are_in_no_table_of_training(probed_frame, folder):
    made = tables.every(probed_frame, Plan.from_folder(folder), [])
    assert set(made) == {"probes"}


def test_the_id_of_a_probe_names_its_method_and_its_initialisation():
    assert Trial(cell="lstm", gap=40, method="probe", scheme="identity").id.startswith("recall-past-lstm-probe-forward-identity-gap40-")
