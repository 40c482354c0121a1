"""The report and the gap ablation on synthetic records: the same records give the same bytes."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from io import StringIO

import pandas as pd
import pytest
import synthetic
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

import study
from kernels import CELLS
from study import claims, report
from study.claims import gap
from study.nets.architecture import Architecture
from study.nets.net import Net
from study.report import drawing, findings, gradient_norms, page, panels, style, tables, trials
from study.records.table import where
from study.report.figures import FIGURES
from study.statistics import verdict
from study.statistics.half_success import bracket, half_success
from study.tasks import TASKS, digits
from study.trial.knobs import Trial


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gap") / "quick"
    synthetic.write(folder, keep=lambda trial: trial.task == "recall/past" and trial.seed < 2)
    return folder, report.write(folder)


ONE_FIGURE = {"half_success": FIGURES["half_success"]}


@pytest.fixture(scope="module")
def written_with_one_figure(written, tmp_path_factory):
    folder = tmp_path_factory.mktemp("brief") / "quick"
    shutil.copytree(written[0], folder, ignore=lambda path, names: [name for name in names if name.endswith(".svg")])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(findings, "FIGURES", ONE_FIGURE)
        report.write(folder)
    return folder


@pytest.fixture
def brief(written_with_one_figure, tmp_path, monkeypatch):
    """A folder whose report has one figure; the test may change it."""
    monkeypatch.setattr(findings, "FIGURES", ONE_FIGURE)
    return shutil.copytree(written_with_one_figure, tmp_path / "quick")


@pytest.fixture(scope="module")
def frame(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gap") / "default"
    synthetic.write(folder, "default", keep=lambda trial: trial.purpose == "train")
    return study.load(folder)


def files(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# The page


def test_the_same_records_give_the_same_bytes(written):
    folder, text = written
    before = files(folder)
    assert report.write(folder) == text
    assert files(folder) == before


def test_files_of_the_last_report_are_removed_and_those_of_the_user_stay(written, brief):
    stale, own = brief / "tables" / "stale.csv", brief / "tables" / "own.csv"
    for path in (stale, own):
        path.write_text("a\n1\n")
    page = brief / "REPORT.md"
    page.write_text(page.read_text() + "[stale.csv](tables/stale.csv)\n")
    (brief / "figures" / "old.csv").mkdir()
    report.write(brief)
    (brief / "figures" / "old.csv").rmdir()
    assert not stale.exists() and own.exists() and {path.name for path in brief.glob("figures/*")} == {"half_success.csv", "half_success.svg"}
    assert len(list(written[0].glob("figures/*"))) > 10


def test_check_names_changed_missing_and_stale_files(brief):
    assert report.check(brief) == []
    changed = brief / "tables" / "verdicts.csv"
    changed.write_text(changed.read_text().replace("RNN", "GRU"))
    [(brief / name).unlink() for name in ("figures/half_success.csv", "report.html")]  # a fresh clone has no such page
    (brief / "tables" / "wishes.csv").write_text("a\n1\n")
    wrong = report.check(brief)
    assert len(wrong) == 3
    assert all(any(name in line for line in wrong) for name in ("verdicts.csv", "half_success.csv", "wishes.csv"))


def test_pictures_of_another_matplotlib_are_not_compared(brief):
    for path in (*brief.glob("figures/*.svg"), brief / "report.html"):
        path.write_text(path.read_text().replace(drawing.RENDERER, "Matplotlib 0.1").replace("<g ", "<g  "))
    assert report.check(brief) == []


PICTURE = """
import sys
from study.report import drawing
def draw(data, figure):
    axes = figure.subplots()
    axes.plot([1, 2], [0.5, 1])
    axes.set_title(chr(189) + chr(8805))
sys.stdout.buffer.write(drawing.svg(draw, None).encode("utf-8"))
"""


def test_pictures_do_not_depend_on_backend_settings_or_locale(tmp_path):
    (tmp_path / "matplotlibrc").write_text("font.size: 30\nlines.linewidth: 9\nbackend: qtagg\n")
    outputs = set()
    ascii = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for variables in ({}, {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}, {"MPLBACKEND": "nonsense"} | ascii):
        path = os.pathsep.join(sys.path)
        done = subprocess.run([sys.executable, "-c", PICTURE], env=os.environ | {"PYTHONPATH": path} | variables,
                              cwd=tmp_path if not variables else None, capture_output=True, check=True)
        outputs.add(done.stdout)
    picture, = outputs
    assert "½≥".encode() in picture


def test_check_reads_utf_8_in_any_locale(brief, monkeypatch):
    monkeypatch.setattr(FIGURES["half_success"], "TITLE", "½")
    report.write(brief)
    program = ("from study import report; from study.report import findings; figure = findings.FIGURES['half_success']; "
               f"figure.TITLE = chr(189); findings.FIGURES = {{'half_success': figure}}; print(report.check({str(brief)!r}))")
    ascii = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], env=os.environ | ascii, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr


def test_the_report_counts_missing_trials(written):
    text = (written[0] / "REPORT.md").read_text()
    assert re.search(r": 120 of \d+ planned trials are recorded", text) and "Provisional" in text
    assert "handwriting" not in text


def test_without_records_nothing_is_written(tmp_path):
    folder = tmp_path / "quick"
    synthetic.write(folder, keep=lambda trial: False)
    before = files(folder)
    assert "No trials" in report.write(folder)
    assert files(folder) == before


def test_without_forward_nets_there_is_no_table_of_half_success(frame):
    assert not len(page.gaps(tables.half_success(frame), frame[frame["direction"] == "both"]))


def test_a_table_cell_with_a_bar_stays_one_cell():
    assert page.table(pd.DataFrame({"a": ["|x|"]})).splitlines()[-1] == "| \\|x\\| |"


# Figures and tables


@pytest.fixture(scope="module")
def deep_frame(frame):
    """The same trials as if their nets had two layers, of which the second forgets twice as fast."""
    above = [{when: part | {"layers": [{"h": [h and h * h for h in part["h"]]}]} for when, part in norms.items()}
             for norms in frame["norms"].where(frame["norms"].map(lambda norms: isinstance(norms, dict)), None).map(lambda norms: norms or {})]
    return frame.assign(layers=2, norms=above)


def test_layers_have_lines_of_their_own(deep_frame):
    data = where(FIGURES["layers"].data(deep_frame), cell="lstm", init="long", when="start")
    first, second = (where(data, layer=layer).set_index("lag")["median"] for layer in (0, 1))
    assert set(data["layer"]) == {0, 1} and (second[second.index > 9] < first[first.index > 9]).all()


def test_tables_tell_nets_of_several_layers_apart(frame, deep_frame):
    both = pd.concat([frame, deep_frame], ignore_index=True)
    gaps, one = tables.half_success(both), tables.half_success(frame)
    assert "layers" not in one and len(gaps) == 2 * len(one) and set(gaps["layers"]) == {1, 2}
    assert list(page.gaps(gaps, both).columns)[:4] == ["task", "cell", "initialisation", "layers"]
    assert trials.pooled(both) == "" and set(trials.forward(both)["layers"]) == {1}


OF_TRIALS = [name for name, figure in FIGURES.items() if not hasattr(figure, "TABLE")]  # test_ledger.py has those of tables
ELSEWHERE = {"words", "decodable", "units", "language", "importance"}  # drawn by test_explain, test_ablation_language, test_importance


@pytest.mark.parametrize("name", [name for name in OF_TRIALS if name not in ELSEWHERE])
def test_a_figure_draws_what_it_writes(name, frame, probed_frame, looking_frame, deep_frame, spoken_frame, tuned_frame):
    figure = FIGURES[name]
    data = next(drawn for records in (frame, probed_frame, looking_frame, deep_frame, spoken_frame, tuned_frame) if len(drawn := figure.data(records)))
    assert figure.TITLE and figure.CAPTION
    assert not any(isinstance(value, (dict, list)) for value in data.iloc[0])
    svg = drawing.svg(figure.draw, pd.read_csv(StringIO(report.csv(data))))
    assert drawing.RENDERER in svg and "<dc:date>" not in svg


@pytest.mark.parametrize("name", OF_TRIALS)
def test_a_figure_without_trials_has_no_data(name, frame):
    assert not len(FIGURES[name].data(frame[frame["method"] == "guess"]))


@pytest.mark.parametrize("name", OF_TRIALS)
def test_brief_records_have_the_figures_that_need_neither_curves_nor_norms(name, frame):
    assert len(FIGURES[name].data(frame.assign(record="brief").drop(columns=["norms", "curve"]))) in (0, len(FIGURES[name].data(frame)))


def test_each_figure_has_a_place_of_its_own():
    places = [figure.PLACE for figure in FIGURES.values()]
    assert places == sorted(set(places))


def test_any_two_of_colour_line_and_marker_identify_a_cell():
    """Six cells in a row differ in each of the three."""
    styles = [(style.colour(cell), str(style.line(cell)), style.marker(cell)) for cell in CELLS]
    for k in range(3):
        assert len({one[:k] + one[k + 1:] for one in styles}) == len(CELLS)
        assert all(len({one[k] for one in styles[first:first + 6]}) == 6 for first in range(len(styles) - 5))


def test_success_counts_every_trial_once(frame):
    table = tables.success(frame)
    ruled = frame[(frame["purpose"] == "train") & frame["solved"].notna()]
    assert table["trials"].sum() == len(ruled)
    assert (table["solved"] + table["censored"] + table["diverged"] == table["trials"]).all()
    assert table["diverged"].sum() == (ruled["status"] == "diverged").sum() > 0
    assert table["solved"].sum() == ruled["solved"].astype(bool).sum()


def test_half_success_gaps_and_brackets_are_those_of_the_records(frame):
    table = tables.half_success(frame)
    arm = where(trials.forward(frame), task="recall/past", cell="rnn", init="standard")
    row, = where(table, task="recall/past", cell="rnn", init="standard", units=32, direction="forward").itertuples()
    solved = arm["solved"].eq(True)
    assert row.shown == str(half_success(arm["gap"], solved)) and row.seeds == 10
    assert [int(n) for n in row.solved.split()] == [solved[arm["gap"] == gap].sum() for gap in map(int, row.gaps.split())]
    brackets = [bracket(seed["gap"], seed["solved"].eq(True)) for _, seed in arm.groupby("seed")]
    assert row.not_monotone == sum(low > high for low, high in brackets)
    assert sum(int(part.split(" x ")[0]) for part in row.brackets.split("; ")) == 10 - row.not_monotone


def test_decay_is_that_of_the_records(frame):
    table = tables.decay(frame).set_index(["task", "cell", "init", "when", "state"])["slope"]
    for cell in ("rnn", "lstm"):
        assert table["recall/past", cell, "standard", "start", "h"] == pytest.approx(synthetic.RATE[cell], rel=0.1)


def test_lines_on_the_digits_are_what_scikit_learn_reaches():
    x, y = digits.images()
    for model, name in ((LogisticRegression(max_iter=1000), "logistic regression"), (KNeighborsClassifier(1), "nearest neighbour")):
        score = model.fit(x[: -digits.TEST], y[: -digits.TEST]).score(x[-digits.TEST:], y[-digits.TEST:])
        assert score == pytest.approx(FIGURES["digits"].OTHERS[name][0], abs=0.003)


def test_relative_norms_start_at_one_and_are_ordered(frame):
    curves = gradient_norms.of_training(frame, ["h"])
    assert (curves[curves["lag"] == 0]["median"] == 1).all()
    assert (curves["q1"] <= curves["median"]).all() and (curves["median"] <= curves["q3"]).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(1e-11, 1), min_size=1, max_size=7))
def test_direct_labels_do_not_touch(values):
    axes = drawing.Figure().subplots()
    axes.set_yscale("log")
    axes.set_ylim(1e-12, 10)
    panels.label_ends(axes, [(f"cell {k}", value, "black") for k, value in enumerate(values)])
    heights = sorted(text.xy[1] for text in axes.texts)
    assert all(above - below > 0.08 for below, above in zip(heights, heights[1:], strict=False))
    assert heights[-1] <= 1


# The ablation


@pytest.mark.parametrize(("name", "preset"), [
    (name, preset) for name in claims.NAMES for preset in claims.find(name).PRESETS])
def test_every_preset_is_a_study(name, preset):
    study = claims.resolve(name, preset)
    assert len(study.points) > 0 and (study.name, study.preset) == (name, preset)
    assert all(study.selecting.values())


def test_no_two_ablations_share_a_claim():
    counts = Counter(id for name in claims.NAMES if name != "ledger" for id in claims.find(name).CLAIMS)
    assert counts and max(counts.values()) == 1
    assert all("default" in claims.find(name).PRESETS for name in claims.NAMES)


def test_equal_parameters_are_the_largest_that_fit():
    for cell, units in gap.EQUAL_TO_LSTM_32.items():
        fits, next_ = (Net(TASKS["recall/past"], Architecture(cell, H)).size for H in (units, units + 1))
        assert fits <= Net(TASKS["recall/past"], Architecture("lstm", 32)).size < next_


def judged(frame, edge=()):
    """{statement: verdict}, as if the learning rates of the cells in `edge` lay at an edge."""
    choices = {("recall/past", cell, init): {"lr": 0.003, "edge": cell in edge, "candidates": [{"lr": 0.003, "solved": 3}]}
               for cell in gap.CELLS for init in gap.FAMILIES}
    return {result.statement: result for result in gap.judge(frame, choices)}


def arm(cell, init, reached, **knobs):
    """Trials on recall of an arm whose seeds each solve up to `reached`, after 500 sequences a step of the gap."""
    rows = [{"task": "recall/past", "cell": cell, "init": init, "direction": "forward", "merge": "concat", "units": 32,
             "gap": gap, "seed": seed, "solved": gap <= most, "budget": 128_000,
             "sequences": 500 * gap if gap <= most else 128_000,
             "purpose": "train", "method": "bptt", "status": "done", "norms": None, "test_correct": 2560, "test_n": 2560} | knobs
            for seed, most in enumerate(reached) for gap in (12, 25, 50, 100, 200)]
    return pd.DataFrame(rows).assign(norms=[{"start": {"lag": [0, 1], "h": [1, 0.5]}}] * len(rows))


def further(rnn, lstm, edge=()):
    frame = pd.concat([arm("rnn", "standard", rnn), arm("lstm", "standard", lstm)], ignore_index=True)
    return judged(frame, edge)["standard initialisation: the LSTM reaches further than the tanh RNN"]


@pytest.mark.parametrize(("rnn", "lstm", "outcome"), [
    ([12] * 10, [100] * 10, verdict.SAME), ([100] * 10, [12] * 10, verdict.OPPOSITE),
    ([0] * 10, [0] * 10, verdict.FLOOR), ([200] * 10, [200] * 10, verdict.CEILING), ([50] * 10, [50] * 10, verdict.INCONCLUSIVE),
    ([100] * 8 + [200] * 2, [200] * 10, verdict.SAME)])  # 2 of 10 against 10 of 10 at the largest gap
def test_c1_has_every_outcome(rnn, lstm, outcome):
    result = further(rnn, lstm)
    assert result.outcome == outcome and not result.provisional


def test_c1_is_untuned_where_the_arm_behind_has_a_doubtful_rate():
    behind = further([12] * 10, [100] * 10, edge=["rnn"])
    assert behind.outcome == verdict.UNTUNED and behind.doubt.startswith("RNN: its learning rate, 0.003")
    assert further([12] * 10, [100] * 10, edge=["lstm"]).outcome == verdict.SAME
    assert further([50] * 10, [50] * 10, edge=["lstm"]).outcome == verdict.UNTUNED


def test_fewer_seeds_than_planned_are_provisional():
    seven, three = further([12] * 7, [100] * 7), further([12] * 3, [100] * 3)
    assert seven.provisional and seven.outcome == verdict.SAME
    assert three.provisional and three.outcome == verdict.INCONCLUSIVE and 3 < three.needed < 10


def test_a_verdict_names_the_command_that_repeats_it():
    assert further([12] * 10, [100] * 10).command("gap", "default") == (
        "python -m study run gap --preset default --out again --only cell=rnn,lstm --only init=standard --only task=recall/past "
        "--only direction=forward")


def past(factor, reached=200, edge=()):
    """C14 where both directions need `factor` times the sequences, give or take a tenth."""
    forward = arm("gru", "long", [reached] * 6)
    forward["sequences"] *= 1 + 0.1 * (forward["seed"] % 2)
    both = forward.assign(direction="both", sequences=(forward["sequences"] * factor).clip(upper=128_000))
    return judged(pd.concat([forward, both], ignore_index=True), edge)[
        "a past cue: gru in both directions (concat) needs as many sequences as forward"]


@pytest.mark.parametrize(("factor", "outcome"), [
    (1.0, verdict.NO_DIFFERENCE), (1.49, verdict.INCONCLUSIVE), (2.0, verdict.OPPOSITE), (0.3, verdict.OPPOSITE)])
def test_c14_is_a_matter_of_the_factor(factor, outcome):
    assert past(factor).outcome == outcome


def test_c14_needs_arms_that_learn_at_rates_that_are_sure():
    assert past(1.0, reached=0).outcome == verdict.FLOOR
    assert past(1.0, reached=100).outcome == verdict.INCONCLUSIVE  # censored seeds draw the ratio to 1
    assert past(1.0, edge=["gru"]).outcome == verdict.UNTUNED


def test_c15_tells_a_line_from_a_curve():
    lag = list(range(0, 200, 8))
    straight = {"start": {"lag": lag, "h": [0.7**k for k in lag]}}
    bent = {"start": {"lag": lag, "h": [1 / (1 + k)**3 for k in lag]}}
    for norms, outcome in ((straight, verdict.SAME), (bent, verdict.OPPOSITE)):
        frame = arm("rnn", "standard", [12] * 10).assign(norms=lambda runs, norms=norms: [norms] * len(runs))
        result = judged(frame)["standard initialisation: the gradient of the tanh RNN falls exponentially with the lag"]
        assert result.outcome == outcome, result


def test_c15_compares_the_direct_path_with_the_forget_gates():
    lag = list(range(0, 200, 8))
    for factor, outcome in ((1.02, verdict.SAME), (0.5, verdict.OPPOSITE)):
        norms = {"start": {"lag": lag, "h": [1] * len(lag), "f": [0.7**k for k in lag],
                           "direct": [0.7**(factor * k) for k in lag]}}
        frame = arm("lstm", "standard", [12] * 10).assign(norms=lambda runs, norms=norms: [norms] * len(runs))
        results = [result for statement, result in judged(frame).items() if "forget gates" in statement]
        assert [result.outcome for result in results] == [outcome]


def test_knobs_that_share_a_row_are_named(tmp_path):
    frame = pd.DataFrame([Trial(cell="lstm", gap=gap, lr=0.01, batch=batch, seed=seed).model_dump() | {"drawn": ""}
                          for gap in (12, 25) for batch in (16, 32) for seed in (0, 1)])
    assert trials.pooled(frame) == "Trials that differ in batch share a row or a line here; `export` tells them apart."
    assert trials.pooled(frame[frame["batch"] == 16]) == ""
